"""What is done with a database before and after the load: looked at, filled, counted and cleared. Knows no HTTP.

Nothing but what a run made itself is ever touched: a file of its own, or a schema of its own in the database that it is
told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from server import payloads
from server.database.access import NOBODY, Access

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


def packages() -> dict[str, str | None]:
    """Versions of what a server may reach its database with."""
    found: dict[str, str | None] = {}
    for name in _DRIVERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
