"""How far work of many turns is, and when it will be over: one time-stamped line a turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_ENOUGH = 3


class Announcer:
    """Counts the runs that are begun, and takes those to come for as long as those that are over."""

    def __init__(
        self, runs: int, write: Callable[[str], object], run_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins now.

        Args:
            runs: how many will be announced.
            write: takes a line.
            run_s: how long one takes, until some are over.
            clock: seconds, monotonic.
        """
        self._runs = runs
        self._write = write
        self._run_s = run_s
        self._clock = clock
        self._began = clock()
        self._begun = 0

    def __call__(self, what: str) -> None:
        """Announces the next run."""
        over, elapsed_s = self._begun, self._clock() - self._began
        each_s = elapsed_s / over if over >= _ENOUGH else self._run_s
        left_s = max(0, self._runs - over) * each_s
        self._begun += 1
        now = datetime.now(UTC)
        end = now + timedelta(seconds=left_s)
        place = f"{self._begun} of {max(self._runs, self._begun)}"
        self._write(f"{now:%H:%M:%S}Z  {place}: {what}; {_about(left_s)} left, until {end:%H:%M}Z")


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {10 * round(seconds / 10)} s"
