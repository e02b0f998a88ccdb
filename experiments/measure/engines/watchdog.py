"""What a swarm does every 20 ms beside its polls: end those that took too long, notice when it was held up itself.

No I/O and no loop: an engine calls `beat` with the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

BEAT_S = 0.02


class Expiring(Protocol):
    """Something that can be told that its time is over."""

    def expire(self) -> None:
        """Called once when the timeout has passed."""


class Window(Protocol):
    """The measured window, on the monotonic clock; its end may move."""

    start_at: float
    close_at: float


class Watchdog:
    """Watches polls in flight, and the loop that drives them.

    All polls have the same timeout, so the order in which they began is the order in which they expire: a dict, which
    keeps that order, is the timer wheel. A timeout is noticed up to one beat late.

    Args:
        timeout_s: seconds that a poll may take.
        window: the measured window; what holds the loop up before or after it does not count.
        chores: called at each beat, with the time.
    """

    def __init__(self, timeout_s: float, window: Window, chores: Callable[[float], None]) -> None:
        self._timeout_s = timeout_s
        self._window = window
        self._chores = chores
        self.in_flight: dict[Expiring, float] = {}
        """Polls that were sent and have not ended -> when they were sent, in this order."""
        self.next_at = -math.inf
        """When the next beat is due."""
        self.longest_stall_s = 0.0
        """Longest time by which a beat came too late: how long the loop once did nothing for its devices."""

    @property
    def polls_in_flight(self) -> int:
        """How many there are."""
        return len(self.in_flight)

    def beat(self, now: float) -> None:
        """Does what is due every `BEAT_S`, and when the window closes: what is measured of the generator ends there."""
        close_at = self._window.close_at
        if self._window.start_at <= self.next_at:
            self.longest_stall_s = max(self.longest_stall_s, min(now, close_at) - self.next_at)
        self.next_at = now + BEAT_S
        if now < close_at < self.next_at:
            self.next_at = close_at
        self._end_expired(now)
        self._chores(now)

    def _end_expired(self, now: float) -> None:
        expired = []
        for poll, sent in self.in_flight.items():
            if now - sent < self._timeout_s:
                break
            expired.append(poll)
        for poll in expired:
            del self.in_flight[poll]
            poll.expire()
