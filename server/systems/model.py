"""What can be said of a system: how it is started, what it needs, and what makes a comparison with it fair."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from server.settings import Settings

KEEP_ALIVE_S = 75
"""Devices poll every 3 to 10 s; the defaults (uvicorn 5 s, gunicorn 2 s) would close connections under them."""

BACKLOG = 2048
"""Connections that may wait until a server accepts them, alike for all: with fewer, first packets are dropped when all
devices connect together, and come again only after a second. The system's own limit (net.core.somaxconn) may be lower."""

NGINX_SLOTS = 65_536
"""`worker_connections` of nginx; it takes some 230 bytes for each, whether or not it is used."""

GRACEFUL_STOP_S = 3
"""A stop does not wait longer for a device that is slow to read its answer."""

Comparison = Literal["framework", "stack", "ceiling", "instrument"]
Workload = Literal["static", "database"]
"""What a request asks of a server: `static` answers constant bytes, `database` reads and writes rows."""


@dataclass(frozen=True, kw_only=True)
class Isolated:
    """An environment of its own, for what cannot live beside the lab's packages."""

    pythons: tuple[str, ...]
    """Versions of Python on which it runs, best first."""
    packages: tuple[str, ...]
    """All that is installed there, name==version."""


@dataclass(frozen=True, kw_only=True)
class System:
    """One system: an application and the server that runs it."""

    name: str
    """What parameters and records call it."""
    title: str
    """What people read."""
    template: tuple[str, ...]
    """The command, started in the folder that holds this package; {python}, {port} and {workers} are filled in."""
    needs: tuple[str, ...]
    """Distributions that must be installed beside the lab; none for a system that is isolated."""
    loop: str
    """Event loop, or the way of doing without one."""
    http_parser: str
    """What reads the requests."""
    keep_alive_s: float
    """Seconds until an idle connection is closed."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its own."""
    comparison: Comparison = "instrument"
    """Against Falcon ASGI on uvicorn: `framework` (same server, loop and parser), `stack` (a server of its own, so that
    the difference is not the framework's alone), `ceiling` (no framework at all); `instrument` is no rival."""
    threads: int = 1
    """In each worker, those that run the application."""
    most_workers: int | None = None
    """Worker processes that it can have; None for any number."""
    most_connections: int | None = None
    """Connections that a worker holds at a time, by its command; None where only open files limit it."""
    backlog: int = BACKLOG
    """Connections that wait until it accepts them, whatever its command asks for."""
    spreads: bool = False
    """Whether each worker has a queue of its own (SO_REUSEPORT), so that chance deals connections evenly; else they share
    one, and some end up with far more than others."""
    counts: bool = True
    """Whether its /health says how many requests per worker served; without, what the lab checks by it does not apply."""
    extra: str = ""
    """The extra of this project that installs what it needs."""
    program: str = ""
    """A program that must be there besides."""
    isolated: Isolated | None = None
    """The environment that it runs in, if not the lab's."""
    interpreter: str = ""
    """The interpreter to start it with, where somebody made another one for it."""
    workloads: tuple[Workload, ...] = ("static",)
    """What it can be asked to do."""
    database_needs: tuple[str, ...] = ()
    """Distributions that it needs besides for the workload `database`; the extra `servers` installs them."""
    rows: str = ""
    """How it reads and writes them, and what is not equal in that; a sentence or more."""
    serial: str = ""
    """Why a worker does its database work one request after the other, if it does."""
    unequal: str = ""
    """What is not as it is with Falcon ASGI on uvicorn, for better or worse; a sentence or more."""

    @property
    def home(self) -> Path:
        """Where its environment is, if it has one of its own: within that of the lab, and gone with it."""
        return Path(sys.prefix) / "isolated" / self.name

    @property
    def python(self) -> str:
        """The interpreter to start it with."""
        return self.interpreter or (str(self.home / "bin" / "python") if self.isolated else sys.executable)

    def command(self, *, python: str, port: int, workers: int) -> list[str]:
        """The command that serves on 127.0.0.1.

        Args:
            python: the interpreter to use; a record shows it as "python".
        """
        filled = {"python": python, "port": port, "workers": workers}
        return [part.format_map(filled) for part in self.template]

    def environment(self, *, status_bytes: int, bulk_bytes: int) -> dict[str, str]:
        """The environment variables that the command must find besides the usual ones."""
        settings = Settings(status_bytes=status_bytes, bulk_bytes=bulk_bytes)
        return {**self.env, **settings.to_environment()}
