"""One device's life, without I/O and without a clock: which poll is next, when it is due, and the row that it leaves.

Every engine's devices are these, so the same plan gives the same rows. Instants are on the monotonic clock in here; the
row buffer turns them into offsets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from experiments.agenda import Agenda
from experiments.measure.engines.counters import Tally
from experiments.measure.engines.wrong_answers import WrongAnswers
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import Outcome
from experiments.schedule import Plan

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
        self.wrong = WrongAnswers(plan.endpoints)

    def close_early(self, at: float) -> None:
        """Moves the end of the window."""
        self.close_at = min(self.close_at, at)


class Device:
    """One device: sequential, one poll at a time."""

    __slots__ = ("_agenda", "_course", "client", "due", "first_due", "free_at", "number", "place", "round")

    def __init__(self, course: Course, client: int) -> None:
        self._course = course
        self._agenda = Agenda(course.plan, client)
        self.client = client
        self.free_at = -math.inf
        """When the last answer came, or the last poll failed."""
        self.round = 0
        """Of its next poll, on the clock of that endpoint."""
        self.due = -math.inf
        """When its next poll is due."""
        self.first_due = -math.inf
        """When the first poll of that round was due."""
        self.number = 0
        """The endpoint of its next poll, as a place in `Plan.endpoints`."""
        self.place = 0
        """How many polls of that round have ended."""
        self._look_up()

    @property
    def compares(self) -> bool:
        """Whether the bytes of the next answer are compared."""
        return self.round == 1 or (self.round + self.client) % _CHECKSUM_EVERY == 0

    @property
    def mid_round(self) -> bool:
        """Whether a poll of its round was sent, so that the next is too, also when the window has closed since."""
        return self.place > 0 and not self._course.over

    def ended(
        self,
        sent: float,
        done: float,
        connect_s: float,
        status: int,
        body_bytes: int,
        outcome: Outcome,
        first_byte_at: float = 0.0,
        tls_s: float = NEVER,
        decoded_bytes: float = NEVER,
        failed_check: str | None = None,
        wait_s: float | None = None,
    ) -> None:
        """The poll that was due has ended: keeps its row and goes on to the next one.

        Args:
            sent: the start of the attempt, on the monotonic clock.
            done: when the last byte came, or when it failed.
            first_byte_at: when the first byte of the answer came; 0 if none did or nobody knows.
            wait_s: seconds until the next poll, if the answer said so and is to be obeyed.
        """
        course, due, free_at = self._course, self.due, self.free_at
        ready = due if due > free_at else free_at
        first_byte_s = first_byte_at - sent if first_byte_at else NEVER
        course.rows.add(self.client, self.round, self.number, due, ready, sent, done, connect_s, status, body_bytes, outcome,
                        first_byte_s, tls_s, decoded_bytes, failed_check)  # fmt: skip
        if self.first_due >= course.start_at:
            course.tally.by_outcome[outcome] += 1
        self.free_at = done
        self._agenda.ended(done - course.start_at, wait_s)
        self._look_up()
        if self.place:
            self.due = done

    def answered_wrong(
        self,
        outcome: Outcome,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        first_bytes: bytes,
        failed_check: str | None = None,
        why: str = "",
    ) -> None:
        """What came for the poll that is due was not the right answer; to be told before `ended`.

        Args:
            first_bytes: of the body, as far as anybody looked at it.
            failed_check: the expectation that failed, and `why` in a sentence.
        """
        course = self._course
        if self.first_due >= course.start_at:
            due_s = round(self.due - course.start_at, 6)
            poll: dict[str, float | str] = {"client": self.client, "round": self.round, "due_s": due_s}
            if failed_check is not None:
                poll |= {"failed_check": failed_check, "why": why}
            course.wrong.note(self.number, outcome, status, headers, first_bytes, **poll)

    def give_up(self) -> None:
        """Its life is over: keeps a row of each poll that was due before the window closed and never sent.

        The later ones of a round count from when its first was due. Called once the last poll of the swarm has ended: a long
        backlog takes time to write, in which nobody would look at the clock for answers that come.
        """
        course, close_at = self._course, self._course.close_at
        for track in self._agenda.tracks:
            while (first_due := course.start_at + track.round_due) < close_at:
                busy = first_due < self.free_at or self.free_at >= close_at
                outcome = Outcome.UNSENT_BUSY if busy else Outcome.UNSENT_LATE
                course.rows.add(
                    self.client, track.round, track.endpoint, first_due, NEVER, NEVER, close_at, 0.0, 0, 0, outcome
                )
                if first_due >= course.start_at:
                    course.tally.by_outcome[outcome] += 1
                if track.skip():
                    continue
                if not course.plan.follows_the_clock(track.clock):
                    break  # Nobody knows when it would have ended, so no later round was ever due.
                track.next_round()

    def _look_up(self) -> None:
        """What is next."""
        now, start_at = self._agenda.now, self._course.start_at
        self.round, self.number, self.place = now.round, now.endpoint, now.place
        self.due = start_at + now.due
        self.first_due = start_at + now.round_due
