"""What the server itself saw and did, request by request: the truth that a client's figures are held against.

Kept in memory while it serves, which costs an answer some microseconds, and written at its end. Times are seconds from the
first request of the load.
"""

from __future__ import annotations

import csv
import math
from dataclasses import astuple, dataclass, fields
from pathlib import Path


@dataclass(slots=True)
class Entry:
    """One request of the load."""

    connection: int
    """Its number, in the order in which connections were made."""
    came_s: float
    """When its last byte was there."""
    status: int = 0
    """HTTP status of the answer that the program has for it; 0 while it waits to be served."""
    whole: bool = False
    """Whether that is all that its head promises."""
    due_s: float | None = None
    """When the last bytes of the answer are to leave, as worked out; None while it waits, or for never."""
    first_s: float | None = None
    """When the first bytes of the answer left; None for never."""
    done_s: float | None = None
    """When the last ones did; None where the client had gone before, or the server was ended."""


class Ledger:
    """All requests of one load."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._begun_at: float | None = None

    def begin(self, now: float) -> None:
        """The load begins."""
        self._begun_at = now

    def note(self, connection: int, came: float) -> Entry | None:
        """Writes down that a request of the load came; None before the load."""
        if self._begun_at is None:
            return None
        self.entries.append(Entry(connection, came - self._begun_at))
        return self.entries[-1]

    def plan(self, entry: Entry, status: int, due: float, *, whole: bool) -> None:
        """Writes down how it is to be answered, and when the last bytes are to leave; infinite for never."""
        entry.status, entry.whole = status, whole
        entry.due_s = due - (self._begun_at or 0.0) if due < math.inf else None

    def wrote(self, entry: Entry, now: float, *, last: bool) -> None:
        """A piece of its answer has left."""
        at_s = now - (self._begun_at or 0.0)
        entry.first_s = at_s if entry.first_s is None else entry.first_s
        entry.done_s = at_s if last else None

    def write(self, path: Path) -> None:
        """A line a request, in the order in which they came."""
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(field.name for field in fields(Entry))
            rows.writerows(("" if value is None else value for value in astuple(entry)) for entry in self.entries)
