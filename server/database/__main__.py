"""Keeps a run's database: `python -m server.database`, told by JSON lines on standard input, answering on standard output.

    in   {"order": {...}}      out  {"checked": true}
    in   {"folder": path}      out  {"prepared": {facts}, "environment": {for the server}}
    in   {"count": true}       out  {"polls": number}
    end of input               out  {"cleared": true}, and it ends; so nothing is left, also when the starter was killed

Instead of each answer there may be {"refused": "why, in one sentence"}; after those to the first two it ends as well.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from server.database.keeper import Keeper, Order, Refused, packages
from server.database.sqlite_keeper import SqliteKeeper


def main() -> None:
    """The process: one database."""
    # Whoever ends a whole group of processes does not mean this one, which has to clear up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    orders = _orders()
    kept = keeper(Order(**next(orders)["order"]))
    try:
        kept.check()
        _say(checked=True)
        for order in orders:
            _obey(kept, order)
    except Refused as refusal:
        _say(refused=str(refusal))
    finally:
        _clear(kept)


def keeper(order: Order) -> Keeper:
    """The keeper of the database that is asked for."""
    if not order.url:
        return SqliteKeeper(order)
    # Only who has a PostgreSQL needs its driver.
    from server.database.postgresql_keeper import PostgresqlKeeper

    return PostgresqlKeeper(order)


def _obey(kept: Keeper, order: dict[str, Any]) -> None:
    if "folder" in order:
        facts = kept.prepare(Path(order["folder"]))
        _say(prepared=facts | {"packages": packages()}, environment=kept.access.to_environment())
    else:
        try:
            _say(polls=kept.count())
        except Refused as refusal:  # It was there; that it is not any more belongs to the run.
            _say(refused=str(refusal))


def _clear(kept: Keeper) -> None:
    try:
        kept.clear()
        _say(cleared=True)
    except Refused as refusal:
        _say(refused=str(refusal))


def _orders() -> Iterator[dict[str, Any]]:
    while (line := sys.stdin.readline()).endswith("\n"):
        yield json.loads(line)


def _say(**words: Any) -> None:
    with suppress(BrokenPipeError):  # The starter is gone; what was made is cleared all the same.
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
