"""The polls of a record in the order in which devices made them, batch after batch.

Record -> batches of arranged polls, each round of a device whole in one of them. A generator writes a device's polls one
after the other, so batches can follow its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from experiments.analyse.polls import WAS_SENT, in_rounds, with_times
from experiments.record.reading import Record


class OutOfOrderError(Exception):
    """A device's rows do not follow each other in its generator's parts: they must be sorted all at once."""


NEEDED = (
    *("client", "round", "endpoint", "due_s", "ready_s", "sent_s", "done_s", "connect_s"),
    *("status", "bytes", "outcome", "failed_check"),
)
"""What figures are made of; sorting the other columns too would take a third longer. Which server was polled is told too,
where there are several."""


def go_through(record: Record, begin: Callable[[], Callable[[pl.DataFrame], None]]) -> None:
    """Shows all polls of a record, warm-up included, to whoever gathers something of them.

    A record whose rows do not follow each other, as where somebody put some into it, is gone through in one batch, whatever
    memory that takes.

    Args:
        begin: begins to gather, or begins anew; what it returns is called with each batch of `arranged`.
    """
    try:
        gather = begin()
        for rows in arranged(record):
            gather(rows)
    except OutOfOrderError:
        gather = begin()
        gather(with_times(in_rounds(record.requests().select(_needed(record)), _clocks(record))))


def arranged(record: Record) -> Iterator[pl.DataFrame]:
    """Batches with the columns `NEEDED` and those that `polls.prepare` adds; at least one, which may be empty.

    Raises:
        OutOfOrderError: a device's rows do not follow each other.
    """
    rounds = _Rounds(_clocks(record))
    batches = record.rows.batches(_needed(record))
    rows = next(batches)
    for following in batches:
        yield with_times(rounds.whole(rows))
        rows = following
    yield with_times(rounds.whole(rows, last=True))


def _needed(record: Record) -> tuple[str, ...]:
    return NEEDED if record.plan.systems == 1 else (*NEEDED, "system")


def _clocks(record: Record) -> list[tuple[int, ...]]:
    return [clock.endpoints for clock in record.plan.clocks]


class _Rounds:
    """Puts rows in order, and holds back the rounds whose other rows may come with the next batch."""

    def __init__(self, clocks: Sequence[Sequence[int]]) -> None:
        self._clocks = clocks
        self._track = ["client", "clock"] if len(clocks) > 1 else ["client"]
        self._held: pl.DataFrame | None = None
        self._passed: pl.DataFrame | None = None
        """How far each device has come on each clock: frame(*track, round, due_s)."""

    def whole(self, rows: pl.DataFrame, *, last: bool = False) -> pl.DataFrame:
        """The rounds of these rows that are whole, those held back before included; of the last rows all."""
        columns = rows.columns
        if self._held is not None:
            rows = pl.concat([self._held, rows])
        ordered = in_rounds(rows, self._clocks)
        if not last:
            is_open = ordered.select(self._open()).to_series()
            self._held = ordered.filter(is_open).select(columns)
            ordered = ordered.filter(~is_open)
        if not (last and self._passed is None):
            self._check(ordered)
        return ordered

    def _open(self) -> pl.Expr:
        """Whether a round may go on: each device's last one; of those that were given up, the last one of each clock.

        A device makes one round after the other, so all it made before the last one are whole. What was never sent is
        written when the window closes, clock by clock.
        """
        ends = (pl.col("client") != pl.col("client").shift(-1)).fill_null(value=True)
        its = ["round", *self._track[1:]]
        last = pl.all_horizontal(pl.col(name) == pl.when(ends).then(name).backward_fill() for name in its)
        if len(self._track) == 1:
            return last
        given_up = (~WAS_SENT).any().over(*self._track, "round")
        return last | (given_up & (pl.col("round") == pl.col("round").max().over(self._track)))

    def _check(self, ordered: pl.DataFrame) -> None:
        """Notes how far devices have come.

        Raises:
            OutOfOrderError: one of them had come further before, or made a round later than one that was due after it.
        """
        sent_due = pl.col("first_due_s").filter(WAS_SENT)
        came = ordered.group_by(self._track).agg(
            pl.col("round").max(),
            pl.col("round").min().alias("from"),
            sent_due.max().alias("due_s"),
            sent_due.min().alias("since_s"),
        )
        if self._passed is not None:
            both = came.join(self._passed, on=self._track, suffix="_before")
            if both.select((pl.col("from") <= pl.col("round_before")).any()).item():
                raise OutOfOrderError
            if len(self._track) > 1:
                due = self._passed.group_by("client").agg(pl.col("due_s").max().alias("due_before"))
                since = came.group_by("client").agg(pl.col("since_s").min())
                if since.join(due, on="client").select((pl.col("since_s") < pl.col("due_before")).any()).item():
                    raise OutOfOrderError
        now = came.select(*self._track, "round", "due_s")
        self._passed = now if self._passed is None else pl.concat([self._passed, now]).group_by(self._track).max()
