"""One device's life, without I/O and without a clock: which poll is next, when it is due, and the row that it leaves.

Every engine's devices are these, so the same plan gives the same rows. Instants are on the monotonic clock in here; the
row buffer turns them into offsets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from experiments.measure.engines.counters import Tally
from experiments.measure.engines.wrong_answers import WrongAnswers
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import ENDPOINTS, Outcome
from experiments.schedule import TICK_S, TICKS_PER_S, Plan, on_tick

_floor = math.floor
_CHECKSUM_EVERY = 64
"""A device compares the bytes of its first answers, and of those of every 64th round; lengths are always compared."""


class Course:
    """What all devices of a shard share: the plan, its clock, and where rows and counts go."""

    def __init__(self, plan: Plan, start_at: float, rows: RowBuffer) -> None:
        self.plan = plan
        self.start_at = start_at
        """When the measured window begins."""
        self.close_at = start_at + plan.window_s
        """When the window closes and no new round is begun; earlier if the run is cut short."""
        self.over = False
        """Whether nothing at all is sent any more: a run that was cut short has had its time of grace."""
        self.rows = rows
        self.tally = Tally()
        self.wrong = WrongAnswers()
        self.fixed = plan.pacing == "fixed"
        self.interval_s = plan.interval_s
        self.cycle_rounds = plan.cycle_rounds
        self.joins_per_cycle = plan.joins_per_cycle
        self.primary = ENDPOINTS.index(plan.primary)

    def close_early(self, at: float) -> None:
        """Moves the end of the window."""
        self.close_at = min(self.close_at, at)


class Device:
    """One device: sequential, one poll at a time."""

    __slots__ = ("_ahead", "_course", "_first_due", "_joined", "client", "due", "first_due", "free_at", "number", "round")

    def __init__(self, course: Course, client: int) -> None:
        self._course = course
        self._first_due = course.plan.first_due(client)
        self._ahead = course.plan.cycle_start(client)
        self.client = client
        self.free_at = -math.inf
        """When the last answer came, or the last poll failed."""
        self.round = 0
        self.due = -math.inf
        """When its next poll is due."""
        self.first_due = -math.inf
        """When the first poll of that round was due."""
        self.number = 0
        """The endpoint of its next poll, as a place in `ENDPOINTS`."""
        self._joined = False
        """Whether this round polls both endpoints: A, then B."""
        self._begin_round(self.due_after(0))

    @property
    def compares(self) -> bool:
        """Whether the bytes of the next answer are compared."""
        return self.round == 1 or (self.round + self.client) % _CHECKSUM_EVERY == 0

    @property
    def mid_round(self) -> bool:
        """Whether the first poll of its round was sent, so that the second is too, also when the window has closed since."""
        return self._joined and self.number == 1 and not self._course.over

    def due_after(self, rounds: int) -> float:
        """When the round after so many is due by the clock; the closed form of `Plan.due`."""
        course = self._course
        # `on_tick`, written out: this is asked twice a poll.
        ticks = _floor((self._first_due + rounds * course.interval_s) * TICKS_PER_S + 0.5)
        return course.start_at + ticks * TICK_S

    def ended(self, sent: float, done: float, connect_s: float, status: int, body_bytes: int, outcome: Outcome) -> None:
        """The poll that was due has ended: keeps its row and goes on to the next one.

        Args:
            sent: the start of the attempt, on the monotonic clock.
            done: when the last byte came, or when it failed.
        """
        course, due, free_at = self._course, self.due, self.free_at
        ready = due if due > free_at else free_at
        course.rows.add(self.client, self.round, self.number, due, ready, sent, done, connect_s, status, body_bytes, outcome)
        if self.first_due >= course.start_at:
            course.tally.by_outcome[outcome] += 1
        self.free_at = done
        if self._joined and self.number == 0:
            self.number, self.due = 1, done
        elif course.fixed:
            self._begin_round(self.due_after(self.round))
        else:
            self._begin_round(course.start_at + on_tick(done - course.start_at + course.interval_s))

    def answered_wrong(
        self, outcome: Outcome, status: int, headers: Iterable[tuple[bytes, bytes]], first_bytes: bytes
    ) -> None:
        """What came for the poll that is due was not the right answer; to be told before `ended`.

        Args:
            first_bytes: of the body, as far as anybody looked at it.
        """
        course = self._course
        if self.first_due >= course.start_at:
            due_s = round(self.due - course.start_at, 6)
            poll = {"client": self.client, "round": self.round, "due_s": due_s}
            course.wrong.note(self.number, outcome, status, headers, first_bytes, **poll)

    def give_up(self) -> None:
        """Its life is over: keeps a row of each poll that was due before the window closed and never sent.

        The second of a round counts from when its first was due. Called once the last poll of the swarm has ended: a long
        backlog takes time to write, in which nobody would look at the clock for answers that come.
        """
        course, close_at = self._course, self._course.close_at
        while self.first_due < close_at:
            busy = self.first_due < self.free_at or self.free_at >= close_at
            outcome = Outcome.UNSENT_BUSY if busy else Outcome.UNSENT_LATE
            course.rows.add(self.client, self.round, self.number, self.first_due, NEVER, NEVER, close_at, 0.0, 0, 0, outcome)
            if self.first_due >= course.start_at:
                course.tally.by_outcome[outcome] += 1
            if self._joined and self.number == 0:
                self.number = 1
            elif course.fixed:
                self._begin_round(self.due_after(self.round))
            else:
                # Nobody knows when it would have ended, so no later round was ever due.
                return

    def _begin_round(self, due: float) -> None:
        course = self._course
        self.round += 1
        self.due = self.first_due = due
        # As in `Plan.joins`.
        place, low, high = self.round + self._ahead, course.joins_per_cycle, course.cycle_rounds
        self._joined = place * low // high > (place - 1) * low // high
        self.number = 0 if self._joined else course.primary
