"""The polls of a record, in order and with the times that are derived from the four recorded ones.

Record -> one row per poll. The names of the derived times (response, latency, lag, wait) are those of
every figure of the lab; no other module computes them. All times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from experiments.record.reading import Record
from experiments.record.schema import UNSENT

_ENDPOINT = pl.col("endpoint").to_physical().cast(pl.Int64)
KEY = (pl.col("client").cast(pl.Int64) * 2**40 + pl.col("round").cast(pl.Int64) * 2**10 + _ENDPOINT).alias("key")
"""A poll's name as one number, of up to 8 million devices, 1,000 million rounds and 1,024 endpoints. On one clock it orders
polls by client, then round, then endpoint in the target's order."""

COMPLETE = ("ok", "http_error", "wrong_body", "checks")
"""Ends of polls that were answered in full, rightly or not."""

WAS_SENT = ~pl.col("outcome").is_in(UNSENT)


def prepare(record: Record) -> pl.DataFrame:
    """The polls of the measured window.

    Returns:
        The columns of `schema.REQUESTS`, each device's polls in the order in which it makes them (by the due time of their
        rounds; within a round in the target's order), and

        - `second`: whether the poll follows another one of its round;
        - `first_due_s`: when the first poll of its round was due;
        - `response_s`: done - due, what the device felt;
        - `latency_s`: done - sent, null if unsent;
        - `lag_s`: sent - ready, the generator's own fault, null if unsent;
        - `wait_s`: ready - due, waiting behind the device's own unanswered poll, null if unsent.
    """
    return measured(arrange(record))


def arrange(record: Record) -> pl.DataFrame:
    """All polls, warm-up included, with the columns that `prepare` describes."""
    clocks = [clock.endpoints for clock in record.plan.clocks]
    return with_times(in_rounds(record.requests(), clocks).drop("clock", strict=False))


def with_times(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the derived times."""
    due, done = pl.col("due_s"), pl.col("done_s")
    return rows.with_columns(
        response_s=done - due,
        latency_s=done - pl.col("sent_s"),
        lag_s=pl.col("sent_s") - pl.col("ready_s"),
        wait_s=pl.col("ready_s") - due,
    )


def on_clock(endpoints: Sequence[int]) -> pl.Expr:
    """Whether a poll is on the clock that these endpoints share, by their places in the target."""
    return _ENDPOINT.is_in(list(endpoints))


def in_rounds(rows: pl.DataFrame, clocks: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Puts polls in order, and adds `second` and `first_due_s`; a round is one client's, on one clock.

    Args:
        clocks: the places of the endpoints on each clock; of several, the number of each poll's is added as `clock`.
    """
    number = {place: number for number, clock in enumerate(clocks) for place in clock}
    clock = _ENDPOINT.replace_strict(number, default=len(clocks), return_dtype=pl.Int64)
    several = len(clocks) > 1
    rows = rows.with_columns(clock=clock).sort("client", "clock", KEY) if several else rows.sort(KEY)
    same = [pl.col(name) == pl.col(name).shift() for name in ("client", "round", *(("clock",) if several else ()))]
    begins = ~pl.all_horizontal(same).fill_null(value=False)
    first = pl.when(begins).then(_ENDPOINT).forward_fill()
    rows = rows.with_columns(second=first < _ENDPOINT, first=first)
    rows = rows.with_columns(first_due_s=pl.when(~pl.col("second")).then("due_s").forward_fill())
    # A device makes its rounds one after the other, the one that was due first, and of several the target's first.
    return (rows.sort("client", "first_due_s", "first", KEY) if several else rows).drop("first")


def measured(rows: pl.DataFrame) -> pl.DataFrame:
    """Of arranged polls, those of the measured window: a round belongs to it as its first poll does."""
    first = rows["first_due_s"].min()
    # PERF: all but the first batch of a record have no warm-up, and need not be copied.
    return rows if isinstance(first, float) and first >= 0 else rows.filter(pl.col("first_due_s") >= 0)


def statuses(counts: pl.DataFrame) -> dict[str, int]:
    """Complete answers by status code, in order, right ones and wrong ones.

    Args:
        counts: frame(outcome, status, polls).
    """
    return by_value(counts.filter(pl.col("outcome").is_in(COMPLETE)), "status")


def by_value(counts: pl.DataFrame, column: str) -> dict[str, int]:
    """Value of a column -> how many polls, in the order of the values.

    Args:
        counts: frame(column, polls).
    """
    summed = counts.group_by(column).agg(pl.col("polls").sum()).sort(column)
    return {str(value): int(number) for value, number in summed.iter_rows()}


def count(counts: pl.DataFrame) -> dict[str, int]:
    """Counts of polls, so that planned = sent + unsent and sent = ok + failed.

    Args:
        counts: frame(outcome, polls).
    """
    outcomes = by_value(counts, "outcome")
    unsent = {name: outcomes.get(name, 0) for name in UNSENT}
    planned, ok = sum(outcomes.values()), outcomes.get("ok", 0)
    sent = planned - sum(unsent.values())
    return {"planned": planned, "sent": sent, "ok": ok, "failed": sent - ok, **unsent}
