"""How many requests were within their database work at once: what a worker says of itself, and fails with."""

from __future__ import annotations

import sys
import time
from threading import Lock
from types import TracebackType

_TELL_EVERY_S = 1.0


class Together:
    """`with together:` around the database work of each request, in whichever thread or task it is done.

    Args:
        connections: there can never be more than so many; who waits for one may be counted, but is not within.
    """

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._lock = Lock()
        self._now = self._most = 0
        self._failed = 0
        self._told_at = 0.0

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self._most = max(self._most, self._now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._now -= 1

    @property
    def most(self) -> int:
        """At once, so far."""
        return min(self._most, self._connections)

    def refusal(self, error: Exception) -> str:
        """What to answer, with 503, to a request whose database work failed; the log hears of it once a second."""
        said = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        with self._lock:
            self._failed += 1
            tell = time.monotonic() >= self._told_at + _TELL_EVERY_S
            if tell:
                self._told_at = time.monotonic()
        if tell:
            sys.stderr.write(f"The database failed {self._failed} requests so far, the last with {said}\n")
            sys.stderr.flush()
        return "The database does not answer.\n"
