"""What happened to cells, and why: JSON lines, only ever appended to.

It tells people; nothing is decided by it. What state a cell is in is seen from what lies in its folder.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Journal:
    """`journal.jsonl` of a folder of cells."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, event: str, **facts: Any) -> None:
        """Appends a line, in one write.

        Raises:
            OSError: the disk is full, the folder is gone.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"at": at, "event": event, **facts}, allow_nan=False) + "\n"
        with self._path.open("ab") as file:
            # A line that a kill has cut off must not swallow the next one.
            file.write(b"\n" * self._torn() + line.encode())

    def events(self) -> list[dict[str, Any]]:
        """All lines that are whole, oldest first."""
        try:
            lines = self._path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [event for line in lines if isinstance(event := _parsed(line), dict)]

    def _torn(self) -> bool:
        with self._path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
