"""What a line over time did, in words: stayed, rose, fell, or rose once and came back.

Numbers in, a sentence without its full stop out: the title of a chart is made of it, never written beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from experiments.present.format import number

APART = 2.0
"""Factor from which two values of a line count as different: chance alone moves a percentile by less, as a rule."""
_QUARTER = 4
_PERCENTILE = re.compile(r"p\d")
"""What is written small also at the beginning of a sentence."""


@dataclass(frozen=True)
class Line:
    """A line over time."""

    name: str
    """`p99 of A`."""
    times_s: Sequence[float]
    values: Sequence[float | None]
    """In the unit that is said; None where nothing is known."""
    unit: str = "ms"
    longer: Sequence[bool] = ()
    """Whether a value is only a lower bound; empty where none is."""
    least: float = 0.0
    """Values below are all alike: nobody minds whether it is a tenth of that."""


def course(line: Line, moment: Callable[[float], str]) -> str:
    """`p99 of A rose from 1.02 to 40.1 ms at second 12 and came back`; empty where nothing is known.

    Args:
        moment: time in seconds -> `second 12`.
    """
    known = [(t_s, value) for t_s, value in zip(line.times_s, line.values, strict=True) if value is not None]
    if not known:
        return ""
    values = [value for _, value in known]
    low, high, usual = min(values), max(values), median(values)
    quarter = max(1, len(values) // _QUARTER)
    first, last = median(values[:quarter]), median(values[-quarter:])
    at = known[values.index(high)][0]
    top = f"{'more than ' if _longer(line, at) else ''}{number(high)} {line.unit}"
    if _apart(first, last, line):
        begun = next(t_s for t_s, value in known if _apart(first, value, line))
        return f"{line.name} rose from {number(first)} to {top}, from {moment(begun)} on, and did not come back"
    if _apart(last, first, line):
        return f"{line.name} fell from {top} at {moment(at)} to {number(last)} {line.unit}"
    if _apart(usual, high, line):
        return f"{line.name} rose from {number(usual)} to {top} at {moment(at)}, and came back"
    return _stayed(line, low, high)


def _apart(low: float, high: float, line: Line) -> bool:
    return max(high, line.least) >= APART * max(low, line.least) > 0 or (low <= 0 < line.least < high)


def _longer(line: Line, at: float) -> bool:
    return bool(line.longer) and line.longer[list(line.times_s).index(at)]


def _stayed(line: Line, low: float, high: float) -> str:
    ends = number(low), number(high)
    if ends[0] == ends[1]:
        return f"{line.name} stayed at {ends[1]} {line.unit}"
    word = "lay" if _apart(low, high, line) else "stayed"
    return f"{line.name} {word} between {ends[0]} and {ends[1]} {line.unit}"


def eventfulness(line: Line) -> float:
    """How much a line moved: its highest value beside its usual one; 0 where nothing is known."""
    known = [max(value, line.least) for value in line.values if value is not None]
    return max(known) / (median(known) or 1.0) if known else 0.0


def sentence(*parts: str) -> str:
    """Parts that are not empty, joined, with one capital and one full stop."""
    said = "; ".join(part.rstrip(".") for part in parts if part)
    first = said[:1] if _PERCENTILE.match(said) else said[:1].upper()
    return f"{first}{said[1:]}." if said else ""
