"""Calling back at instants of the monotonic clock, to within about 0.1 ms.

An event loop's own timers are whole milliseconds. On Linux one timerfd serves all callbacks of a loop; elsewhere the
loop's timers are used as they are.
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

_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE = 1


class Alarms:
    """The callbacks of one event loop; make it from within that loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._armed_for = math.inf
        self._arm = _timerfd(self._loop, self._ring) or self._arm_loop

    def at(self, when: float, callback: Callable[[], object]) -> None:
        """Calls back at `when`, never before."""
        heapq.heappush(self._waiting, (when, next(self._order), callback))
        if when < self._armed_for:
            self._armed_for = when
            self._arm(when)

    def _ring(self) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= time.monotonic():
            heapq.heappop(waiting)[2]()
        self._armed_for = waiting[0][0] if waiting else math.inf
        if waiting:
            self._arm(self._armed_for)

    def _arm_loop(self, when: float) -> None:
        self._loop.call_later(max(0.0, when - time.monotonic()), self._ring)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def _timerfd(loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> Callable[[float], None] | None:
    """What sets the one timer, or None where there is none. Python has it from 3.13 on; ctypes serves all versions alike."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC) if hasattr(libc, "timerfd_create") else -1
    if fd < 0:
        return None  # A sandbox may forbid it.
    spec = _Itimerspec()

    def arm(when: float) -> None:
        # Rounded up, since an answer must not leave early; zero would disarm the timer.
        spec.value.seconds, spec.value.nanoseconds = divmod(max(1, math.ceil(when * 1e9)), 1_000_000_000)
        libc.timerfd_settime(fd, _ABSOLUTE, ctypes.byref(spec), None)

    def expired() -> None:
        try:
            os.read(fd, 8)
        except BlockingIOError:
            return  # Armed anew since the wake-up was queued.
        ring()

    loop.add_reader(fd, expired)
    return arm
