"""The database of a run, in words: what it was, how much of it the server used at once, and what it does on a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present.format import count, number, plural
from experiments.scenario import Scenario

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def sentences(database: Mapping[str, Any] | None, scenario: Scenario) -> list[str]:
    """What must be known to read the figures; nothing where the server had no database."""
    if not database:
        return []
    delay = f", and each request waits {number(scenario.db_delay_ms)} ms in it" if scenario.db_delay_ms else ""
    said = [f"Database: {kind(database)}, at most {plural(database['connections'], 'connection')} a worker{delay}."]
    if at_once := database.get("at_once"):
        said.append(f"At most {plural(at_once, 'request')} of a worker {_were(at_once)} within database work at once.")
    if at_once == 1 and database.get("serial"):
        said.append(str(database["serial"]))
    if database.get("error"):
        said.append(f"The database failed: {database['error']}")
    return said


def kind(database: Mapping[str, Any]) -> str:
    """`SQLite 3.40.1`, `PostgreSQL 15.8`."""
    name = str(database.get("kind"))
    return f"{_NAMES.get(name, name)} {str(database.get('version')).split(' ')[0]}"


def facts(database: Mapping[str, Any]) -> list[tuple[str, object]]:
    """All of it, for whoever wants to judge or repeat the run."""
    packages = database.get("packages") or {}
    return [
        ("database", kind(database)),
        ("journal", database.get("journal_mode")),
        ("synchronous", database.get("synchronous") or database.get("synchronous_commit")),
        ("fsync", database.get("fsync")),
        ("max_connections", database.get("max_connections")),
        ("connections a worker, at most", database.get("connections")),
        ("requests of a worker within database work at once, at most", count(database.get("at_once"))),
        ("polls written", count(database.get("polls_written"))),
        ("on a request", database.get("rows")),
        ("one after the other", database.get("serial")),
        ("drivers", ", ".join(f"{name} {version}" for name, version in packages.items() if version)),
        ("failed", database.get("error")),
        ("left behind", database.get("left_behind")),
    ]


def _were(number_of: int) -> str:
    return "was" if number_of == 1 else "were"
