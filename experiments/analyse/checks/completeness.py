"""Whether a record holds every poll of its plan, once, and where the plan puts it.

Plan and arranged polls, batch by batch -> counts of what is missing, doubled, extra or moved, clock by clock. Under `fixed`
pacing a closed form says of each row whether it was planned and when it was due, and how many there must be; under `after` a
round is due an interval after the end of the one before, so each device's chain of rounds is followed. Where answers may say
when to poll next, nobody but the record knows when rounds were due: of these none may be missing between a device's first
and its last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import polars as pl

from experiments.analyse.checks.planned import due_s, is_planned, polls_before, polls_of_rounds, table_of
from experiments.analyse.passes.before import Before
from experiments.analyse.polls import KEY, WAS_SENT, measured, on_clock
from experiments.schedule import TICK_S, Clock, Plan

_SAME_S = 1.5 * TICK_S
"""Two instants that were rounded to ticks apart from each other differ by one tick at most."""
_CHAINED_S = 2.5 * TICK_S
_UNWRITTEN_S = 10.0
"""A killed run loses what its generators had not written yet: rows of 5 s, and of the slowest disk 10."""
_AT_ONCE = 500_000
"""Rounds that are written out at once, of those that a killed run did not write."""


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
    """Compares all rows of a record with its plan; see `Comparison`."""
    comparison = Comparison(plan, window_s, broken_off_s=broken_off_s)
    comparison.add(rows)
    return comparison.result()


class Comparison:
    """A record compared with its plan, clock by clock.

    Args:
        window_s: the window that was really measured.
        broken_off_s: for a run that was never sealed: how long before its last row a poll may have
            been sent whose row was not written (its timeout); None for a sealed run.
    """

    def __init__(self, plan: Plan, window_s: float, *, broken_off_s: float | None = None) -> None:
        kinds = {clock: _ByTheClock if plan.follows_the_clock(clock) else _InChains for clock in plan.clocks}
        self._clocks = [kind(plan, clock, window_s, broken_off_s) for clock, kind in kinds.items()]

    def add(self, rows: pl.DataFrame) -> None:
        """Looks at a batch.

        Args:
            rows: arranged polls, warm-up included.
        """
        for clock in self._clocks:
            clock.add(rows.filter(on_clock(clock.clock.endpoints)).sort(KEY) if len(self._clocks) > 1 else rows)

    def result(self) -> Completeness:
        """What all batches came to."""
        each = [clock.result() for clock in self._clocks]
        return Completeness(*(sum(getattr(one, count.name) for one in each) for count in fields(Completeness)))


class _OnClock:
    """What is counted on one clock, whatever the pacing."""

    def __init__(self, plan: Plan, clock: Clock, window_s: float, broken_off_s: float | None) -> None:
        self.clock = clock
        self.plan = plan
        self.window_s = window_s
        self.since_s = None if broken_off_s is None else window_s - broken_off_s - _UNWRITTEN_S
        """Of a run that was never sealed: polls since then need not have been written."""
        self.doubled = self.extra = self.moved = self.found = 0
        self._before = Before("round", "done_s")
        self._table = table_of(plan, clock)
        self._ends: pl.DataFrame | None = None
        """The last row of each device: frame(client, round, key, done_s, sent, latest_s), the latter of all its rows."""

    def add(self, rows: pl.DataFrame) -> None:
        """Looks at a batch, in the order of `polls.KEY`."""
        self.moved += _count_moved_seconds(rows)
        self._compare(rows)
        self._keep_ends(rows)

    def _compare(self, rows: pl.DataFrame) -> None:
        raise NotImplementedError

    def _with_plan(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self._table, on="client", how="left", maintain_order="left")

    def _count(self, rows: pl.DataFrame, planned: pl.Expr, due: pl.Expr, required: pl.Expr) -> None:
        """Counts rows.

        Args:
            planned: whether somebody planned the poll.
            due: when its round should have been due; null where nobody knows.
            required: whether it must be there.
        """
        looked = rows.select(
            first=KEY.shift(fill_value=-1) != KEY,
            planned=planned,
            required=planned & required,
            off=(pl.col("first_due_s") - due).abs() > _CHAINED_S,
        )
        counts = looked.select(
            (~pl.col("first")).sum().alias("doubled"),
            (~pl.col("planned")).sum().alias("extra"),
            (pl.col("planned") & pl.col("off")).sum().alias("moved"),
            (pl.col("required") & pl.col("first")).sum().alias("found"),
        ).row(0, named=True)
        for name, number in counts.items():
            setattr(self, name, getattr(self, name) + int(number or 0))

    def _keep_ends(self, rows: pl.DataFrame) -> None:
        last = rows.group_by("client").agg(
            pl.col("round").last(),
            KEY.last(),
            pl.col("done_s").last(),
            WAS_SENT.last().alias("sent"),
            pl.col("done_s").max().alias("latest_s"),
        )
        if self._ends is not None:
            both = pl.concat([self._ends, last]).group_by("client", maintain_order=True)
            last = both.agg(pl.all().exclude("latest_s").last(), pl.col("latest_s").max())
        self._ends = last

    @property
    def ends(self) -> pl.DataFrame:
        """The last row of each device that has any."""
        if self._ends is None:
            kinds = {"client": pl.UInt32, "round": pl.UInt32, "key": pl.Int64, "done_s": pl.Float64, "sent": pl.Boolean}
            return pl.DataFrame(schema={**kinds, "latest_s": pl.Float64})
        return self._ends

    def result(self) -> Completeness:
        raise NotImplementedError

    def _unwritten(self, starts: list[int], stops: list[int], due: pl.Expr) -> int:
        """Of polls that are not there, those after everything that their device still wrote, and not long before the end.

        Args:
            starts, stops: rounds by client, in which they may lie.
            due: when a poll was due; null where it need not be there.
        """
        if self.since_s is None:
            return 0
        ends = self.ends.select("client", "latest_s", last_key="key")
        last = dict(self.ends.select("client", "round").iter_rows())
        tails = [max(start, last.get(client, 0)) for client, start in enumerate(starts)]
        late = pl.max_horizontal(due, "latest_s") >= self.since_s
        after = pl.col("last_key").fill_null(-1) < KEY
        count = 0
        for clients in _in_parts(tails, stops):
            polls = polls_of_rounds(self.plan, self.clock, tails, stops, clients).join(ends, on="client", how="left")
            count += int(polls.select((after & late & due.is_not_null()).sum()).item())
        return count


class _ByTheClock(_OnClock):
    """Where the plan alone says when rounds are due."""

    def __init__(self, plan: Plan, clock: Clock, window_s: float, broken_off_s: float | None) -> None:
        super().__init__(plan, clock, window_s, broken_off_s)
        # A poll due in the window's very last tick may be there or not, as the clock's last bits fell.
        self._required_before_s = window_s - TICK_S
        rounds = [plan.measured_rounds(client, clock, window_s + TICK_S) for client in range(plan.clients)]
        self._starts, self._stops = [one.start for one in rounds], [one.stop for one in rounds]
        self._table = self._table.with_columns(start=pl.Series(self._starts), stop=pl.Series(self._stops))

    def _compare(self, rows: pl.DataFrame) -> None:
        known = self._with_plan(measured(rows).select("client", "round", "endpoint", "first_due_s"))
        in_window = (pl.col("round") >= pl.col("start")) & (pl.col("round") < pl.col("stop"))
        planned = (in_window & is_planned(self.clock)).fill_null(value=False)
        due = due_s(self.plan, self.clock)
        self._count(known, planned, due, due < self._required_before_s)

    def result(self) -> Completeness:
        plan, clock = self.plan, self.clock
        ends = [plan.rounds_before(client, clock, self._required_before_s) + 1 for client in range(plan.clients)]
        planned = sum(
            polls_before(plan, clock, client, max(start, end)) - polls_before(plan, clock, client, start)
            for client, (start, end) in enumerate(zip(self._starts, ends, strict=True))
        )
        absent = planned - self.found
        due = due_s(plan, clock)
        unwritten = self._unwritten(self._starts, self._stops, pl.when(due < self._required_before_s).then(due))
        return Completeness(planned, absent - unwritten, unwritten, self.doubled, self.extra, self.moved)


class _InChains(_OnClock):
    """Where a round is due by the end of the one before, or by what an answer said."""

    def _compare(self, rows: pl.DataFrame) -> None:
        before = self._before.of(rows)
        follows = before["round"].cast(pl.Int64) + 1 == rows["round"].cast(pl.Int64)
        told = pl.lit(None, dtype=pl.Float64) if self.clock.told else pl.col("before_s") + self.clock.interval_s
        chained = rows.select("client", "round", "endpoint", "first_due_s", "second", follows=follows.fill_null(value=False))
        known = self._with_plan(chained.with_columns(before["done_s"].alias("before_s")))
        of_first = pl.when(pl.col("round") == 1).then(due_s(self.plan, self.clock)).when("follows").then(told)
        # All polls of a round were due with its first one.
        due = pl.when(~pl.col("second")).then(of_first.fill_null(math.nan)).forward_fill().fill_nan(None)
        planned = ((pl.col("round") >= 1) & is_planned(self.clock)).fill_null(value=False)
        self._count(known, planned, due, pl.lit(value=True))

    def result(self) -> Completeness:
        last = dict(self.ends.select("client", "round").iter_rows())
        stops = [last.get(client, 0) + 1 for client in range(self.plan.clients)]
        planned = sum(
            polls_before(self.plan, self.clock, client, stop) - polls_before(self.plan, self.clock, client, 1)
            for client, stop in enumerate(stops)
        )
        # They are of a round that was begun, so it was due before its device's last row ended.
        unwritten = self._unwritten([1] * self.plan.clients, stops, pl.lit(-math.inf))
        # Where answers say when to poll next, nobody can work out how many rounds there must be after the last one.
        overdue = (0, 0) if self.clock.told else self._overdue()
        missing = planned - self.found - unwritten + overdue[0]
        return Completeness(
            planned + sum(overdue), missing, unwritten + overdue[1], self.doubled, self.extra, self.moved
        )

    def _overdue(self) -> tuple[int, int]:
        """Devices whose next round became due in the window and is not there: (missing, unwritten)."""
        interval_s = self.clock.interval_s
        # A round that was cut off by the end of the window ends the chain.
        known = {
            client: done_s + interval_s if sent else self.window_s
            for client, done_s, sent in self.ends.select("client", "done_s", "sent").iter_rows()
        }
        nexts = [known.get(client, self.plan.first_due(client, self.clock)) for client in range(self.plan.clients)]
        due = [next_s for next_s in nexts if next_s < self.window_s - _CHAINED_S]
        since = self.window_s if self.since_s is None else self.since_s - interval_s
        unwritten = sum(next_s >= since for next_s in due)
        return len(due) - unwritten, unwritten


def _count_moved_seconds(rows: pl.DataFrame) -> int:
    """A later poll of a round is due when the one before it ended; one that was never sent, when the first was due."""
    expected = pl.when(WAS_SENT).then(pl.col("done_s").shift()).otherwise("first_due_s")
    off = (pl.col("due_s") - expected).abs() > _SAME_S
    return int(rows.select((pl.col("second") & off.fill_null(value=True)).sum()).item())


def _in_parts(starts: list[int], stops: list[int]) -> Iterator[range]:
    """Devices that have no more than so many of these rounds together."""
    first = rounds = 0
    for client, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        rounds += max(0, stop - start)
        if rounds >= _AT_ONCE:
            yield range(first, client + 1)
            first, rounds = client + 1, 0
    yield range(first, len(starts))
