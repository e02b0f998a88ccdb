"""How fast the machine is at this moment, by a loop that is always the same: machines are shared, and drift.

Nothing in, two figures out.
"""

from __future__ import annotations

import time

_STEPS = 400_000
"""Some 20 to 40 ms of Python: as long as the scheduler takes to give others their turn."""


def probe() -> tuple[float, float]:
    """Steps by the second of processor time, and the share of the time for which there was a processor."""
    wall, cpu = time.monotonic(), time.thread_time()
    total = 0
    for step in range(_STEPS):
        total += step
    cpu = time.thread_time() - cpu
    return _STEPS / cpu, min(1.0, cpu / (time.monotonic() - wall))
