"""The kernel's own timer as a file, precise to microseconds, where the platform has it (Linux).

Python has it from 3.13 on (os.timerfd_create); ctypes serves all versions alike.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import time

_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerFd:
    """A file that becomes readable once at an instant of the monotonic clock.

    Raises:
        OSError: the platform has none, or a sandbox forbids it.
    """

    def __init__(self) -> None:
        # PERF: PyDLL keeps the interpreter lock, which another thread could take otherwise; both calls return at once.
        libc = ctypes.PyDLL(None, use_errno=True) if sys.platform == "linux" else None
        if libc is None or not hasattr(libc, "timerfd_create"):
            raise OSError("this platform has no timerfd")
        self.fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._settime = libc.timerfd_settime
        self._spec = _Itimerspec()
        self._spec_pointer = ctypes.byref(self._spec)

    def arm(self, at: float) -> None:
        """Sets the instant; an earlier setting, and that it had come, are forgotten."""
        # An instant of zero would disarm the timer, and rounding down could wake a device before its poll is due.
        nanoseconds = max(1, math.ceil(at * 1e9))
        value = self._spec.value
        value.seconds, value.nanoseconds = divmod(nanoseconds, 1_000_000_000)
        self._settime(self.fd, _TFD_TIMER_ABSTIME, self._spec_pointer, None)

    def close(self) -> None:
        """Ends the timer."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
