"""How a server reaches its database. It travels as environment variables, like the settings of an application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from server.database.url import Address, parse

if TYPE_CHECKING:
    from typing import Self  # Channels 3 asks on Python 3.9 whether there is a database.

_VARIABLE = "LAB_DATABASE"

NOBODY = -1
"""The device of a request that does not say which one asks, as when an experimenter looks."""
HEADER = "X-Device"
"""Says which device asks, by its number."""
CONNECT_S = 10
"""How long a connection may take to be made."""
WAIT_S = 30
"""How long a request may wait for a connection of its pool, or a statement for SQLite's lock: what pools have by default."""
SQLITE_PRAGMAS = ("PRAGMA synchronous = NORMAL", f"PRAGMA busy_timeout = {WAIT_S * 1000}")
"""Of every connection. WAL is kept in the file itself."""


@dataclass(frozen=True)
class Access:
    """Which database, and how much of it a worker may have."""

    url: str
    """Of a PostgreSQL, with its password; empty for SQLite."""
    file: str
    """Of an SQLite; empty for PostgreSQL."""
    schema: str
    """Of a PostgreSQL: what holds the tables of this run, and of no other."""
    connections: int
    """Of each worker, at most."""
    delay_s: float
    """How long the database waits for each request, in a statement of its own."""

    @property
    def address(self) -> Address:
        """Where the PostgreSQL is."""
        return parse(self.url)

    def connect_arguments(self) -> dict[str, str | int]:
        """What psycopg must be told to connect; libpq adds what it knows of passwords."""
        return {**self.address.libpq(), "options": f"-c search_path={self.schema}", "connect_timeout": CONNECT_S}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self | None:
        """Reads it; None where a server is to have no database."""
        text = environ.get(_VARIABLE)
        return cls(**json.loads(text)) if text else None

    def to_environment(self) -> dict[str, str]:
        """The variable from which `from_environment` makes the same."""
        return {_VARIABLE: json.dumps(asdict(self))}


def device(header: str | None) -> int | None:
    """The number that a request names; None for what is none."""
    if header is None:
        return NOBODY
    return int(header) if header.isascii() and header.isdigit() and len(header) < 10 else None
