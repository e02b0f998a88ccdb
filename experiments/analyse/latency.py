"""How long polls took: percentiles that say how sure they are, and the curve through all of them.

Prepared polls -> seconds. A percentile is an order statistic of rows, never an average of
percentiles, and is not given where fewer than ten polls lie beyond it.

A poll without an answer has waited for a known time, and would have taken longer: its time is censored (type I, on the
right). Nothing is assumed of how much longer. So two orders bound the true one: with every censored poll at the time that it
waited, each order statistic is a lower bound; with every censored poll beyond all others, an upper one. The figure given is
the lower bound. It counts as known where the upper bound lies within the interval that sampling leaves open anyway; else it
is marked as censored, and reads "longer than".

Source: Klein & Moeschberger, "Survival Analysis", 2nd ed., section 3.2 (type I censoring); Kaplan & Meier, "Nonparametric
Estimation from Incomplete Observations", JASA 53, 1958 (answered before censored where both took equally long). Their
estimate lies between the two bounds; it is not used, since it takes polls that were given up for as quick as the others.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import polars as pl

from experiments.analyse.passes import spread
from experiments.analyse.passes.spread import Spread
from experiments.record.schema import UNANSWERED

PERCENTS = (50.0, 90.0, 95.0, 99.0, 99.9)

_BEYOND = 10
"""Fewest polls beyond a percentile for it to be given; design rule of the lab."""
Z95 = 1.959963984540054
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
    censored: bool = False
    """The true percentile is longer than `value_s`, by how much is not known."""
    open_ended: bool = False
    """No upper bound is known: `high_s` rests on polls that were never answered, and is a lower bound itself."""


@dataclass(frozen=True)
class Times:
    """How long polls took, in seconds: each time that occurred, in ascending order, and how many polls took no longer."""

    values: pl.Series
    waited: pl.Series
    """Polls that took no longer, censored ones at the time that they had waited."""
    answered: pl.Series
    """Of these, those that were answered."""
    total_s: float
    """Sum over all polls."""
    longest_s: float | None
    off_by: float = 0.0
    """By how much, as a share of it, a time may be longer than the exact one; see `passes.spread`."""

    @classmethod
    def of(cls, waited: pl.Series, answered: pl.Series | None = None) -> Times:
        """From single times, in any order, without nulls.

        Args:
            waited: of all polls.
            answered: of the answered ones alone; None where all were.
        """
        known = Spread(most=len(waited))
        known.add(pl.DataFrame({"value": waited.cast(pl.Float64)}).with_columns(answered=pl.lit(answered is None)))
        if answered is None:
            return cls.counted(known)
        answers = pl.DataFrame({"value": answered.cast(pl.Float64)}).with_columns(polls=0, answered=1)
        frames = [known.frame().select(answers.columns), answers]
        both = pl.concat(frames, how="vertical_relaxed").group_by("value")
        return cls._of_frame(both.agg(pl.col("polls", "answered").sum()).sort("value"), known)

    @classmethod
    def counted(cls, counts: Spread) -> Times:
        """From what was counted, of one group."""
        return cls._of_frame(counts.frame(), counts)

    @classmethod
    def together(cls, each: Sequence[Times]) -> Times:
        """The polls of several runs, at least one, as those of one."""
        summed = pl.concat(one.frame for one in each).group_by("value").agg(pl.col("polls", "answered").sum()).sort("value")
        waited, answered = summed["polls"].cum_sum(), summed["answered"].cum_sum()
        off_by = max(one.off_by for one in each)
        longest = max((one.longest_s for one in each if one.longest_s is not None), default=None)
        return cls(summed["value"], waited, answered, math.fsum(one.total_s for one in each), longest, off_by)

    @classmethod
    def _of_frame(cls, frame: pl.DataFrame, counts: Spread) -> Times:
        waited, answered = frame["polls"].cum_sum(), frame["answered"].cum_sum()
        return cls(frame["value"], waited, answered, counts.total_s, counts.longest_s, counts.off_by)

    @property
    def frame(self) -> pl.DataFrame:
        """As they were counted: frame(value, polls, answered)."""
        reached = pl.DataFrame({"value": self.values, "polls": self.waited, "answered": self.answered})
        return reached.with_columns(pl.col(name).diff().fill_null(pl.col(name)) for name in ("polls", "answered"))

    @property
    def singly(self) -> pl.Series:
        """The time of every single poll, in ascending order: for small runs."""
        return self.frame.select(pl.col("value").repeat_by("polls").list.explode()).to_series()

    def __len__(self) -> int:
        return int(self.waited[-1]) if len(self.waited) else 0

    @property
    def answers(self) -> int:
        """How many were answered."""
        return int(self.answered[-1]) if len(self.answered) else 0

    @property
    def censored(self) -> bool:
        """Whether any poll was never answered; mean and maximum are lower bounds then."""
        return self.answers < len(self)

    @property
    def mean_s(self) -> float | None:
        return self.total_s / len(self) if len(self) else None

    def waited_at(self, rank: int) -> float:
        """The time at a rank, from 1, among all polls."""
        # PERF: ten steps of Python, where a search by polars takes longer to begin.
        return float(self.values[bisect_left(self.waited, rank)])

    def answered_at(self, rank: int) -> float:
        """The time at a rank, from 1, among the answered polls."""
        return float(self.values[bisect_left(self.answered, rank)])

    def answered_within(self, most: pl.Expr) -> int:
        """Answered polls whose `value`, in seconds, fulfils this; of a limit all that lie below it do."""
        values = pl.DataFrame({"value": self.values, "answered": self.answered})
        return int(values.filter(most).select(pl.col("answered").max()).item() or 0)


def times(polls: pl.DataFrame, endpoint: str, kind: Literal["response", "latency"] = "response") -> Times:
    """The times that percentiles of an endpoint are about, with what is known of each; see `population`."""
    answered = polls.filter(pl.col("outcome") == "ok")
    return Times.of(population(polls, endpoint, kind), population(answered, endpoint, kind))


def population(polls: pl.DataFrame, endpoint: str, kind: Literal["response", "latency"] = "response") -> pl.Series:
    """The times that percentiles of an endpoint are about, in seconds.

    Answered right, or not answered at all: the latter at the time already waited. Errors that were
    answered fast would flatter the server; they are counted elsewhere, not timed.

    Args:
        kind: `response` (since due) or `latency` (since sent; unsent polls have none).
    """
    timed = (pl.col("endpoint") == endpoint) & pl.col("outcome").is_in(("ok", *UNANSWERED))
    return polls.filter(timed)[f"{kind}_s"].drop_nulls()


def percentiles(values: pl.Series | Times, percents: tuple[float, ...] = PERCENTS) -> tuple[Percentile, ...]:
    """Nearest-rank percentiles with their intervals, unsupported ones null.

    Args:
        values: seconds, in any order, without nulls; a plain series has nothing censored.
        percents: 0-100, below 100.
    """
    known = values if isinstance(values, Times) else Times.of(values)
    return tuple(_percentile(known, percent) for percent in percents)


def _percentile(known: Times, percent: float) -> Percentile:
    count = len(known)
    if not supported(count, percent):
        return Percentile(percent, None, None, None)
    low, high = interval_ranks(count, percent)
    at, most, end = nearest_rank(count, percent), known.answers, known.waited_at(high)
    bound = known.answered_at(at) if at <= most else math.inf
    open_ended = high > most
    return Percentile(
        percent,
        value_s=known.waited_at(at),
        low_s=known.waited_at(low),
        high_s=end if open_ended else known.answered_at(high),
        censored=bound > end,
        open_ended=open_ended,
    )


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
    spread = Z95 * math.sqrt(count * p * (1 - p))
    low = math.floor(count * p - spread + 0.5)
    high = math.ceil(count * p + spread + 0.5)
    return max(1, low), min(count, high)


def high_rank(percent: int) -> pl.Expr:
    """The upper one of `interval_ranks`, of a group of a spread's frame."""
    count, p = spread.count(), percent / 100
    return (count * p + Z95 * (count * p * (1 - p)).sqrt() + 0.5).ceil().cast(pl.Int64)


def curve(values: pl.Series | Times) -> pl.DataFrame:
    """The percentile curve, as far as it is supported: its last point has ten polls beyond it.

    Returns:
        frame(percent, tail, value_s, censored): about 200 points, evenly spaced in log(tail), where
        tail = 1 / (1 - p) is 10 for p90, 100 for p99, 1000 for p99.9. Empty below ten values. From the first point
        that is `censored` on, all are: the times are longer than `value_s`.
    """
    known = values if isinstance(values, Times) else Times.of(values)
    count = len(known)
    if count < _BEYOND:
        kinds = dict.fromkeys(("percent", "tail", "value_s"), pl.Float64)
        return pl.DataFrame(schema={**kinds, "censored": pl.Boolean})
    furthest = math.log10(count / _BEYOND)
    steps = _CURVE_POINTS - 1 if furthest else 0
    tails = pl.Series([10 ** (furthest * step / max(1, steps)) for step in range(steps + 1)])
    ranks = (count * (1 - 1 / tails)).ceil().cast(pl.Int64).clip(1, count)
    values = known.values.gather(known.waited.search_sorted(ranks))
    points = {"percent": 100 * (1 - 1 / tails), "tail": tails, "value_s": values}
    censored = pl.Series([_beyond_the_interval(known, rank) for rank in ranks], dtype=pl.Boolean)
    return pl.DataFrame(points).with_columns(pl.col("value_s").cast(pl.Float64), censored=censored.cum_max())


def _beyond_the_interval(known: Times, rank: int) -> bool:
    """Whether the order statistic may be longer than sampling leaves open; see `_percentile`."""
    if not known.censored:
        return False
    _, high = interval_ranks(len(known), 100 * rank / len(known))
    return rank > known.answers or known.answered_at(rank) > known.waited_at(max(rank, high))


def _exact(percent: float) -> Fraction:
    return Fraction(str(percent))
