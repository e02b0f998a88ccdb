"""How long polls took: percentiles that say how sure they are, and the curve through all of them.

Prepared polls -> seconds. A percentile is an order statistic of rows, never an average of
percentiles, and is not given where fewer than ten polls lie beyond it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import polars as pl

from experiments.record.schema import UNANSWERED

PERCENTS = (50.0, 90.0, 95.0, 99.0, 99.9)

_BEYOND = 10
"""Fewest polls beyond a percentile for it to be given; design rule of the lab."""
_Z95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: two-sided 95 %."""
_CURVE_POINTS = 200


@dataclass(frozen=True)
class Percentile:
    """One percentile, in seconds."""

    percent: float
    """0-100."""
    value_s: float | None
    """Null where too few polls support it, and so are the bounds."""
    low_s: float | None
    """Bounds of the 95 % interval of this run's percentile; see `interval_ranks`."""
    high_s: float | None


def population(polls: pl.DataFrame, endpoint: str, kind: Literal["response", "latency"] = "response") -> pl.Series:
    """The times that percentiles of an endpoint are about, in seconds.

    Answered right, or not answered at all: the latter at the time already waited. Errors that were
    answered fast would flatter the server; they are counted elsewhere, not timed.

    Args:
        kind: `response` (since due) or `latency` (since sent; unsent polls have none).
    """
    timed = (pl.col("endpoint") == endpoint) & pl.col("outcome").is_in(("ok", *UNANSWERED))
    return polls.filter(timed)[f"{kind}_s"].drop_nulls()


def percentiles(values: pl.Series, percents: tuple[float, ...] = PERCENTS) -> tuple[Percentile, ...]:
    """Nearest-rank percentiles with their intervals, unsupported ones null.

    Args:
        values: seconds, in any order, without nulls.
        percents: 0-100, below 100.
    """
    ordered = values.sort()
    return tuple(_percentile(ordered, percent) for percent in percents)


def _percentile(ordered: pl.Series, percent: float) -> Percentile:
    count = len(ordered)
    if not supported(count, percent):
        return Percentile(percent, None, None, None)
    low, high = interval_ranks(count, percent)
    ranks = (nearest_rank(count, percent), low, high)
    return Percentile(percent, *(float(ordered[rank - 1]) for rank in ranks))


def supported(count: int, percent: float) -> bool:
    """Whether n(1 - p) >= 10, computed without rounding: 100 polls do support the 90th percentile."""
    return count * (100 - _exact(percent)) >= 100 * _BEYOND


def nearest_rank(count: int, percent: float) -> int:
    """ceil(p n), from 1: the smallest value that at least p of all do not exceed.

    Source: Hyndman & Fan, "Sample Quantiles in Statistical Packages", 1996, definition 1.
    """
    return max(1, math.ceil(_exact(percent) * count / 100))


def interval_ranks(count: int, percent: float) -> tuple[int, int]:
    """Ranks of the two order statistics that hold the true percentile between them 95 times in 100.

    The number of values below the true percentile is binomial(n, p); here by the normal
    approximation with continuity correction: floor(np - z s + 1/2) and ceil(np + z s + 1/2) with
    s = sqrt(np(1 - p)). It takes polls for independent, which within one run they are not quite: it
    says how well these polls pin the percentile down, not what another run would give.

    Source: Conover, "Practical Nonparametric Statistics", 3rd ed., section 3.2; Hahn & Meeker,
    "Statistical Intervals", 1991, section 5.2.
    """
    p = percent / 100
    spread = _Z95 * math.sqrt(count * p * (1 - p))
    low = math.floor(count * p - spread + 0.5)
    high = math.ceil(count * p + spread + 0.5)
    return max(1, low), min(count, high)


def curve(values: pl.Series) -> pl.DataFrame:
    """The percentile curve, as far as it is supported: its last point has ten polls beyond it.

    Returns:
        frame(percent, tail, value_s): about 200 points, evenly spaced in log(tail), where
        tail = 1 / (1 - p) is 10 for p90, 100 for p99, 1000 for p99.9. Empty below ten values.
    """
    count = len(values)
    if count < _BEYOND:
        return pl.DataFrame(schema={"percent": pl.Float64, "tail": pl.Float64, "value_s": pl.Float64})
    furthest = math.log10(count / _BEYOND)
    steps = _CURVE_POINTS - 1 if furthest else 0
    tails = pl.Series([10 ** (furthest * step / max(1, steps)) for step in range(steps + 1)])
    ranks = (count * (1 - 1 / tails)).ceil().cast(pl.Int64).clip(1, count)
    points = {"percent": 100 * (1 - 1 / tails), "tail": tails, "value_s": values.sort().gather(ranks - 1)}
    return pl.DataFrame(points).with_columns(pl.col("value_s").cast(pl.Float64))


def _exact(percent: float) -> Fraction:
    return Fraction(str(percent))
