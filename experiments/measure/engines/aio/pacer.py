"""Waking devices when their polls are due, precisely and for a whole shard at once.

An event loop's own timers are whole milliseconds: they would send a poll up to a millisecond early or late, which is more
than the answer takes. Where the platform has timerfd, one such timer serves all devices of a shard; elsewhere the loop's
timer is used, rounded up, since a poll must never be sent before it is due.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import os
import time
from collections.abc import Callable
from typing import Protocol

from experiments.measure.engines.timerfd import TimerFd


class Timer(Protocol):
    """Calls back once at an instant of the monotonic clock."""

    def arm(self, at: float) -> None:
        """Sets the instant; an earlier setting is forgotten."""

    def close(self) -> None:
        """Ends the timer."""


class Pacer:
    """Lets coroutines wait for an instant of the monotonic clock."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._armed_for = math.inf
        self._timer: Timer = make_timer(self._fire)

    async def until(self, at: float) -> None:
        """Returns at the instant `at`, never before; or at once when the pacer is released."""
        future = self._loop.create_future()
        heapq.heappush(self._waiting, (at, next(self._order), future))
        if at < self._armed_for:
            self._armed_for = at
            self._timer.arm(at)
        await future

    def release(self) -> None:
        """Wakes everybody now, as when a run is cut short."""
        for _, _, future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        """Wakes everybody and ends the timer."""
        self.release()
        self._timer.close()

    def _fire(self) -> None:
        now = time.monotonic()
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            future = heapq.heappop(waiting)[2]
            if not future.done():
                future.set_result(None)
        self._armed_for = waiting[0][0] if waiting else math.inf
        if waiting:
            self._timer.arm(self._armed_for)


def make_timer(callback: Callable[[], None]) -> Timer:
    """The most precise timer that this platform has; call it from within the event loop."""
    try:
        return _TimerFd(callback)
    except OSError:  # The loop's timer is coarser, and lag shows it.
        return _LoopTimer(callback)


class _LoopTimer:
    """The loop's own timer, rounded up to its resolution of 1 ms."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, at: float) -> None:
        self.close()
        self._handle = self._loop.call_later(max(0.0, at - time.monotonic()) + 0.001, self._callback)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _TimerFd:
    """timerfd, watched by the loop."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._timer = TimerFd()
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._timer.fd, self._expired)
        self.arm = self._timer.arm

    def close(self) -> None:
        if self._timer.fd >= 0:
            self._loop.remove_reader(self._timer.fd)
            self._timer.close()

    def _expired(self) -> None:
        try:
            os.read(self._timer.fd, 8)
        except BlockingIOError:
            return  # Armed anew since the wake-up was queued.
        self._callback()
