"""What a run was expected to report, beside what its record says.

Record and `Expected` -> one line per figure. The measured figures are those of the run's summary, as everybody reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from experiments.analyse.summary import summarise
from experiments.record.reading import Record
from experiments.record.schema import ENDPOINTS
from experiments.scenario import OWN_ENGINES
from experiments.studies.calibrate.known_answers.expect import PERCENTS, Expected, Figure

_COUNTS = ("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late")
_SHARE = 0.02
_LEAST_MS = 1.0
"""A percentile may be wrong by 2 % of itself or by 1 ms, whichever is more."""


@dataclass(frozen=True)
class Line:
    """One figure, expected and measured."""

    figure: str
    """Such as `status planned`, `bulk failed: reset`, `status response p95`."""
    unit: Literal["", "ms"]
    """Empty for counts."""
    expected: float | None
    """None where a percentile is not supported."""
    measured: float | None
    error: float | None
    """Measured - expected; None where one of them is."""
    limit: float
    """Most that the error may be: 0 for counts, unless the plan leaves one open."""
    ok: bool


def compare(record: Record, expected: Expected) -> tuple[Line, ...]:
    """Holds a record against what its scenario and the server's program made inevitable.

    Counts must be exact, or within the range that is known. Percentiles may be wrong by 2 % or 1 ms.

    Raises:
        RecordError: the record cannot be read.
    """
    found = dict(_measured(record))
    known = {figure.name: figure for figure in expected.figures}
    surprises = [Figure(name, "", 0, 0, 0) for name, value in found.items() if name not in known and value]
    return tuple(
        _line(figure, found.get(figure.name, 0 if not figure.unit else None))
        for figure in (*expected.figures, *surprises)
        if figure.name in found or figure.name not in _EFFORT
        if figure.value is not None or found.get(figure.name) is not None
    )


_EFFORT = ("connects", "checksums")
"""Known of our own connections alone; other transports do not tell."""


def _line(figure: Figure, measured: float | None) -> Line:
    if figure.value is None or figure.low is None or figure.high is None or measured is None:
        return Line(figure.name, figure.unit, figure.value, measured, None, 0.0, ok=False)
    spare = max(_SHARE * figure.value, _LEAST_MS) if figure.unit else 0.0
    limit = max(figure.high - figure.value, figure.value - figure.low) + spare
    ok = figure.low - spare <= measured <= figure.high + spare
    return Line(figure.name, figure.unit, figure.value, measured, measured - figure.value, limit, ok)


def _measured(record: Record) -> Iterator[tuple[str, float | None]]:
    summary: Mapping[str, Any] = summarise(record)["endpoints"]
    for endpoint in ENDPOINTS:
        figures = summary[endpoint]
        yield from ((f"{endpoint} {name}", figures[name]) for name in _COUNTS)
        yield from ((f"{endpoint} failed: {reason}", number) for reason, number in figures["failures"].items())
        for kind in ("response", "latency"):
            yield from ((f"{endpoint} {kind} p{percent:g}", figures[f"{kind}_ms"][f"p{percent:g}"]) for percent in PERCENTS)
    generator = record.facts.get("generator", {})
    if generator.get("engine") in OWN_ENGINES:
        for name in _EFFORT:
            yield name, sum(instance.get(name) or 0 for instance in generator["instances"])
