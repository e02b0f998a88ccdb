"""Axes with sensible ranges: time in the unit that fits the window, milliseconds on a log scale where spread demands it.

The conversion from the record's seconds happens here and nowhere else in the charts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.present.format import plain, significant

LOG_FROM = 20.0
"""Highest : lowest value from which a linear axis would flatten what is low."""

_STEPS = ((2.3, (1, 2, 5)), (3.6, (1, 3)), (math.inf, (1,)))
"""Up to so many decades: which multiples of a power of ten are labelled."""

_NINES = {f"{round(100 * p, 6):g} %": p for p in (0.0, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)}
"""What a percentile axis labels: `99.9 %`, with all its nines."""


@dataclass(frozen=True)
class TimeAxis:
    """Seconds since the window began, in the unit in which the window is a handy number."""

    window_s: float

    @property
    def unit(self) -> str:
        return "h" if self.window_s > 3 * 3600 else "min" if self.window_s > 300 else "s"

    @property
    def seconds(self) -> float:
        """Seconds in one unit."""
        return {"h": 3600.0, "min": 60.0, "s": 1.0}[self.unit]

    @property
    def title(self) -> str:
        return f"time into the window, {self.unit}"

    def moment(self, time_s: float) -> str:
        """`second 12`, `minute 3.4`: a time in words, in this axis's unit."""
        word = {"h": "hour", "min": "minute", "s": "second"}[self.unit]
        return f"{word} {plain(significant(time_s / self.seconds))}"

    def values(self, times_s: Iterable[float]) -> list[float]:
        """Places on this axis."""
        return [round(time_s / self.seconds, 4) for time_s in times_s]

    def layout(self) -> dict[str, Any]:
        """Settings of the x axis: the whole window, no more."""
        return {"range": [0, round(self.window_s / self.seconds, 4)], "ticksuffix": "", "hoverformat": ",.4~r"}


def step_of(window_s: float, at_least_s: float) -> float:
    """A handy step of time, at least so long, that divides the window."""
    power = 10.0 ** math.floor(math.log10(at_least_s))
    handy = next(m * power for m in (1, 2, 5, 10) if m * power >= at_least_s * 0.9999)
    return window_s / max(1, math.floor(window_s / handy * 1.0001))


HOVER_MS = "%{y:,.3~r} ms"
"""A time as a hover says it: three significant digits and no prefix, since `320m ms` is nobody's unit."""


def milliseconds(values_s: Iterable[float | None]) -> list[float | None]:
    """Seconds of the record as milliseconds with four significant digits."""
    return [None if value is None else significant(value * 1000, 4) for value in values_s]


def known(*series: Iterable[float | None]) -> list[float]:
    """The values that are there, of all series."""
    return [value for one in series for value in one if value is not None]


def spread_layout(values: Sequence[float], *, floor: float = 1e-3) -> dict[str, Any]:
    """Settings of a y axis for values above zero: from zero if they lie close together, else logarithmic.

    Args:
        values: everything that is drawn; what lies below `floor` counts as `floor`.
        floor: the smallest value worth telling from zero (for milliseconds: the microsecond).
    """
    seen = [max(value, floor) for value in values]
    if not seen or max(seen) / min(seen) < LOG_FROM:
        return from_zero(seen)
    low, high = math.log10(min(seen) * 0.8), math.log10(max(seen) * 1.25)
    ticks = log_ticks(low, high)
    return {
        "type": "log",
        "range": [round(low, 3), round(high, 3)],
        "tickvals": ticks,
        "ticktext": [plain(tick) for tick in ticks],
    }


def from_zero(values: Sequence[float], least: float = 0.0) -> dict[str, Any]:
    """Settings of a y axis that begins at zero, ends above the highest value, and at `least` or more."""
    top = max([*values, least]) or 1.0
    return {"range": [0, significant(top * 1.1, 4)], "nticks": 5}


def whole_from_zero(values: Sequence[float]) -> dict[str, Any]:
    """The same for counts: no ticks between two whole numbers."""
    few = {"dtick": 1} if max(values, default=0) <= 4 else {}
    return {**from_zero(values), **few, "tickformat": ",d"}


def log_ticks(low: float, high: float) -> list[float]:
    """Round values between two powers of ten, few enough to be read."""
    steps = next(steps for decades, steps in _STEPS if high - low <= decades)
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [significant(step * 10.0**power) for power in powers for step in steps]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def percentile_layout(tails: Iterable[float], title: str, *, small: bool = False) -> dict[str, Any]:
    """An axis of percentiles that gives every further nine the same room, up to the last one that is reached.

    Args:
        tails: 1 / (1 - p) of the last percentile of each line; `analyse.latency.curve` has them as `tail`.
        small: there is no room for a label between half and 90 %.
    """
    last = max(math.log10(tail) for tail in tails)
    labelled = {name: -math.log10(1 - p) for name, p in _NINES.items() if not (small and p == 0.75)}
    ticks = {name: place for name, place in labelled.items() if place <= last + 0.05}
    return {
        "range": [0, last * 1.02 or 1],
        "tickvals": [round(place, 4) for place in ticks.values()],
        "ticktext": list(ticks),
        "title": {"text": title},
    }
