"""Every system that can be measured: how it is started, what it needs, and what makes a comparison with it fair.

Data only, and all that the instrument may know of a server: it starts the command, asks the paths and expects the
bodies that are named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server import programs
from server.payloads import body
from server.settings import Settings

__all__ = ["BULK_PATH", "HEALTH_PATH", "KNOWN", "PROGRAMS", "STATUS_PATH", "SYSTEMS", "System", "body", "programs"]

KNOWN = programs.PREFIX
"""Before the name of a program in the name of a system with known answers."""
PROGRAMS = programs.PROGRAMS
"""What the systems with known answers do: name -> program."""

STATUS_PATH = "/hello?page=1"
"""Endpoint A."""
BULK_PATH = "/hello?page=200"
"""Endpoint B."""
HEALTH_PATH = "/health"
"""JSON with `pid`, `framework`, `version` and `served`: the requests for `/hello` that this worker process has had."""

KEEP_ALIVE_S = 75
"""Devices poll every 3 to 10 s; the defaults (uvicorn 5 s, gunicorn 2 s) would close connections under them."""

GRACEFUL_STOP_S = 3
"""A stop does not wait longer for a device that is slow to read its answer."""


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
    """Distributions that must be installed."""
    loop: str
    """Event loop, or the way of doing without one."""
    http_parser: str
    """What reads the requests."""
    keep_alive_s: float
    """Seconds until an idle connection is closed."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its own."""

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


def _uvicorn(application: str) -> tuple[str, ...]:
    """uvicorn with loop and parser asked for by name, so that a missing package is an error and not a slower server."""
    return (
        *("{python}", "-m", "uvicorn", "--factory", application),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
        *("--loop", "uvloop", "--http", "httptools"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_S)),
        *("--timeout-graceful-shutdown", str(GRACEFUL_STOP_S)),
        *("--no-access-log", "--log-level", "info", "--no-use-colors"),
    )


_ALL = (
    System(
        name="falcon",
        title="Falcon ASGI on uvicorn",
        template=_uvicorn("server.falcon_asgi:create_app"),
        needs=("falcon", "uvicorn", "uvloop", "httptools"),
        loop="uvloop",
        http_parser="httptools",
        keep_alive_s=KEEP_ALIVE_S,
    ),
    *programs.systems(System),
)

SYSTEMS: Mapping[str, System] = {system.name: system for system in _ALL}
"""Name -> system."""
