"""A schema of a run's own in somebody's PostgreSQL: looked at, filled, counted and dropped.

The words of the driver never hold a password, but are masked all the same.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.database.access import NOBODY, Access
from server.database.keeper import COUNT, Keeper, Order, Refused
from server.database.statements import BULK_ID, TABLES
from server.database.url import masked

if TYPE_CHECKING:
    import psycopg

_LOCK_TIMEOUT_S = 5
_FILLED = "INSERT INTO device_status SELECT one, 0, now(), %s FROM generate_series(%s::bigint, %s::bigint) AS one"
_WRITABLE = "SELECT has_database_privilege(current_database(), 'CREATE') AND NOT pg_is_in_recovery()"
_FREE = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) - count(*)::int
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class PostgresqlKeeper(Keeper):
    """A schema of the run's own, as long as the run goes on."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self._schema = f"lab_{secrets.token_hex(8)}"
        self._made = False

    def check(self) -> None:
        wanted = self._order.workers * self._order.connections
        with self._connected("cannot be used") as connection:
            (version,) = self._row(connection, "SELECT current_setting('server_version_num')::int")
            most = self._setting(connection, "max_connections")
            (free,) = self._row(connection, _FREE)
            (writable,) = self._row(connection, _WRITABLE)
        if version < 100_000:
            raise Refused(f"{self._named} is too old: PostgreSQL 10 or newer is needed")
        if not writable:
            raise Refused(f"{self._named} lets this role make no schema there: GRANT CREATE ON DATABASE, or take another")
        if wanted > free:
            raise Refused(
                f"workers={self._order.workers} with db_connections={self._order.connections} need {wanted} connections, "
                f"and {self._named} has {max(0, free)} free of max_connections={most}: take fewer, or allow more there"
            )

    def prepare(self, folder: Path) -> dict[str, Any]:
        status, bulk = self._bodies
        self._made = True  # Perhaps: an answer may be lost on its way.
        with self._connected("cannot be prepared") as connection:
            with connection.transaction():
                connection.execute(f"CREATE SCHEMA {self._schema}")
                for table in TABLES:
                    connection.execute(table)
                connection.execute(_FILLED, (status, NOBODY, self._order.devices - 1))
                connection.execute("INSERT INTO bulk VALUES (%s, %s)", (BULK_ID, bulk))
            connection.execute("ANALYZE device_status")
            return {
                "kind": "postgresql",
                "version": self._setting(connection, "server_version"),
                "synchronous_commit": self._setting(connection, "synchronous_commit"),
                "fsync": self._setting(connection, "fsync"),
                "max_connections": int(self._setting(connection, "max_connections")),
                "main_pid": _main_pid(connection),
            }

    @property
    def access(self) -> Access:
        return Access(self._order.url, "", self._schema, self._order.connections, self._order.delay_s)

    def count(self) -> int:
        with self._connected("did not answer at the end of the run") as connection:
            (polls,) = self._row(connection, COUNT)
        return int(polls)

    def clear(self) -> None:
        if not self._made:
            return
        doing = f"did not answer at the end, and keeps what this run made: DROP SCHEMA {self._schema} CASCADE"
        with self._connected(doing) as connection:
            connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'")
            connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
        self._made = False

    @property
    def _named(self) -> str:
        return f"database_url={self.access.address.shown!r}"

    def _connected(self, doing: str) -> _Connected:
        return _Connected(self.access, f"{self._named} {doing}")

    def _setting(self, connection: psycopg.Connection[Any], name: str) -> str:
        return str(self._row(connection, "SELECT current_setting(%s)", (name,))[0])

    def _row(self, connection: psycopg.Connection[Any], query: str, values: tuple[object, ...] = ()) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
        assert row is not None  # Each of these queries has one row.
        return row


class _Connected:
    """A connection for a while; what the driver raises meanwhile becomes one sentence."""

    def __init__(self, access: Access, failing: str) -> None:
        self._access = access
        self._failing = failing

    def __enter__(self) -> psycopg.Connection[Any]:
        import psycopg

        self._error = psycopg.Error
        try:
            arguments: dict[str, Any] = self._access.connect_arguments()
            self._connection = psycopg.connect(**arguments, autocommit=True)
        except psycopg.Error as error:
            raise self._refused(error) from None
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._connection.close()
        if isinstance(error, self._error):
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> Refused:
        said = masked(" ".join(str(error).split()))[:300] or type(error).__name__
        return Refused(f"{self._failing} ({said})")


def _main_pid(connection: psycopg.Connection[Any]) -> int | None:
    """The process that all of a PostgreSQL's descend from, if it runs on this machine: the parent of a connection's own."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat")
    with suppress(OSError):
        name, _, rest = stat.read_text().rpartition(")")
        if name.endswith("(postgres"):
            return int(rest.split()[1])
    return None
