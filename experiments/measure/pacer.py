"""Waking devices when their polls are due, precisely and for a whole shard at once.

An event loop's own timers are whole milliseconds: they would send a poll up to a millisecond early or late, which is more
than the answer takes. Where the platform has timerfd, one such timer serves all devices of a shard; elsewhere the loop's
timer is used, rounded up, since a poll must never be sent before it is due.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1


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
    if sys.platform == "linux":
        try:
            return _TimerFd(callback)
        except OSError:
            pass  # A sandbox may forbid timerfd; the loop's timer is coarser, and lag shows it.
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


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _TimerFd:
    """timerfd on the monotonic clock. Python has it from 3.13 on (os.timerfd_create); ctypes serves all versions alike."""

    def __init__(self, callback: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "timerfd_create"):
            raise OSError("the C library has no timerfd")
        self._fd = libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._settime = libc.timerfd_settime
        self._spec = _Itimerspec()
        self._spec_pointer = ctypes.byref(self._spec)
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._expired)

    def arm(self, at: float) -> None:
        # An instant of zero would disarm the timer, and rounding down could wake a device before its poll is due.
        nanoseconds = max(1, math.ceil(at * 1e9))
        value = self._spec.value
        value.seconds, value.nanoseconds = divmod(nanoseconds, 1_000_000_000)
        self._settime(self._fd, _TFD_TIMER_ABSTIME, self._spec_pointer, None)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # Armed anew since the wake-up was queued.
        self._callback()
