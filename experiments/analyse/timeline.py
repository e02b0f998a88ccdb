"""What happened when: polls counted and timed in bins of time.

Prepared polls -> one row a bin. `t_s` is the beginning of a bin, in seconds from the start of the
measured window; a bin without polls has no row unless said otherwise.
"""

from __future__ import annotations

import math

import polars as pl

from experiments.analyse import latency
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
_DUE_S = pl.min_horizontal("due_s", pl.col("first_due_s").max())
"""When a poll was due. The second of a last round may be due after the window has closed, and belongs to it all the same."""


def choose_bin(window_s: float, polls: pl.DataFrame) -> float:
    """Length of a bin in seconds.

    Long enough that p99 of the rarer endpoint is mostly supported, or where that would leave fewer
    than 15 bins, p95. There are at most 300 bins and at least 10. It divides the window, so that no
    bin is a part.

    Args:
        polls: prepared polls; those of one endpoint alone, if the bins are for it alone.
    """
    if window_s <= 0:
        return 1.0
    counts = polls["endpoint"].value_counts()["count"]
    rarest = min(counts, default=0)
    polls_a_bin = _POLLS_FOR_P99 if rarest >= _ENOUGH_BINS * _POLLS_FOR_P99 else _POLLS_FOR_P95
    needed = window_s * polls_a_bin / max(1, rarest)
    needed = min(max(needed, window_s / _MOST_BINS), window_s / _FEWEST_BINS)
    nice = min((length for length in _NICE_S if length >= needed), default=needed)
    return window_s / min(max(round(window_s / nice), _FEWEST_BINS), _MOST_BINS)


def response_over_time(polls: pl.DataFrame, endpoint: str, bin_s: float) -> pl.DataFrame:
    """Response percentiles of an endpoint by the time at which polls were due.

    Returns:
        frame(t_s, n, p50_s, p95_s, p99_s, p50_censored, p95_censored, p99_censored); null where n(1 - p) < 10.
        A percentile that is censored is longer than its number, see `latency`: towards the end of a window it falls
        merely because polls that came due late have had little time to wait.
    """
    timed = polls.filter(_TIMED & (pl.col("endpoint") == endpoint))
    return (
        timed.group_by(_bin(_DUE_S, bin_s))
        .agg(
            n=pl.len(),
            **{f"p{percent}_s": percentile_of("response_s", percent) for percent in (50, 95, 99)},
            **{f"p{percent}_censored": censored("response_s", percent) for percent in (50, 95, 99)},
        )
        .sort("t_s")
    )


def percentile_of(column: str, percent: int) -> pl.Expr:
    """Nearest-rank percentile of a group, null where fewer than ten lie beyond; exact for whole percents."""
    rank = (pl.len().cast(pl.Int64) * percent + 99) // 100
    value = pl.col(column).sort().get((rank - 1).clip(0), null_on_oob=True)
    return pl.when(pl.len() * (100 - percent) >= 1000).then(value)


def censored(column: str, percent: int) -> pl.Expr:
    """Whether the percentile of a group is only known to be longer, by the rule of `latency`; null where it is."""
    count, p = pl.len().cast(pl.Int64), percent / 100
    rank = (count * percent + 99) // 100
    high = (count * p + latency.Z95 * (count * p * (1 - p)).sqrt() + 0.5).ceil().cast(pl.Int64).clip(rank, count)
    answered = pl.col(column).filter(pl.col("outcome") == "ok").sort()
    bound = answered.get((rank - 1).clip(0), null_on_oob=True).fill_null(float("inf"))
    end = pl.col(column).sort().get((high - 1).clip(0), null_on_oob=True)
    return pl.when(count * (100 - percent) >= 1000).then(bound > end)


def planned_over_time(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    """How many polls were due: frame(t_s, endpoint, polls)."""
    return polls.group_by(_bin(_DUE_S, bin_s), "endpoint").agg(polls=pl.len()).sort("t_s", "endpoint")


def outcomes_over_time(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    """How polls ended, at the time at which they did; unsent ones at the time at which they were due.

    Polls in flight when the window closes end after it, so bins may lie beyond the window.

    Returns:
        frame(t_s, endpoint, outcome, status, failed_check, polls); `status` is null but where it is why a poll failed
        (http_error), `failed_check` but where a complete answer was refused for another reason.
    """
    ended = polls.with_columns(ended_s=pl.when(WAS_SENT).then("done_s").otherwise("due_s"))
    error = pl.col("outcome") == "http_error"
    status = pl.when(error).then("status").alias("status")
    check = pl.when(~error).then(pl.col("failed_check").cast(pl.String)).alias("failed_check")
    groups = ended.group_by(_bin(pl.col("ended_s"), bin_s), "endpoint", "outcome", status, check)
    return groups.agg(polls=pl.len()).sort("t_s", "endpoint", "outcome", "status", "failed_check")


def lag_over_time(polls: pl.DataFrame, bin_s: float) -> pl.DataFrame:
    """The generator's lag by the time at which polls were ready to be sent.

    Returns:
        frame(t_s, n, p50_s, p99_s, max_s); percentiles are null where n(1 - p) < 10.
    """
    sent = polls.filter(pl.col("lag_s").is_not_null())
    return (
        sent.group_by(_bin(pl.col("ready_s"), bin_s))
        .agg(
            n=pl.len(),
            p50_s=percentile_of("lag_s", 50),
            p99_s=percentile_of("lag_s", 99),
            max_s=pl.col("lag_s").max(),
        )
        .sort("t_s")
    )


def slowest_by_client(polls: pl.DataFrame, bin_s: float, rows: int = 200) -> pl.DataFrame:
    """For a map of devices against time: the slowest response, and what had no right answer.

    Args:
        rows: most rows of the map; neighbouring devices share one where there are more devices.

    Returns:
        frame(first_client, clients, t_s, slowest_s, censored, failed, unanswered, unsent), by the time at which
        polls were due. `slowest_s` covers what percentiles cover and is null where there is nothing of it;
        `censored`: it is only known to be longer. `failed` counts polls that were sent and came to another end
        than an answer or a timeout, `unanswered` those that timed out, `unsent` those never sent.
    """
    highest = polls["client"].max()
    devices = highest + 1 if isinstance(highest, int) else 1
    together = math.ceil(devices / max(1, rows))
    unanswered = WAS_SENT & pl.col("outcome").is_in(UNANSWERED)
    failed = WAS_SENT & (pl.col("outcome") != "ok") & ~unanswered
    first = (pl.col("client") // together * together).alias("first_client")
    return (
        polls.group_by(first, _bin(_DUE_S, bin_s))
        .agg(
            slowest_s=pl.col("response_s").filter(_TIMED).max(),
            censored=pl.col("outcome").is_in(UNANSWERED).any(),
            failed=failed.sum(),
            unanswered=unanswered.sum(),
            unsent=pl.col("outcome").is_in(UNSENT).sum(),
        )
        .with_columns(clients=pl.min_horizontal(pl.lit(together), devices - pl.col("first_client")))
        .select("first_client", "clients", "t_s", "slowest_s", "censored", "failed", "unanswered", "unsent")
        .sort("first_client", "t_s")
    )


def _bin(time_s: pl.Expr, bin_s: float) -> pl.Expr:
    """The beginning of the bin that a time falls into."""
    return ((time_s / bin_s).floor() * bin_s).alias("t_s")
