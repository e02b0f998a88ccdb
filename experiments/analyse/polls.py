"""The polls of a record, in order and with the times that are derived from the four recorded ones.

Record -> one row a poll. The names of the derived times (response, latency, lag, wait) are those of
every figure of the lab; no other module computes them. All times are seconds.
"""

from __future__ import annotations

import polars as pl

from experiments.record.reading import Record
from experiments.record.schema import UNSENT

KEY = (
    pl.col("client").cast(pl.Int64) * 2**33
    + pl.col("round").cast(pl.Int64) * 2
    + pl.col("endpoint").to_physical().cast(pl.Int64)
).alias("key")
"""A poll's name as one number; it orders polls by client, then round, then A before B."""

WAS_SENT = ~pl.col("outcome").is_in(UNSENT)


def prepare(record: Record) -> pl.DataFrame:
    """The polls of the measured window.

    Returns:
        The columns of `schema.REQUESTS`, ordered by (client, round, endpoint), and

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
    rows = record.requests().sort(KEY)
    same_round = (pl.col("client") == pl.col("client").shift()) & (pl.col("round") == pl.col("round").shift())
    second = (same_round & (pl.col("endpoint") == "bulk")).fill_null(value=False)
    due, done = pl.col("due_s"), pl.col("done_s")
    return rows.with_columns(second=second).with_columns(
        first_due_s=pl.when("second").then(due.shift()).otherwise(due),
        response_s=done - due,
        latency_s=done - pl.col("sent_s"),
        lag_s=pl.col("sent_s") - pl.col("ready_s"),
        wait_s=pl.col("ready_s") - due,
    )


def measured(rows: pl.DataFrame) -> pl.DataFrame:
    """Of arranged polls, those of the measured window: a round belongs to it as its first poll does."""
    return rows.filter(pl.col("first_due_s") >= 0)


def statuses(polls: pl.DataFrame) -> dict[str, int]:
    """Complete answers by status code, in order; all but 200 are `http_error`."""
    answered = polls.filter(pl.col("outcome").is_in(("ok", "http_error", "wrong_body")))
    return {str(code): int(number) for code, number in answered["status"].value_counts().sort("status").iter_rows()}


def count(polls: pl.DataFrame) -> dict[str, int]:
    """Counts of polls, so that planned = sent + unsent and sent = ok + failed."""
    outcomes = dict(polls["outcome"].value_counts().select(pl.col("outcome").cast(pl.String), "count").iter_rows())
    unsent = {name: int(outcomes.get(name, 0)) for name in UNSENT}
    sent, ok = len(polls) - sum(unsent.values()), int(outcomes.get("ok", 0))
    return {"planned": len(polls), "sent": sent, "ok": ok, "failed": sent - ok, **unsent}
