"""Servers in, what each does out: a system of the catalogue is started for it and ended, a running one is left as it is."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from experiments.errors import LabError, ParameterError
from experiments.measure import limits
from experiments.measure.servers.local import ServerProcess
from experiments.parameters import nearest
from experiments.probe.probes import CONNECTIONS, PROBES, Fact
from experiments.probe.wire import Place, ask, connected
from server import catalogue

_STATUS_BYTES, _BULK_BYTES = 100, 204_800
_SLOW_STOP_S = 5.0
"""A stop that takes longer is ended by force where a deployment has no more patience."""


@dataclass(frozen=True)
class Probed:
    """What one server does."""

    name: str
    versions: tuple[str, ...] = ()
    """Of its packages, `name version`."""
    facts: dict[str, Fact] = field(default_factory=dict)
    failure: str = ""
    """Why it could not be probed."""


def systems() -> list[str]:
    """Those of the catalogue that can run here, but for the lab's own instruments."""
    return [name for name in catalogue.offering("static") if catalogue.obstacle(catalogue.SYSTEMS[name]) is None]


def probe_url(url: str) -> Probed:
    """A server that is running, at an http URL that answers 200 to GET.

    Raises:
        ParameterError: it is no such URL, or nothing answers there.
    """
    place = Place.of(url)
    if not url.startswith("http://") or not place.host:
        raise ParameterError(f"{url!r} cannot be probed: give an http:// URL that answers GET with 200, without TLS.")
    try:
        with connected(place) as connection:
            status = ask(connection, place.request()).status
    except OSError as error:
        raise ParameterError(f"nothing answers at {url} ({error.strerror or error}): start the server first.") from None
    if status != 200:
        raise ParameterError(f"{url} answers {status}: give an URL that answers GET with 200.")
    return Probed(url, (), _asked(place))


def probe_system(name: str) -> Probed:
    """A system of the catalogue, with one worker.

    Raises:
        ParameterError: there is none of that name, or it cannot run here.
    """
    system = catalogue.SYSTEMS.get(name)
    if system is None:
        near = nearest(name, catalogue.SYSTEMS)
        raise ParameterError(
            f"SERVER={name!r} is no system of the catalogue{near}; give one of them, an http:// URL, or all."
        )
    if reason := catalogue.obstacle(system):
        raise ParameterError(f"{name} cannot be probed: {reason}.")
    try:
        return asyncio.run(_probe_started(system))
    except LabError as error:
        return Probed(name, _versions(system), {}, str(error))


def probe_all(names: Iterable[str], say: Callable[[str], None]) -> list[Probed]:
    """One after the other; each is told when it begins, with an estimate of the end."""
    names = list(names)
    begun, found = time.monotonic(), []
    for number, name in enumerate(names):
        left = (time.monotonic() - begun) / number * (len(names) - number) if number else None
        say(f"probing {name}, {number + 1} of {len(names)}" + ("" if left is None else f", about {left / 60:.0f} min left"))
        found.append(probe_system(name))
    return found


async def _probe_started(system: catalogue.System) -> Probed:
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(
            system=system.name,
            status_bytes=_STATUS_BYTES,
            bulk_bytes=_BULK_BYTES,
            workers=1,
            log_path=Path(folder) / "server.log",
        )
        await server.start()
        place = Place(*server.address, catalogue.STATUS_PATH)
        try:
            facts = await asyncio.to_thread(_asked, place)
            facts["stop with devices connected"] = await _stopped(server, place)
        finally:
            await server.stop()
    return Probed(system.name, _versions(system), facts)


def _asked(place: Place) -> dict[str, Fact]:
    limits.allow_files([limits.Need(CONNECTIONS + limits.SPARE_FILES)])
    found = {}
    for name, probe in PROBES.items():
        try:
            found[name] = probe(place)
        except OSError as error:
            found[name] = Fact(f"failed: {error.strerror or error}")
    return found


async def _stopped(server: ServerProcess, place: Place) -> Fact:
    """How long a stop takes with an idle connection and one whose request has not come whole."""
    with ExitStack() as stack:
        idle, begun = (stack.enter_context(connected(place)) for _ in range(2))
        await asyncio.to_thread(ask, idle, place.request())
        begun.sendall(place.request()[:20])
        since = time.monotonic()
        await server.stop()
        took_s = time.monotonic() - since
    slow = f"It takes {took_s:.0f} s to stop while devices are connected." if took_s >= _SLOW_STOP_S else ""
    return Fact(f"{took_s:.1f} s", slow)


def _versions(system: catalogue.System) -> tuple[str, ...]:
    """Of a system that can run here, so that all it needs is installed."""
    if system.isolated:
        return system.isolated.packages[:2]
    return tuple(f"{package} {version(package)}" for package in system.needs)
