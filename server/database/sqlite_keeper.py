"""An SQLite of a run's own: a file in its folder, filled, counted and removed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from server.database.access import NOBODY, Access
from server.database.keeper import COUNT, Keeper, Refused
from server.database.statements import BULK_ID, TABLES


class SqliteKeeper(Keeper):
    """A file in the run's folder, as long as the run goes on."""

    _file: Path | None = None

    def check(self) -> None:
        if sqlite3.sqlite_version_info < (3, 35):
            raise Refused(f"SQLite {sqlite3.sqlite_version} has no UPDATE ... RETURNING: 3.35 or newer is needed")

    def prepare(self, folder: Path) -> dict[str, Any]:
        self._file = folder / "database.sqlite3"
        status, bulk = self._bodies
        try:
            with closing(sqlite3.connect(self._file)) as connection, connection:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                for table in TABLES:
                    connection.execute(table)
                devices = ((device, status) for device in range(NOBODY, self._order.devices))
                connection.executemany("INSERT INTO device_status VALUES (?, 0, CURRENT_TIMESTAMP, ?)", devices)
                connection.execute("INSERT INTO bulk VALUES (?, ?)", (BULK_ID, bulk))
        except sqlite3.Error as error:
            raise Refused(f"an SQLite file cannot be made in the run's folder ({error})") from None
        return {"kind": "sqlite", "version": sqlite3.sqlite_version, "journal_mode": mode, "synchronous": "normal"}

    @property
    def access(self) -> Access:
        return Access("", str(self._file), "", self._order.connections, self._order.delay_s)

    def count(self) -> int:
        assert self._file is not None
        try:
            with closing(sqlite3.connect(self._file)) as connection:
                return int(connection.execute(COUNT).fetchone()[0])
        except sqlite3.Error as error:
            raise Refused(f"the SQLite of this run could not be read at its end ({error})") from None

    def clear(self) -> None:
        if self._file is not None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._file}{suffix}").unlink(missing_ok=True)
