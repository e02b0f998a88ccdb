"""How far another machine's monotonic clock is from ours, by asking it for the time.

An answer came from somewhere between question and receipt. Taking the middle is wrong by at most half the round trip, so
the quickest of several round trips is used.

Source: Mills, "Network Time Protocol", RFC 5905, section 8, with one timestamp at the other end instead of two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_ROUND_TRIPS = 20


@dataclass(frozen=True)
class ClockOffset:
    """What one clock shows at an instant of the other."""

    offset_s: float
    """The other clock less ours."""
    error_s: float
    """By how much that may be wrong, either way."""


def measure(ask: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> ClockOffset:
    """Measures an offset.

    Args:
        ask: tells what the other clock shows.
        clock: ours.
    """
    return min((_once(ask, clock) for _ in range(_ROUND_TRIPS)), key=lambda found: found.error_s)


def _once(ask: Callable[[], float], clock: Callable[[], float]) -> ClockOffset:
    before = clock()
    theirs = ask()
    after = clock()
    return ClockOffset(theirs - (before + after) / 2, (after - before) / 2)
