"""What is done with a database before and after the load: looked at, filled, counted and cleared. Knows no HTTP.

Nothing but what a run made itself is ever touched: a file of its own, or a schema of its own in the database that it is
told.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from server import payloads
from server.database.access import NOBODY, Access
from server.database.statements import BULK_ID, TABLES

_DRIVERS = ("psycopg", "psycopg-pool", "aiosqlite", "SQLAlchemy", "Django", "asgiref", "channels")
COUNT = f"SELECT sum(polls) FROM device_status WHERE device <> {NOBODY}"


class Refused(Exception):
    """The database cannot be used; the sentence says why, and what to do."""


@dataclass(frozen=True)
class Order:
    """What a run needs."""

    url: str
    """Of a PostgreSQL; empty for SQLite."""
    devices: int
    """Rows: 0 .. devices - 1, and one for who does not say which device asks."""
    status_bytes: int
    bulk_bytes: int
    workers: int
    connections: int
    """Of each worker, at most."""
    delay_s: float


class Keeper(ABC):
    """A database of a run."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._bodies = payloads.body(order.status_bytes).decode(), payloads.body(order.bulk_bytes).decode()

    @abstractmethod
    def check(self) -> None:
        """Makes sure that the database is there and large enough.

        Raises:
            Refused: it is not.
        """

    @abstractmethod
    def prepare(self, folder: Path) -> dict[str, Any]:
        """Makes and fills the tables; `folder` is the run's own. Returns what a record says of the database.

        Raises:
            Refused: it cannot be done.
        """

    @property
    @abstractmethod
    def access(self) -> Access:
        """How a server reaches it, once it is prepared."""

    @abstractmethod
    def count(self) -> int:
        """Polls of A by devices that were written since it was prepared.

        Raises:
            Refused: it does not answer.
        """

    @abstractmethod
    def clear(self) -> None:
        """Removes what was made; may be called at any time, and again.

        Raises:
            Refused: something is left, and where.
        """


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


def keeper(order: Order) -> Keeper:
    """The keeper of the database that is asked for."""
    if not order.url:
        return SqliteKeeper(order)
    from server.database.postgresql_keeper import PostgresqlKeeper

    return PostgresqlKeeper(order)


def packages() -> dict[str, str | None]:
    """Versions of what a server may reach its database with."""
    found: dict[str, str | None] = {}
    for name in _DRIVERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
