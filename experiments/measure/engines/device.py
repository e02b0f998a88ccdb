"""One device's life, without I/O and without a clock: which poll is next, when it is due, and the row that it leaves.

Every engine's devices are these, so the same plan gives the same rows. Instants are on the monotonic clock in here; the
row buffer turns them into offsets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from experiments.agenda import Agenda
from experiments.measure.engines.counters import Counters, Tally
from experiments.measure.engines.judge import Judgement, judge
from experiments.measure.engines.wrong_answers import WrongAnswers
from experiments.record.rows import NEVER, RowBuffer, Rows
from experiments.record.schema import Outcome
from experiments.schedule import Plan
from experiments.target.poller import Poller

CHECKSUM_EVERY = 64
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
        self.buffer = rows
        """Where devices keep their rows."""
        self.rows: Rows = rows
        """Where they are; an engine may have its own place for them."""
        self.tally = Tally()
        self.wrong = WrongAnswers(plan.endpoints)

    def close_early(self, at: float) -> None:
        """Moves the end of the window."""
        self.close_at = min(self.close_at, at)


class Judging:
    """A device as far as it judges the answer to the poll that is due."""

    __slots__ = ()

    _course: Course
    pollers: tuple[Poller, ...]
    """What it asks, by endpoint."""
    client: int
    round: int
    """Of its next poll, on the clock of that endpoint."""
    number: int
    """The endpoint of its next poll, as a place in `Plan.endpoints`."""
    due: float
    """When its next poll is due."""
    first_due: float
    """When the first poll of that round was due."""

    @property
    def compares(self) -> bool:
        """Whether the bytes of the next answer are compared."""
        return self.round == 1 or (self.round + self.client) % CHECKSUM_EVERY == 0

    @property
    def looks(self) -> bool:
        """Whether the body of the next answer is looked at, and must be kept."""
        return self.pollers[self.number].looks(self.compares)

    def judged(
        self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, first_bytes: bytes, body_bytes: int,
        counters: Counters,
    ) -> Judgement:  # fmt: skip
        """What is made of a complete answer to the poll that is due; to be told before `ended`.

        Args:
            body: as it came, where `looks` said that it is looked at.
            first_bytes: of it, as far as anybody kept them.
            counters: counts comparisons.
        """
        poller, compare = self.pollers[self.number], self.compares
        found = judge(poller, self.number, self.round, status, headers, body, body_bytes, counters, compare=compare)
        if found.outcome:
            self.answered_wrong(found.outcome, status, headers, first_bytes or body, found)
        return found

    def answered_wrong(
        self, outcome: Outcome, status: int, headers: Iterable[tuple[bytes, bytes]], first_bytes: bytes,
        found: Judgement | None = None, poller: Poller | None = None,
    ) -> None:  # fmt: skip
        """What came for the poll that is due was not the right answer; to be told before `ended`.

        Args:
            first_bytes: of the body, as far as anybody looked at it.
            found: what was made of it, if it was complete.
            poller: what was asked, which need not be what was due.
        """
        course = self._course
        if self.first_due < course.start_at:
            return
        poller, round_ = poller or self.pollers[self.number], self.round
        poll: dict[str, Any] = {"client": self.client, "round": round_, "due_s": round(self.due - course.start_at, 6)}
        if found is not None and found.failed_check is not None and found.answer is not None:
            name = self.named(found.failed_check, poller)
            poll |= {"failed_check": name, "explain": partial(_explained, poller, found, round_)}
        course.wrong.note(self.number, outcome, status, headers, first_bytes, mask=partial(_masked, poller), **poll)

    def named(self, failed_check: str, asked: Poller) -> str:
        """The name of an expectation, with that of its endpoint if something else was due."""
        return failed_check if asked is self.pollers[self.number] else f"{asked.kind.name}.{failed_check}"


class Device(Judging):
    """One device: sequential, one poll at a time."""

    __slots__ = ("_agenda", "_course", "client", "due", "first_due", "free_at", "number", "place", "pollers",
                 "round")  # fmt: skip

    def __init__(self, course: Course, client: int, pollers: tuple[Poller, ...]) -> None:
        self._course = course
        self.pollers = pollers
        self._agenda = Agenda(course.plan, client)
        self.client = client
        self.free_at = -math.inf
        """When the last answer came, or the last poll failed."""
        self.round = self.number = 0
        self.due = self.first_due = -math.inf
        self.place = 0
        """How many polls of that round have ended."""
        self._look_up()

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
        found: Judgement,
        first_byte_at: float = 0.0,
        tls_s: float = NEVER,
    ) -> None:
        """The poll that was due has ended: keeps its row and goes on to the next one.

        Args:
            sent: the start of the attempt, on the monotonic clock.
            done: when the last byte came, or when it failed.
            found: what was made of it.
            first_byte_at: when the first byte of the answer came; 0 if none did or nobody knows.
            tls_s: part of it spent in the TLS handshake.
        """
        course, due, free_at = self._course, self.due, self.free_at
        outcome, failed_check, decoded_bytes, wait_s, _ = found
        ready = due if due > free_at else free_at
        first_byte_s = first_byte_at - sent if first_byte_at else NEVER
        course.buffer.add(self.client, self.round, self.number, due, ready, sent, done, connect_s, status, body_bytes,
                          outcome, first_byte_s, tls_s, decoded_bytes, failed_check)  # fmt: skip
        if self.first_due >= course.start_at:
            course.tally.by_outcome[outcome] += 1
        self.free_at = done
        start_at, agenda = course.start_at, self._agenda
        agenda.ended(done - start_at, wait_s)
        # PERF: `_look_up`, written out.
        now = agenda.now
        self.round, self.number, self.place = now.round, now.endpoint, now.place
        self.first_due = start_at + now.round_due
        self.due = done if now.place else start_at + now.due

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
                course.buffer.add(
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


def _masked(poller: Poller, text: str) -> str:
    return poller.masker.text(text)


def _explained(poller: Poller, found: Judgement, round_: int) -> str:
    assert found.failed_check is not None
    assert found.answer is not None
    return poller.explain(found.failed_check, found.answer, round_)
