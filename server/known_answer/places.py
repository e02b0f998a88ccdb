"""Who is served where only so many connections are at a time: first come, first served, and a place is kept until its end.

This is how waitress behaves with its `connection_limit`: what comes beyond waits in the backlog, connected and unanswered.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

_Connection = TypeVar("_Connection")


class Places(Generic[_Connection]):
    """The places of one server; 0 for no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._serving: set[_Connection] = set()
        self._waiting: deque[_Connection] = deque()

    def take(self, connection: _Connection) -> bool:
        """Whether a connection is served, now or from before."""
        if connection in self._serving or not self._most or len(self._serving) < self._most:
            self._serving.add(connection)
            return True
        if connection not in self._waiting:
            self._waiting.append(connection)
        return False

    def leave(self, connection: _Connection) -> _Connection | None:
        """A connection has ended.

        Returns:
            The one that has waited longest and now has its place; None where nobody gets one.
        """
        if connection in self._waiting:
            self._waiting.remove(connection)
        if connection not in self._serving:
            return None
        self._serving.discard(connection)
        if not self._waiting:
            return None
        served = self._waiting.popleft()
        self._serving.add(served)
        return served
