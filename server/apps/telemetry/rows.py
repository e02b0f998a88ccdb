"""What devices reported last, kept in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


class Rows:
    """The last status of each device, in SQLite, written by one thread so that the loop never waits for the disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._database: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Starts the thread, and makes the table where it is missing."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rows")
        await self._run(self._open)

    async def keep(self, device: str, temp: float, round_: int) -> None:
        """Writes the status of a device in place of the one before."""
        await self._run(self._keep, device, temp, round_)

    async def close(self) -> None:
        """Closes the file, and removes it if it was this process's own."""
        await self._run(self._close)
        if self._thread:
            self._thread.shutdown()
        if self._folder:
            self._folder.cleanup()

    async def _run(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _open(self) -> None:
        path = self._path
        if not path:
            self._folder = tempfile.TemporaryDirectory(prefix="telemetry-")
            path = str(Path(self._folder.name) / "rows.db")
        self._database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "CREATE TABLE IF NOT EXISTS status (device TEXT PRIMARY KEY, temp REAL, round INTEGER, seen TEXT) WITHOUT ROWID",
        ):
            self._database.execute(statement).close()

    def _keep(self, device: str, temp: float, round_: int) -> None:
        assert self._database is not None
        self._database.execute(
            "INSERT INTO status VALUES (?, ?, ?, CURRENT_TIMESTAMP) ON CONFLICT (device) DO UPDATE SET"
            " temp = excluded.temp, round = excluded.round, seen = excluded.seen",
            (device, temp, round_),
        ).close()

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
