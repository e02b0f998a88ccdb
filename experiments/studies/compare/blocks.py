"""Which cells a comparison has: duets, then block by block. What was asked -> cells in their order; pure, starts nothing.

In a duet a system is polled at once with what it is held against, by one swarm, so that what disturbs the machine disturbs
both. What cannot share a database is measured in blocks: a block holds every system once for each series, and Falcon once
more, to be held against itself. The systems of a series follow one another, so that those that are paired are neighbours in
time; their order, and that of the series, is drawn anew for each block. What is measured only once, memory and requests that
wait, is at the end of the first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from experiments.studies.cells import Cell
from experiments.studies.compare.params import FALCON, Asked, Series
from experiments.studies.compare.runs import Role

_MEMORY_INTERVAL_S = 5.0
_MEMORY_WINDOW_S = 3.0
_MEMORY: dict[str, Any] = {
    "interval_ms": 1000 * _MEMORY_INTERVAL_S,
    "ratio": "1:0",
    "warmup_s": _MEMORY_INTERVAL_S + 1.0,
    "minutes": _MEMORY_WINDOW_S / 60,
}
"""Many devices that poll seldom: what their connections hold is looked for, and all are connected after an interval."""
_SERIAL_SYSTEMS = (FALCON, "django-asgi", "channels")
_SERIAL_CLIENTS = 8
_SERIAL: dict[str, Any] = {
    "workload": "database",
    "clients": _SERIAL_CLIENTS,
    "phase": "together",
    "ratio": "1:0",
    "db_delay_ms": 200.0,
    "db_connections": _SERIAL_CLIENTS,
    "interval_ms": 2000.0,
    "warmup_s": 2.0,
    "minutes": 0.1,
}
"""Three rounds of devices that ask together: a median of 24 polls is supported, and the slowest is the answer."""


@dataclass(frozen=True)
class Planned:
    """A run to be made, and where in the comparison it belongs."""

    system: str
    role: Role
    series: Series
    block: int
    """From 1."""
    cell: Cell


def duets(asked: Asked) -> list[Planned]:
    """Every system beside what it is held against, and that beside itself, in an order that was drawn; a run each."""
    made = []
    for series in filter(asked.in_duets, asked.series):
        others = [name for name in _able(asked, series) if name != asked.reference]
        made += [_duet(asked, name, "duet", series) for name in others]
        made.append(_duet(asked, asked.reference, "duet with itself", series))
    return random.Random(f"{asked.base.seed}/duets").sample(made, len(made))


def _duet(asked: Asked, system: str, role: Role, series: Series) -> Planned:
    name = f"{series.name}_{asked.named[system]}_{'again' if role == 'duet with itself' else 'duet'}"
    return Planned(system, role, series, 1, Cell(name, asked.duet(system, series)))


def blocks(asked: Asked) -> list[list[Planned]]:
    """All other runs in the order in which they are measured, a list a block; the same for the same question."""
    made = [list(_block(asked, block)) for block in range(1, asked.own.blocks + 1)]
    return [block for block in made if block]


def _block(asked: Asked, block: int) -> Iterator[Planned]:
    # Text seeds are hashed alike everywhere; the order of a block does not depend on how many there are.
    chance = random.Random(f"{asked.base.seed}/{block}")
    alone = [series for series in asked.series if not asked.in_duets(series)]
    for series in chance.sample(alone, len(alone)):
        runs = _of_series(asked, series, block)
        yield from chance.sample(runs, len(runs))
    if block == 1:
        yield from _memory(asked)
        yield from _serial(asked)


def _of_series(asked: Asked, series: Series, block: int) -> list[Planned]:
    once = [_planned(asked, name, "system", series, block) for name in _able(asked, series)]
    again = _planned(asked, asked.reference, "again", series, block, "-again")
    pool = range(1, _pool(asked, block) + 1) if series == asked.first else ()
    return [*once, again, *(_planned(asked, FALCON, "pool", series, block, f"-pool-{number}") for number in pool)]


def _pool(asked: Asked, block: int) -> int:
    """Runs of Falcon in this block, besides the two that every block has."""
    wanted = max(0, asked.own.falcon_runs - 2 * asked.own.blocks)
    each, rest = divmod(wanted, asked.own.blocks)
    return each + (block <= rest)


def _memory(asked: Asked) -> list[Planned]:
    clients, first = asked.own.memory_clients, asked.first
    if not clients:
        return []
    own = _MEMORY if asked.of_hello else {name: value for name, value in _MEMORY.items() if name != "ratio"}
    changes = {**first.changes, **own, "clients": clients}
    series = Series(f"memory-{clients}", f"{clients} connections", first.workload, changes)
    return [_planned(asked, name, "memory", series, 1) for name in _able(asked, first)]


def _serial(asked: Asked) -> list[Planned]:
    if not (asked.of_hello and asked.own.serial and "database" in asked.own.workloads):
        return []
    url = asked.base.database_url
    title = f"{_SERIAL_CLIENTS} devices at once, {'PostgreSQL' if url else 'SQLite'} takes {_SERIAL['db_delay_ms']:g} ms"
    series = Series(f"serial-{_SERIAL_CLIENTS}", title, "database", {**_SERIAL, "database_url": url})
    return [_planned(asked, name, "serial", series, 1) for name in _able(asked, series) if name in _SERIAL_SYSTEMS]


def _able(asked: Asked, series: Series) -> list[str]:
    """The systems that this series concerns and that can run here."""
    return [name for name in asked.systems if name not in asked.skipped and series.concerns(name)]


def _planned(asked: Asked, system: str, role: Role, series: Series, block: int, suffix: str = "") -> Planned:
    cell = Cell(f"{series.name}_{asked.named[system]}_{block}{suffix}", asked.at(system, series, block))
    return Planned(system, role, series, block, cell)
