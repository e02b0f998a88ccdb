"""Rows by a driver, without an ORM: psycopg's pool on PostgreSQL, on SQLite a pool of aiosqlite's threads."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Protocol

from server.database.access import CONNECT_S, SQLITE_PRAGMAS, WAIT_S, Access
from server.database.statements import BULK_ID, FETCH, PG_FETCH, PG_POLL, PG_WAIT, POLL, SLEEP, WAIT
from server.database.together import Together


class Rows(Protocol):
    """What an asynchronous application asks of its database; bodies are text, None where there is no such row."""

    together: Together

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises when the database fails."""

    async def open(self) -> None:
        """Called when the application starts."""

    async def close(self) -> None:
        """Called when it ends."""

    async def poll(self, device: int) -> str | None:
        """A: notes that this device asked, and reads its status."""

    async def fetch(self) -> str | None:
        """B: reads the large block of data."""


class PostgresqlRows:
    """One round trip a request, and one more where a delay is asked for."""

    def __init__(self, access: Access) -> None:
        import psycopg
        from psycopg_pool import AsyncConnectionPool, PoolTimeout

        self.together = Together(access.connections)
        self.errors = (psycopg.Error, PoolTimeout)
        self._delay_s = access.delay_s
        self._pool = AsyncConnectionPool(
            kwargs={**access.connect_arguments(), "autocommit": True},
            min_size=access.connections,
            max_size=access.connections,
            timeout=WAIT_S,
            open=False,
        )

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=CONNECT_S)

    async def close(self) -> None:
        await self._pool.close()

    async def poll(self, device: int) -> str | None:
        return await self._ask(PG_POLL, device)

    async def fetch(self) -> str | None:
        return await self._ask(PG_FETCH, BULK_ID)

    async def _ask(self, statement: str, key: int) -> str | None:
        async with self._pool.connection() as connection:
            with self.together:
                if self._delay_s:
                    await connection.execute(PG_WAIT, (self._delay_s,))
                row = await (await connection.execute(statement, (key,))).fetchone()
        return row[0] if row else None


class SqliteRows:
    """One statement per request, in the thread of a connection, and one more where a delay is asked for."""

    errors = (sqlite3.Error,)

    def __init__(self, access: Access) -> None:
        self.together = Together(access.connections)
        self._access = access
        self._all: list[Any] = []
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()

    async def open(self) -> None:
        import aiosqlite

        for _ in range(self._access.connections):
            connection = await aiosqlite.connect(self._access.file, isolation_level=None)
            self._all.append(connection)
            for pragma in SQLITE_PRAGMAS:
                await connection.execute(pragma)
            await connection.create_function(*SLEEP)
            self._free.put_nowait(connection)

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    async def poll(self, device: int) -> str | None:
        return await self._ask(POLL, device)

    async def fetch(self) -> str | None:
        return await self._ask(FETCH, BULK_ID)

    async def _ask(self, statement: str, key: int) -> str | None:
        connection = await self._free.get()
        try:
            with self.together:
                if self._access.delay_s:
                    await connection.execute_fetchall(WAIT, (self._access.delay_s,))
                rows = await connection.execute_fetchall(statement, (key,))
        finally:
            self._free.put_nowait(connection)
        return rows[0][0] if rows else None


def rows_of(access: Access) -> Rows:
    """The rows of that database."""
    return PostgresqlRows(access) if access.url else SqliteRows(access)
