"""Whether a system can run on this machine, and if not, why and what to do about it: a System in, a sentence out.

Nothing is imported or started to find out.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib import metadata

from server.systems.model import System, Workload

_SBIN = ("/usr/sbin", "/usr/local/sbin")
"""Where Debian puts nginx, which is not on everybody's path."""


def program(name: str) -> str | None:
    """The path of a program, if it is installed."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN)))


def obstacle(system: System, *, workers: int = 1, workload: Workload = "static", clients: int = 1) -> str | None:
    """Why a system cannot run here, with the command that helps; None if it can.

    Args:
        workers: how many worker processes it would have.
        workload: what it would be asked to do.
        clients: how many devices would hold a connection to it.
    """
    if system.most_workers is not None and workers > system.most_workers:
        return f"{system.title} has at most {system.most_workers} worker: set workers={system.most_workers}"
    if system.most_connections is not None and clients > (most := workers * system.most_connections):
        return (
            f"{system.title} holds {system.most_connections:,} connections a worker, and clients={clients:,} need more: ask "
            f"for at most {most:,} clients, or for more workers"
        )
    if missing := [name for name in system.needs if not _installed(name)]:
        command = f"make {system.extra}" if system.extra else "pip install -e ."
        return f"{_listed(missing)} not installed: {command}"
    if workload == "database" and (missing := [name for name in system.database_needs if not _installed(name)]):
        return f"for a database {_listed(missing)} not installed: make servers"
    if system.program and program(system.program) is None:
        return f"there is no {system.program}: apt-get install {system.program}"
    if system.isolated and not (system.home / "complete").exists():
        pythons = " or ".join(system.isolated.pythons)
        return f"it has an environment of its own, which is not made: make servers, where there is a Python {pythons}"
    return None


def _installed(distribution: str) -> bool:
    try:
        _version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def _version(distribution: str) -> str:
    """Kept, since each cell of a large grid asks for the same few; an error is not: it may be installed in the meantime."""
    return metadata.version(distribution)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
