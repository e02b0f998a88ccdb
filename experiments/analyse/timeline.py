"""What happened when: polls counted and timed in bins of time.

Prepared polls, batch by batch -> one row a bin. `t_s` is the beginning of a bin, in seconds from the start of the
measured window; a bin without polls has no row unless said otherwise. Percentiles of a bin are exact, or longer than the
exact ones by no more than a spread's `off_by`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

import polars as pl

from experiments.analyse import latency
from experiments.analyse.passes import spread
from experiments.analyse.passes.spread import Spread
from experiments.analyse.passes.sums import Sums
from experiments.analyse.polls import WAS_SENT
from experiments.record.schema import UNANSWERED, UNSENT

_NICE_S = tuple(mantissa * 10**power for power in range(-1, 5) for mantissa in (1, 2, 3, 5))
_MOST_BINS = 300
_FEWEST_BINS = 10
_POLLS_FOR_P95, _POLLS_FOR_P99 = 300, 1100
"""More than the 200 and 1,000 that these percentiles need, so that chance leaves most bins with enough."""
_ENOUGH_BINS = 15
"""So many points still show when something happened."""
_TIMED = pl.col("outcome").is_in(("ok", *UNANSWERED))


def choose_bin(window_s: float, counts: Iterable[int]) -> float:
    """Length of a bin in seconds.

    Long enough that p99 of the rarer endpoint is mostly supported, or where that would leave fewer
    than 15 bins, p95. There are at most 300 bins and at least 10. It divides the window, so that no
    bin is a part.

    Args:
        counts: polls of each endpoint; those of one alone, if the bins are for it alone.
    """
    if window_s <= 0:
        return 1.0
    rarest = min((count for count in counts if count), default=0)
    polls_a_bin = _POLLS_FOR_P99 if rarest >= _ENOUGH_BINS * _POLLS_FOR_P99 else _POLLS_FOR_P95
    needed = window_s * polls_a_bin / max(1, rarest)
    needed = min(max(needed, window_s / _MOST_BINS), window_s / _FEWEST_BINS)
    nice = min((length for length in _NICE_S if length >= needed), default=needed)
    return window_s / min(max(round(window_s / nice), _FEWEST_BINS), _MOST_BINS)


class Fold(Protocol):
    """What is made of measured polls, batch by batch."""

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""

    def frame(self) -> pl.DataFrame:
        """What came of all batches."""
        ...


class ResponseOverTime:
    """Response percentiles of an endpoint by the time at which polls were due.

    Args:
        last_due_s: when the last round of the window was due.
    """

    def __init__(self, endpoint: str, bin_s: float, last_due_s: float) -> None:
        self._timed = _TIMED & (pl.col("endpoint") == endpoint)
        self._bin_s, self._due = bin_s, _due(last_due_s)
        self._times = Spread()

    @property
    def off_by(self) -> float:
        """By how much, as a share of it, a percentile may be longer than the exact one."""
        return self._times.off_by

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        timed = polls.lazy().filter(self._timed)
        group = _number(self._due, self._bin_s)
        self._times.add(timed.select(group=group, value="response_s", answered=pl.col("outcome") == "ok").collect())

    def frame(self) -> pl.DataFrame:
        """What came of all batches.

        Returns:
            frame(t_s, n, p50_s, p95_s, p99_s, p50_censored, p95_censored, p99_censored); null where n(1 - p) < 10.
            A percentile that is censored is longer than its number, see `latency`: towards the end of a window it falls
            merely because polls that came due late have had little time to wait.
        """
        percents = (50, 95, 99)
        return _by_bin(
            self._times,
            self._bin_s,
            **{f"p{percent}_s": spread.percentile(percent) for percent in percents},
            **{f"p{percent}_censored": spread.censored(percent, latency.high_rank(percent)) for percent in percents},
        )


class LagOverTime:
    """The generator's lag by the time at which polls were ready to be sent."""

    def __init__(self, bin_s: float) -> None:
        self._bin_s, self._times = bin_s, Spread()
        self._most = Sums(("group",), {"max_s": pl.col("value").max()}, most=("max_s",))

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        sent = polls.lazy().filter(pl.col("lag_s").is_not_null())
        group = _number(pl.col("ready_s"), self._bin_s)
        timed = sent.select(group=group, value="lag_s", answered=pl.lit(value=True)).collect()
        self._times.add(timed)
        self._most.add(timed)

    def frame(self) -> pl.DataFrame:
        """frame(t_s, n, p50_s, p99_s, max_s); percentiles are null where n(1 - p) < 10."""
        percents = {f"p{percent}_s": spread.percentile(percent) for percent in (50, 99)}
        slowest = _by_bin_s(self._most.frame(), self._bin_s)
        return _by_bin(self._times, self._bin_s, **percents).join(slowest, on="t_s", maintain_order="left")


def _by_bin(times: Spread, bin_s: float, **figures: pl.Expr) -> pl.DataFrame:
    each = times.frame().group_by("group", maintain_order=True).agg(n=spread.count(), **figures)
    return _by_bin_s(each, bin_s)


def _by_bin_s(each: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    """The number of a bin as its beginning."""
    return each.select((pl.col("group") * bin_s).alias("t_s"), pl.all().exclude("group"))


class PlannedOverTime:
    """How many polls were due."""

    def __init__(self, bin_s: float, last_due_s: float) -> None:
        self._bin = _bin(_due(last_due_s), bin_s)
        self._sums = Sums(("t_s", "endpoint"), {"polls": pl.len()})

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        self._sums.add(polls.select("endpoint", self._bin))

    def frame(self) -> pl.DataFrame:
        """frame(t_s, endpoint, polls)."""
        return self._sums.frame().sort("t_s", "endpoint")


class OutcomesOverTime:
    """How polls ended, at the time at which they did; unsent ones at the time at which they were due.

    Polls in flight when the window closes end after it, so bins may lie beyond the window.
    """

    def __init__(self, bin_s: float) -> None:
        self._bin = _bin(pl.when(WAS_SENT).then("done_s").otherwise("due_s"), bin_s)
        self._order = ("t_s", "endpoint", "outcome", "status", "failed_check")
        # PERF: most polls are ok, and of those three of the five are known.
        self._ok = Sums(("t_s", "endpoint"), {"polls": pl.len()})
        self._others = Sums(self._order, {"polls": pl.len()})

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        ok, error = pl.col("outcome") == "ok", pl.col("outcome") == "http_error"
        self._ok.add(polls.lazy().filter(ok).select(self._bin, "endpoint").collect())
        status = pl.when(error).then("status").alias("status")
        check = pl.when(~error).then(pl.col("failed_check").cast(pl.String)).alias("failed_check")
        others = polls.lazy().filter(~ok).select(self._bin, "endpoint", "outcome", status, check)
        self._others.add(others.collect())

    def frame(self) -> pl.DataFrame:
        """What came of all batches.

        Returns:
            frame(t_s, endpoint, outcome, status, failed_check, polls); `status` is null but where it is why a poll failed
            (http_error), `failed_check` but where a complete answer was refused for another reason.
        """
        others = self._others.frame()
        kinds = others.schema
        named = {"outcome": pl.lit("ok", dtype=kinds["outcome"])}
        named |= {name: pl.lit(None, dtype=kinds[name]) for name in ("status", "failed_check")}
        ok = self._ok.frame().with_columns(**named).select(others.columns)
        return pl.concat([ok, others]).sort(self._order)


class SlowestByClient:
    """For a map of devices against time: the slowest response, and what had no right answer.

    Args:
        devices: how many there are, by the highest number.
        rows: most rows of the map; neighbouring devices share one where there are more devices.
    """

    def __init__(self, bin_s: float, last_due_s: float, devices: int, rows: int = 200) -> None:
        self._devices, self._together = devices, math.ceil(devices / max(1, rows))
        self._bin = _bin(_due(last_due_s), bin_s)
        unanswered = WAS_SENT & pl.col("outcome").is_in(UNANSWERED)
        failed = WAS_SENT & (pl.col("outcome") != "ok") & ~unanswered
        cell = ("first_client", "t_s")
        self._slowest = Sums(cell, {"slowest_s": pl.col("response_s").filter(_TIMED).max()}, most=("slowest_s",))
        self._lost = Sums(
            cell,
            {
                "censored": pl.col("outcome").is_in(UNANSWERED).any(),
                "failed": failed.sum(),
                "unanswered": unanswered.sum(),
                "unsent": pl.col("outcome").is_in(UNSENT).sum(),
            },
            most=("censored",),
        )

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch."""
        first = (pl.col("client") // self._together * self._together).alias("first_client")
        placed = polls.select(first, self._bin, "response_s", "outcome")
        self._slowest.add(placed)
        self._lost.add(placed.filter(pl.col("outcome") != "ok"))

    def frame(self) -> pl.DataFrame:
        """What came of all batches.

        Returns:
            frame(first_client, clients, t_s, slowest_s, censored, failed, unanswered, unsent), by the time at which
            polls were due. `slowest_s` covers what percentiles cover and is null where there is nothing of it;
            `censored`: it is only known to be longer. `failed` counts polls that were sent and came to another end
            than an answer or a timeout, `unanswered` those that timed out, `unsent` those never sent.
        """
        cells = self._slowest.frame().join(self._lost.frame(), on=["first_client", "t_s"], how="left")
        counts = ("failed", "unanswered", "unsent")
        return (
            cells.with_columns(
                pl.col("censored").fill_null(value=False),
                pl.col(counts).fill_null(0),
                clients=pl.min_horizontal(pl.lit(self._together), self._devices - pl.col("first_client")),
            )
            .select("first_client", "clients", "t_s", "slowest_s", "censored", *counts)
            .sort("first_client", "t_s")
        )


def _due(last_due_s: float) -> pl.Expr:
    """When a poll was due. The second one of the last round may be due after the window has closed, and belongs to it."""
    return pl.min_horizontal("due_s", pl.lit(last_due_s))


def _number(time_s: pl.Expr, bin_s: float) -> pl.Expr:
    """The number of the bin that a time falls into."""
    return (time_s / bin_s).floor().cast(pl.Int64)


def _bin(time_s: pl.Expr, bin_s: float) -> pl.Expr:
    """The beginning of the bin that a time falls into."""
    return ((time_s / bin_s).floor() * bin_s).alias("t_s")
