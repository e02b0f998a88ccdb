"""The tables and the statements of those systems that write SQL themselves; `orm` systems make their own.

The same words for SQLite and PostgreSQL, but for how they mark a parameter.
"""

from __future__ import annotations

import time

TABLES = (
    "CREATE TABLE device_status (device BIGINT PRIMARY KEY, polls BIGINT NOT NULL, "
    "seen_at TIMESTAMP WITH TIME ZONE NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE bulk (id BIGINT PRIMARY KEY, body TEXT NOT NULL)",
)
BULK_ID = 1
"""There is one block of data, which all devices fetch."""

_STATEMENTS = (
    "UPDATE device_status SET polls = polls + 1, seen_at = CURRENT_TIMESTAMP WHERE device = {} RETURNING body",
    "SELECT body FROM bulk WHERE id = {}",
    "SELECT pg_sleep({})",
)
POLL, FETCH, WAIT = (statement.format("?") for statement in _STATEMENTS)
"""A: one statement that writes and reads. B: one that reads. Before either, where a delay is asked for, one that waits."""
PG_POLL, PG_FETCH, PG_WAIT = (statement.format("%s") for statement in _STATEMENTS)

SLEEP = ("pg_sleep", 1, time.sleep)
"""Makes PostgreSQL's function known to a connection of SQLite: the thread that runs the statement waits."""
