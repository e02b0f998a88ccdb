"""Whether a record holds every poll of its plan, once, and where the plan puts it.

Plan and arranged polls -> counts of what is missing, doubled, extra or moved, clock by clock. Under `fixed` pacing
the plan's table is made again and compared; under `after` a round is due an interval after the end of
the one before, so each device's chain of rounds is followed. Where answers may say when to poll next, nobody but the record
knows when rounds were due: of these none may be missing between a device's first and its last.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import polars as pl

from experiments.analyse.checks.planned import on_tick, planned_polls, polls_of_rounds
from experiments.analyse.polls import KEY, WAS_SENT, measured, on_clock
from experiments.schedule import TICK_S, Clock, Plan

_SAME_S = 1.5 * TICK_S
"""Two instants that were rounded to ticks apart from each other differ by one tick at most."""
_CHAINED_S = 2.5 * TICK_S
_UNWRITTEN_S = 10.0
"""A killed run loses what its generators had not written yet: rows of 5 s, and of the slowest disk 10."""


@dataclass(frozen=True)
class Completeness:
    """Counts of polls."""

    planned: int
    """Polls that the record should hold."""
    missing: int
    unwritten: int
    """Of an unfinished run: the last polls of devices, which were in flight or in memory when it broke off."""
    doubled: int
    """Rows too many of polls that are there."""
    extra: int
    """Rows of polls that nobody planned."""
    moved: int
    """Rows whose due time is not where the plan or the poll before puts it."""

    @property
    def flaws(self) -> dict[str, int]:
        """What must be zero, in words for a sentence."""
        counts = {"missing": self.missing, "doubled": self.doubled, "extra": self.extra, "moved in time": self.moved}
        return {name: count for name, count in counts.items() if count}


def compare(plan: Plan, rows: pl.DataFrame, window_s: float, *, broken_off_s: float | None = None) -> Completeness:
    """Compares a record with its plan, clock by clock.

    Args:
        rows: arranged polls, warm-up included.
        window_s: the window that was really measured.
        broken_off_s: for a run that was never sealed: how long before its last row a poll may have
            been sent whose row was not written (its timeout); None for a sealed run.
    """
    several = len(plan.clocks) > 1
    each = []
    for clock in plan.clocks:
        of_clock = rows.filter(on_clock(clock.endpoints)).sort(KEY) if several else rows
        each.append(_compare_clock(plan, clock, of_clock, window_s, broken_off_s))
    return Completeness(*(sum(getattr(one, count.name) for one in each) for count in fields(Completeness)))


def _compare_clock(
    plan: Plan, clock: Clock, rows: pl.DataFrame, window_s: float, broken_off_s: float | None
) -> Completeness:
    follows = plan.follows_the_clock(clock)
    if follows:
        found = measured(rows)
        expected = _within(planned_polls(plan, window_s + TICK_S, clock), window_s)
    else:
        found, expected = rows, _chained(plan, clock, rows)
    found = found.select(KEY, "client", "first_due_s", "second")
    doubled = len(found) - found["key"].n_unique()
    absent = expected.filter("required").join(found, on="key", how="anti")
    unwritten = 0
    if broken_off_s is not None:
        since = window_s - broken_off_s - _UNWRITTEN_S
        unwritten = _count_unwritten(absent, rows, since)
    missing = len(absent) - unwritten
    moved = _count_moved(found, expected) + _count_moved_seconds(rows)
    # Where answers say when to poll next, nobody can work out how many rounds there must be after the last one.
    overdue = (0, 0) if follows or clock.told else _overdue(plan, clock, rows, window_s, broken_off_s)
    return Completeness(
        planned=int(expected["required"].sum()) + sum(overdue),
        missing=missing + overdue[0],
        unwritten=unwritten + overdue[1],
        doubled=doubled,
        extra=len(found.join(expected, on="key", how="anti")),
        moved=moved,
    )


def _within(planned: pl.DataFrame, window_s: float) -> pl.DataFrame:
    """Keyed; a poll due in the window's very last tick may be there or not, as the clock's last bits fell."""
    required = pl.col("due_s") < window_s - TICK_S
    return planned.select(KEY, "client", "due_s", required=required)


def _chained(plan: Plan, clock: Clock, rows: pl.DataFrame) -> pl.DataFrame:
    """The polls of every device's rounds up to its last, and where the chain puts each round; null where answers said it."""
    last = dict(rows.group_by("client").agg(pl.col("round").max()).iter_rows())
    stops = [last.get(client, 0) + 1 for client in range(plan.clients)]
    expected = polls_of_rounds(plan, clock, [1] * plan.clients, stops)
    follows = (pl.col("client") == pl.col("client").shift()) & (pl.col("round") == pl.col("round").shift() + 1)
    interval_s = None if clock.told else clock.interval_s
    due = rows.with_columns(due_s=pl.when(follows).then(pl.col("done_s").shift() + interval_s))
    due = due.filter(~pl.col("second")).select("client", "round", "due_s").unique(["client", "round"])
    if plan.jitter_s:
        first_s = [plan.due(client, clock, 1) for client in range(plan.clients)]
        known = pl.col("client").cast(pl.Int64).replace_strict(dict(enumerate(first_s)), return_dtype=pl.Float64)
    else:
        known = on_tick(pl.col("first_due_s"))
    first = pl.when(pl.col("round") == 1).then(known)
    joined = expected.join(due, on=["client", "round"], how="left")
    return joined.select(KEY, "client", due_s=first.otherwise("due_s"), required=pl.lit(value=True))


def _overdue(plan: Plan, clock: Clock, rows: pl.DataFrame, window_s: float, broken_off_s: float | None) -> tuple[int, int]:
    """Under `after`: devices whose next round became due in the window and is not there: (missing, unwritten)."""
    interval_s = clock.interval_s
    ends = rows.group_by("client").agg(next_s=pl.col("done_s").last() + interval_s, sent=WAS_SENT.last())
    # A round that was cut off by the end of the window ends the chain.
    known = {client: next_s if sent else window_s for client, next_s, sent in ends.iter_rows()}
    nexts = [known.get(client, plan.first_due(client, clock)) for client in range(plan.clients)]
    due = [next_s for next_s in nexts if next_s < window_s - _CHAINED_S]
    since = window_s if broken_off_s is None else window_s - broken_off_s - _UNWRITTEN_S - interval_s
    unwritten = sum(next_s >= since for next_s in due)
    return len(due) - unwritten, unwritten


def _count_unwritten(absent: pl.DataFrame, rows: pl.DataFrame, since_s: float) -> int:
    """Of absent polls, those after everything that their device still wrote, and not long before the end."""
    last = rows.group_by("client").agg(last_key=KEY.max(), last_done_s=pl.col("done_s").max())
    tail = absent.join(last, on="client", how="left").filter(
        (pl.col("key") > pl.col("last_key").fill_null(-1)) & (pl.max_horizontal("due_s", "last_done_s") >= since_s)
    )
    return len(tail)


def _count_moved(found: pl.DataFrame, expected: pl.DataFrame) -> int:
    both = found.join(expected.drop("client"), on="key").drop_nulls("due_s")
    return int(((both["first_due_s"] - both["due_s"]).abs() > _CHAINED_S).sum())


def _count_moved_seconds(rows: pl.DataFrame) -> int:
    """A later poll of a round is due when the one before it ended; one that was never sent, when the first was due."""
    expected = pl.when(WAS_SENT).then(pl.col("done_s").shift()).otherwise("first_due_s")
    off = (pl.col("due_s") - expected).abs() > _SAME_S
    return int(rows.select((pl.col("second") & off.fill_null(value=True)).sum()).item())
