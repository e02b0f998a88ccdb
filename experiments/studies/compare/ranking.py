"""Every system beside Falcon, measure by measure. Figures of runs -> standings; pure.

All of Falcon's runs of a block are its control: what others are held against is their geometric mean. One of them, made for
it, also stands beside the others as if it were another system, held against the rest of Falcon's runs: it has no part in
Holm's correction, and its ratio should not be told apart from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

from experiments.analyse.targets.naming import letters
from experiments.studies.compare.params import FALCON, Series
from experiments.studies.compare.runs import Comparison, Figures, Run
from experiments.studies.compare.statistics import FEWEST_BLOCKS, Kind, Ratio, holm, ratio

AGAIN = "falcon again"
"""Stands for Falcon's second run of a block."""

RANKING = (
    "Values are medians over the blocks; below each its ratio to Falcon, geometric mean of the runs paired by block, with "
    "the 95 % t-interval. Falcon's value in a block is the geometric mean of all its runs there. More or less is claimed at "
    f"5 % after Holm's correction over all systems of a column; with fewer than {FEWEST_BLOCKS} blocks a ratio is "
    "provisional and has no interval. Falcon against itself stands outside that family, and is decided alone."
)
OF_DUETS = (
    "Where a system was polled at once with what it is held against, its ratio is the geometric mean over the pieces of "
    "that run, with a 95 % interval that takes into account that neighbouring pieces are alike; more or less is claimed at "
    "5 % after Holm's correction over all systems of a column. Memory was not compared piece by piece."
)


@dataclass(frozen=True)
class Measure:
    """One thing that is measured of every run."""

    title: str
    unit: str
    of: Callable[[Figures], float | None]
    endpoint: str = ""
    """The one whose times it is of."""
    of_duet: str = ""
    """What a duet calls its ratio; empty where it has none."""


CPU = Measure("CPU per request", "µs", lambda one: one.cpu_us_per_request, of_duet="cpu")
"""First, because it repeats best on a machine that others use too."""
MEMORY = Measure("memory per worker (USS)", "MB", lambda one: None if one.uss_bytes is None else one.uss_bytes / 1e6)


@dataclass(frozen=True)
class Standing:
    """One system by one measure."""

    name: str
    """The system's, or `falcon again`."""
    values: tuple[float, ...]
    """A block each."""
    ratio: Ratio | None
    """To Falcon; None for Falcon itself, and where no block has both."""
    p: float | None
    """By which it is decided: after Holm over all systems; Falcon's second run by its own."""
    is_reference: bool = False
    """Whether it is what the others are held against."""

    @property
    def value(self) -> float:
        """The median over the blocks."""
        return median(self.values)

    @property
    def kind(self) -> Kind | None:
        """What may be said of it beside Falcon; None where there is nothing to hold it against."""
        return self.ratio.kind(self.p) if self.ratio else None


Blocks = Mapping[str, Mapping[int, Sequence[Figures]]]
"""System, or `falcon again`, -> block -> figures of its runs in it; one run but for Falcon, where all serve."""


def measures(blocks: Blocks) -> tuple[Measure, ...]:
    """Those that are held against Falcon as a ratio: processor, the times of every endpoint, memory."""
    called = letters(endpoints(blocks))
    times = (_time(name, called[name], percentile) for name in called for percentile in ("p50", "p95"))
    return (CPU, *times, MEMORY)


def endpoints(blocks: Blocks) -> tuple[str, ...]:
    """What was polled, in the target's order."""
    runs = (run for own in blocks.values() for runs in own.values() for run in runs)
    return tuple(dict.fromkeys(name for run in runs for name in run.times_ms))


def _time(name: str, called: str, percentile: str) -> Measure:
    return Measure(
        f"response {percentile} of {called}", "ms", lambda one: one.times_ms.get(name, {}).get(percentile), name, percentile
    )


def figures(comparison: Comparison, series: Series) -> Blocks:
    """System -> figures of its runs in a series that count, by block, or by duet, each with some of the reference."""
    duets = _duets(comparison, series)
    if not duets:
        return by_block(comparison.runs, series)
    reference = comparison.asked.reference
    found: dict[str, dict[int, list[Figures]]] = {reference: {}}
    for number, run in enumerate(duets, 1):
        assert run.duet is not None
        assert run.figures is not None
        found[reference][number] = [run.duet.first]
        found.setdefault(AGAIN if run.role == "duet with itself" else run.system, {})[number] = [run.figures]
    return found


def found(comparison: Comparison, series: Series, measure: Measure = CPU) -> list[Standing]:
    """All systems of a series that have the measure, by their duets where there are any, else by blocks; the least first."""
    if not (duets := _duets(comparison, series)):
        return ranked(by_block(comparison.runs, series), measure)
    ratios = {
        AGAIN if run.role == "duet with itself" else run.system: run.duet.ratios.get(measure.of_duet)
        for run in duets
        if run.duet is not None
    }
    if measure.endpoint not in ("", *(run.duet.endpoint for run in duets if run.duet is not None)):
        ratios = dict.fromkeys(ratios)
    values = {name: tuple(_typical(own, measure).values()) for name, own in figures(comparison, series).items()}
    own_p = {name: one.p for name, one in ratios.items() if one is not None and one.p is not None}
    raised = holm({name: p for name, p in own_p.items() if name != AGAIN})
    reference = comparison.asked.reference
    made = [
        Standing(name, own, ratios.get(name), raised.get(name, own_p.get(name)), is_reference=name == reference)
        for name, own in values.items()
        if own
    ]
    return _in_order(made)


def _duets(comparison: Comparison, series: Series) -> list[Run]:
    return [run for run in comparison.runs if run.series.name == series.name and run.duet is not None]


def by_block(runs: Sequence[Run], series: Series) -> Blocks:
    """The runs of a series that count. What Falcon's second run shows is in both, Falcon's and its own."""
    found: dict[str, dict[int, list[Figures]]] = {}
    for run in runs:
        if run.series.name != series.name or run.role not in _RANKED or run.figures is None:
            continue
        for name in (run.system, AGAIN) if run.role == "again" else (run.system,):
            found.setdefault(name, {}).setdefault(run.block, []).append(run.figures)
    return found


_RANKED = ("system", "again", "pool")


def pool(runs: Sequence[Run], series: Series, measure: Measure = CPU) -> dict[int, list[float]]:
    """Block -> figures of all of Falcon's runs in it, whatever they were made for."""
    found: dict[int, list[float]] = {}
    for run in runs:
        ours = run.system == FALCON and run.role in _RANKED and run.series.name == series.name
        if ours and run.figures is not None and (value := measure.of(run.figures)):
            found.setdefault(run.block, []).append(value)
    return found


def ranked(blocks: Blocks, measure: Measure = CPU) -> list[Standing]:
    """All systems that have the measure, the least of it first."""
    values = {name: typical for name, own in blocks.items() if (typical := _typical(own, measure))}
    again = blocks.get(AGAIN, {})
    rest = {
        block: [run for run in runs if all(run is not other for other in again.get(block, ()))]
        for block, runs in blocks.get(FALCON, {}).items()
    }
    return standings(values, itself=_typical(rest, measure))


def _typical(blocks: Mapping[int, Sequence[Figures]], measure: Measure) -> dict[int, float]:
    """Block -> geometric mean of its runs that have the measure; zero, which has no ratio, where one of them is."""
    values = {block: [value for run in runs if (value := measure.of(run)) is not None] for block, runs in blocks.items()}
    return {block: geometric_mean(known) if min(known) > 0 else 0.0 for block, known in values.items() if known}


def standings(values: Mapping[str, Mapping[int, float]], *, itself: Mapping[int, float] | None = None) -> list[Standing]:
    """Standings from system -> block -> value; the least ratio to Falcon first, those without one last.

    Args:
        itself: what Falcon's second run is held against; None for what all others are.
    """
    base = values.get(FALCON, {})
    against = {AGAIN: base if itself is None else itself}
    ratios = {name: ratio(_pairs(own, against.get(name, base))) for name, own in values.items() if name != FALCON}
    own_p = {name: one.p for name, one in ratios.items() if one is not None and one.p is not None}
    raised = holm({name: p for name, p in own_p.items() if name != AGAIN})
    made = [
        Standing(name, tuple(own.values()), ratios.get(name), raised.get(name, own_p.get(name)), is_reference=name == FALCON)
        for name, own in values.items()
    ]
    return _in_order(made)


def _in_order(made: Sequence[Standing]) -> list[Standing]:
    return sorted(made, key=lambda one: (_place(one) is None, _place(one) or one.value))


def _pairs(own: Mapping[int, float], base: Mapping[int, float]) -> list[tuple[float, float]]:
    """The blocks that have both; what is not above zero has no ratio."""
    return [(value, base[block]) for block, value in own.items() if value > 0 and base.get(block, 0) > 0]


def _place(one: Standing) -> float | None:
    return 1.0 if one.is_reference else one.ratio.value if one.ratio else None
