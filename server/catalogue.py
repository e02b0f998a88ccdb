"""Every system that can be measured: how it is started, what it needs, and what makes a comparison with it fair.

Data only, and all that the instrument may know of a server: it starts the command, asks the paths and expects the
bodies that are named here. Falcon stands here; a system to compare it with is added in `systems/peers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from server.database import url as database_url
from server.known_answer import programs
from server.known_answer.for_tools import FOR_TOOLS
from server.payloads import body
from server.systems import commands, own
from server.systems.availability import obstacle, program
from server.systems.model import BACKLOG, GRACEFUL_STOP_S, KEEP_ALIVE_S, System, Workload
from server.systems.peers import LEFT_OUT, PEERS
from server.systems.source import code_lines

__all__ = [
    "BACKLOG",
    "BULK_PATH",
    "COUNT_PATH",
    "FOR_TOOLS",
    "GRACEFUL_STOP_S",
    "HEALTH_PATH",
    "KEEP_ALIVE_S",
    "KNOWN",
    "LEFT_OUT",
    "PROGRAMS",
    "STATUS_PATH",
    "SYSTEMS",
    "System",
    "Workload",
    "body",
    "code_lines",
    "database_url",
    "obstacle",
    "offering",
    "own",
    "program",
    "programs",
]

KNOWN = programs.PREFIX
"""Before the name of a program in the name of a system with known answers."""
PROGRAMS = programs.PROGRAMS
"""What the systems with known answers do: name -> program."""

STATUS_PATH = "/hello?page=1"
"""Endpoint A."""
BULK_PATH = "/hello?page=200"
"""Endpoint B."""
COUNT_PATH = "/count"
"""Where nginx says how many requests all its workers have had, in the words of its `stub_status`."""
HEALTH_PATH = "/health"
"""JSON with `pid`, `framework`, `version` and `served`: the requests for `/hello` that this worker process has had."""

_ALL = (
    System(
        name="falcon",
        title="Falcon ASGI on uvicorn",
        template=commands.uvicorn("server.apps.falcon_asgi:create_app"),
        needs=("falcon", "uvicorn", "uvloop", "httptools"),
        loop="uvloop",
        http_parser="httptools",
        keep_alive_s=KEEP_ALIVE_S,
        comparison="framework",
        workloads=("static", "database"),
        database_needs=("aiosqlite", "psycopg", "psycopg-pool"),
        rows="One statement per request by a driver, psycopg's pool or aiosqlite's threads; no ORM.",
    ),
    System(
        name="falcon-dial",
        title="Falcon ASGI on uvicorn, with a known cost more",
        template=commands.uvicorn("server.apps.falcon_dial:create_app"),
        needs=("falcon", "uvicorn", "uvloop", "httptools"),
        loop="uvloop",
        http_parser="httptools",
        keep_alive_s=KEEP_ALIVE_S,
        unequal="Each request costs as many microseconds of CPU more as DIAL_US says, for trying what is found of that.",
    ),
    *PEERS,
    *programs.systems(System),
)

SYSTEMS: Mapping[str, System] = {system.name: system for system in _ALL}
"""Name -> system."""


def offering(workload: Workload) -> list[str]:
    """The names of the systems that can be asked to do that, but for those that calibrate."""
    return [name for name, one in SYSTEMS.items() if workload in one.workloads and one.comparison != "instrument"]
