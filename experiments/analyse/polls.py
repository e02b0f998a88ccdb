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
    rows = _rounds(record.requests(), clocks)
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


def _rounds(rows: pl.DataFrame, clocks: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Adds `second` and `first_due_s`; a round is one client's, on one clock.

    Args:
        clocks: the places of the endpoints on each clock.
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
    ordered = rows.sort("client", "first_due_s", "first", KEY).drop("clock") if several else rows
    return ordered.drop("first")


def measured(rows: pl.DataFrame) -> pl.DataFrame:
    """Of arranged polls, those of the measured window: a round belongs to it as its first poll does."""
    return rows.filter(pl.col("first_due_s") >= 0)


def statuses(polls: pl.DataFrame) -> dict[str, int]:
    """Complete answers by status code, in order, right ones and wrong ones."""
    answered = polls.filter(pl.col("outcome").is_in(COMPLETE))
    return {str(code): int(number) for code, number in answered["status"].value_counts().sort("status").iter_rows()}


def count(polls: pl.DataFrame) -> dict[str, int]:
    """Counts of polls, so that planned = sent + unsent and sent = ok + failed."""
    outcomes = dict(polls["outcome"].value_counts().select(pl.col("outcome").cast(pl.String), "count").iter_rows())
    unsent = {name: int(outcomes.get(name, 0)) for name in UNSENT}
    sent, ok = len(polls) - sum(unsent.values()), int(outcomes.get("ok", 0))
    return {"planned": len(polls), "sent": sent, "ok": ok, "failed": sent - ok, **unsent}
