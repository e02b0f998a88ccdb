"""CPU time of a process, all its threads that are and were, as exactly as the platform counts it.

Source: clock_getcpuclockid(3) and posix-cpu-timers.c of Linux: a process has a clock that counts nanoseconds as the
scheduler does, the same as /proc/<pid>/task/*/schedstat has for each thread that is still there. The user and system times
of /proc/<pid>/stat are the same sum, cut to ticks of a hundredth of a second.
"""

from __future__ import annotations

import os
import sys
import time

import psutil

_SCHEDULER_CLOCK = 2
"""CPUCLOCK_SCHED, in include/linux/posix-timers_types.h."""
TICK_S = 0.01
"""What psutil's figures are counted in, where there is no such clock."""


def of(process: psutil.Process) -> float:
    """Seconds of CPU time so far.

    Raises:
        psutil.Error: the process is gone.
    """
    if sys.platform == "linux":
        try:
            return time.clock_gettime((~process.pid << 3) | _SCHEDULER_CLOCK)
        except OSError:
            pass
    times = process.cpu_times()
    return float(times.user + times.system)


def resolution_s() -> float:
    """How finely it is counted here."""
    if sys.platform == "linux":
        try:
            return time.clock_getres((~os.getpid() << 3) | _SCHEDULER_CLOCK)
        except OSError:
            pass
    return TICK_S
