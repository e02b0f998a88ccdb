"""Rows by SQLAlchemy's asynchronous ORM: psycopg on PostgreSQL, aiosqlite on SQLite."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from sqlalchemy import URL, BigInteger, event, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from server.database.access import SQLITE_PRAGMAS, WAIT_S, Access
from server.database.statements import BULK_ID, SLEEP
from server.database.together import Together


class _Base(DeclarativeBase):
    pass


class _Device(_Base):
    __tablename__ = "device_status"

    device: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    polls: Mapped[int]
    seen_at: Mapped[datetime]
    body: Mapped[str]


class _Bulk(_Base):
    __tablename__ = "bulk"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    body: Mapped[str]


class SqlalchemyRows:
    """A session per request: an UPDATE and a get in one transaction for A, a get for B."""

    errors = (SQLAlchemyError, sqlite3.Error)

    def __init__(self, access: Access) -> None:
        self.together = Together(access.connections)
        self._delay_s = access.delay_s
        self._engine = _engine(access)
        self._session = async_sessionmaker(self._engine, expire_on_commit=False)

    async def open(self) -> None:
        async with self._engine.connect():  # It is known at the start whether it can be reached.
            pass

    async def close(self) -> None:
        await self._engine.dispose()

    async def poll(self, device: int) -> str | None:
        async with self._session.begin() as session:
            await session.connection()
            with self.together:
                await self._wait(session)
                polled = update(_Device).where(_Device.device == device)
                await session.execute(polled.values(polls=_Device.polls + 1, seen_at=func.current_timestamp()))
                found = await session.get(_Device, device)
        return found.body if found else None

    async def fetch(self) -> str | None:
        async with self._session() as session:
            await session.connection()
            with self.together:
                await self._wait(session)
                found = await session.get(_Bulk, BULK_ID)
        return found.body if found else None

    async def _wait(self, session: AsyncSession) -> None:
        if self._delay_s:
            await session.execute(select(func.pg_sleep(self._delay_s)))


def _engine(access: Access) -> AsyncEngine:
    pool = {"pool_size": access.connections, "max_overflow": 0, "pool_timeout": WAIT_S}
    if access.url:
        url = URL.create("postgresql+psycopg")
        return create_async_engine(url, connect_args=access.connect_arguments(), **pool)
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=access.file), **pool)
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
    connection.create_function(*SLEEP)
