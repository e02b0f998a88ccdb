"""One slow timer of a shard's loop: ends polls that took too long, and notices when the loop itself was held up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

_BEAT_S = 0.02


class Expiring(Protocol):
    """Something that can be told that its time is over."""

    def expire(self) -> None:
        """Called once when the timeout has passed."""


class Heartbeat:
    """Watches polls in flight, and the loop.

    All polls have the same timeout, so the order in which they began is the order in which they expire: a dict, which
    keeps that order, replaces a timer a poll. A timeout is noticed up to one beat (20 ms) late.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._in_flight: dict[Expiring, float] = {}
        self._loop = asyncio.get_running_loop()
        self._expected = clock() + _BEAT_S
        self._handle = self._loop.call_later(_BEAT_S, self._beat)
        self.longest_stall_s = 0.0
        """Longest time by which a beat came too late: how long the loop once did nothing for its devices."""

    @property
    def in_flight(self) -> int:
        """Polls that were sent and have not ended."""
        return len(self._in_flight)

    def watch(self, poll: Expiring, since: float) -> None:
        """Starts the timeout of a poll."""
        self._in_flight[poll] = since + self._timeout_s

    def release(self, poll: Expiring) -> None:
        """Ends it; a poll that has expired is known no more."""
        self._in_flight.pop(poll, None)

    def forget_stalls(self) -> None:
        """Starts counting stalls anew, as when the warm-up ends."""
        self.longest_stall_s = 0.0

    def close(self) -> None:
        """Stops beating."""
        self._handle.cancel()

    def _beat(self) -> None:
        now = self._clock()
        self.longest_stall_s = max(self.longest_stall_s, now - self._expected)
        expired = []
        for poll, deadline in self._in_flight.items():
            if deadline > now:
                break
            expired.append(poll)
        for poll in expired:
            del self._in_flight[poll]
            poll.expire()
        self._expected = now + _BEAT_S
        self._handle = self._loop.call_later(_BEAT_S, self._beat)
