"""What one device does next, by its plan: no I/O and no clock.

A device is sequential. Of the rounds of its clocks the one that is due first goes first, and of several the file's first; a
round that was begun is finished before another one begins, and its later polls are due when the one before them ended.

An answer may say when to poll next: the next round is then due so long after the end of this one, and the clock goes on from
there. A device that was told to come back later must not make up for what it left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from experiments.schedule import TICK_S, TICKS_PER_S, Clock, Plan, on_tick

_floor = math.floor


def walk(plan: Plan, client: int) -> Iterator[tuple[float, int, int]]:
    """(due, endpoint, k) of a device whose polls take no time, in the order in which it makes them; without end."""
    agenda = Agenda(plan, client)
    while True:
        yield agenda.now.due, agenda.now.endpoint, agenda.now.round
        agenda.ended(agenda.now.due)


class Agenda:
    """What one device does next."""

    __slots__ = ("now", "tracks")

    def __init__(self, plan: Plan, client: int) -> None:
        self.tracks = [Track(plan, clock, client) for clock in plan.clocks]
        self.now = min(self.tracks, key=_order)
        """Where the next poll is; never None, since a plan has an endpoint that is polled."""

    def ended(self, done_s: float, wait_s: float | None = None) -> None:
        """The poll that was due has ended, well or badly: goes on to the next one.

        Args:
            done_s: when it ended, in seconds from the start of the measured window.
            wait_s: seconds until the next poll, if the answer said so.
        """
        now = self.now
        now.ended(done_s, wait_s)
        if len(self.tracks) > 1 and not now.place:
            self.now = min(self.tracks, key=_order)


class Track:
    """Where a device stands on one clock. Instants are seconds from the start of the measured window."""

    __slots__ = (
        *("_ahead", "_client", "_fixed", "_first_due", "_interval_s", "_jitters", "_pattern", "_plan", "_wait_s"),
        *("clock", "due", "endpoint", "place", "polled", "round", "round_due"),
    )

    def __init__(self, plan: Plan, clock: Clock, client: int) -> None:
        self._plan, self._client = plan, client
        self._fixed = plan.pacing == "fixed"
        self._first_due = plan.first_due(client, clock)
        self._ahead = plan.cycle_start(client, clock)
        self._wait_s: float | None = None
        self._interval_s, self._pattern = clock.interval_s, clock.pattern
        self._jitters = plan.shifts
        self.clock = clock
        self.round = 0
        """Of the next poll, from 1."""
        self.place = 0
        """How many polls of this round have ended."""
        self.due = 0.0
        """When the next poll is due."""
        self.round_due = 0.0
        """When the first poll of its round was due; the window that it belongs to is decided by this."""
        self.polled: tuple[int, ...] = ()
        """The endpoints of this round, by their place in the file."""
        self.endpoint = 0
        """That of the next poll."""
        self._begin(self._by_the_clock())

    def ended(self, done_s: float, wait_s: float | None = None) -> None:
        """As `Agenda.ended`, for a poll on this clock."""
        if wait_s is not None:
            self._wait_s = wait_s
        if self.place + 1 < len(self.polled):
            self.skip()
            self.due = done_s
        elif self._wait_s is not None:
            due = on_tick(done_s + self._wait_s)
            self._first_due += due - self._by_the_clock()
            self._begin(due)
        elif self._fixed:
            self._begin(self._by_the_clock())
        else:
            self._begin(on_tick(done_s + self.clock.interval_s))

    def skip(self) -> bool:
        """Goes on to the next poll of this round, which is due when its round was; False if there is none."""
        if self.place + 1 >= len(self.polled):
            return False
        self.place += 1
        self.endpoint = self.polled[self.place]
        self.due = self.round_due
        return True

    def next_round(self) -> None:
        """Leaves this round unfinished and goes on to the next one, as the clock has it."""
        self._begin(self._by_the_clock())

    def _by_the_clock(self) -> float:
        """When the round after this one is due; the closed form of `Plan.due`."""
        due = self._first_due + self.round * self._interval_s
        if self._jitters:
            due += self._plan.late(self._client, self.clock, self.round + 1)
        # PERF: `on_tick`, written out.
        return _floor(due * TICKS_PER_S + 0.5) * TICK_S

    def _begin(self, due: float) -> None:
        self.round += 1
        self.due = self.round_due = due
        self.place = 0
        self._wait_s = None
        # PERF: looked up where it can be, half a microsecond less.
        pattern, place = self._pattern, self.round + self._ahead
        self.polled = polled = pattern[place % len(pattern)] if pattern else self.clock.polled(place)
        self.endpoint = polled[0]


def _order(track: Track) -> tuple[float, int]:
    return track.due, track.endpoint
