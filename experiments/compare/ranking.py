"""Every system beside Falcon, measure by measure. Figures of runs -> standings; pure.

Falcon measured once more in each block, as if it were another system, stands beside the others and not among them: it has no
part in Holm's correction, and its ratio should not be told apart from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from experiments.compare.asked import FALCON, Series
from experiments.compare.statistics import Kind, Ratio, holm, ratio

if TYPE_CHECKING:
    from experiments.compare.runs import Figures, Run

AGAIN = "falcon again"
"""Stands for Falcon's second run of a block."""


@dataclass(frozen=True)
class Measure:
    """One thing that is measured of every run."""

    title: str
    unit: str
    of: Callable[[Figures], float | None]


CPU = Measure("CPU a request", "µs", lambda one: one.cpu_us_per_request)
"""First, because it repeats best on a machine that others use too."""
MEASURES = (
    CPU,
    Measure("response p50 of A", "ms", lambda one: one.status_p50_ms),
    Measure("response p95 of A", "ms", lambda one: one.status_p95_ms),
    Measure("response p50 of B", "ms", lambda one: one.bulk_p50_ms),
    Measure("response p95 of B", "ms", lambda one: one.bulk_p95_ms),
    Measure("memory a worker (USS)", "MB", lambda one: None if one.uss_bytes is None else one.uss_bytes / 1e6),
)
"""Those that are held against Falcon as a ratio."""


@dataclass(frozen=True)
class Standing:
    """One system by one measure."""

    name: str
    """The system's, or `falcon again`."""
    values: tuple[float, ...]
    """A run each."""
    ratio: Ratio | None
    """To Falcon; None for Falcon itself, and where no block has both."""
    p: float | None
    """By which it is decided: after Holm over all systems; Falcon's second run by its own."""

    @property
    def value(self) -> float:
        """The median over the blocks."""
        return median(self.values)

    @property
    def kind(self) -> Kind | None:
        """What may be said of it beside Falcon; None where there is nothing to hold it against."""
        return self.ratio.kind(self.p) if self.ratio else None


def by_block(runs: Sequence[Run], series: Series) -> dict[str, dict[int, Figures]]:
    """System, or `falcon again`, -> block -> figures of its run, where that counts."""
    found: dict[str, dict[int, Figures]] = {}
    for run in runs:
        if run.series.name == series.name and run.role in ("system", "again") and run.figures is not None:
            name = AGAIN if run.role == "again" else run.system
            found.setdefault(name, {})[run.block] = run.figures
    return found


def pool(runs: Sequence[Run], series: Series, measure: Measure = CPU) -> dict[int, list[float]]:
    """Block -> figures of all of Falcon's runs in it, whatever they were made for."""
    found: dict[int, list[float]] = {}
    for run in runs:
        ours = run.system == FALCON and run.role in ("system", "again", "pool") and run.series.name == series.name
        if ours and run.figures is not None and (value := measure.of(run.figures)):
            found.setdefault(run.block, []).append(value)
    return found


def ranked(figures: Mapping[str, Mapping[int, Figures]], measure: Measure = CPU) -> list[Standing]:
    """All systems that have the measure, the least of it first."""
    values = {
        name: {block: value for block, one in own.items() if (value := measure.of(one)) is not None}
        for name, own in figures.items()
    }
    return standings({name: own for name, own in values.items() if own})


def standings(values: Mapping[str, Mapping[int, float]]) -> list[Standing]:
    """Standings from system -> block -> value; the least ratio to Falcon first, those without one last."""
    base = values.get(FALCON, {})
    ratios = {name: ratio(_pairs(own, base)) for name, own in values.items() if name != FALCON}
    own_p = {name: one.p for name, one in ratios.items() if one is not None and one.p is not None}
    raised = holm({name: p for name, p in own_p.items() if name != AGAIN})
    made = [
        Standing(name, tuple(own.values()), ratios.get(name), raised.get(name, own_p.get(name)))
        for name, own in values.items()
    ]
    return sorted(made, key=lambda one: (_place(one) is None, _place(one) or one.value))


def _pairs(own: Mapping[int, float], base: Mapping[int, float]) -> list[tuple[float, float]]:
    """The blocks that have both; what is not above zero has no ratio."""
    return [(value, base[block]) for block, value in own.items() if value > 0 and base.get(block, 0) > 0]


def _place(one: Standing) -> float | None:
    return 1.0 if one.name == FALCON else one.ratio.value if one.ratio else None
