"""A server of the user's own, by a target file: an app or a command that is started here, or one that runs already.

What it answers is the target's affair: whether it is ready and right is asked by a callable, over the very transport and
checks of the load. What it costs and serves is asked as of any server, where it says so.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.errors import ParameterError
from experiments.measure.processes.guarded import POLL_S
from experiments.measure.servers.address import Address, connect
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.servers.ports import HOST
from experiments.measure.servers.probe import reason
from experiments.measure.servers.variants import AS_IT_IS, Variant
from experiments.target.loaded import Loaded
from experiments.target.masking import Masker
from experiments.target.swarm import environment
from server import catalogue

Ready = Callable[[str, tuple[str, int]], Awaitable[str | None]]
"""Told the server's URL and address: why it is not ready, or None."""

_READY_S = 60.0
"""Longer than for systems of the catalogue: nobody knows what a command does before it listens."""
_CONNECT_S = 1.0
_ASK_EVERY_S = 5 * POLL_S
_STEERING = ("UVICORN_", "GUNICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")
"""Environment variables that change what uvicorn and gunicorn do: for an `app` they are what the lab says. A command's
are the user's own."""


def server(
    loaded: Loaded, *, url: str, workers: int, log_path: Path, ready: Ready, environ: Mapping[str, str] | None = None,
    variant: Variant = AS_IT_IS,
) -> OwnProcess | OwnExternal:  # fmt: skip
    """The server of a target, not started yet.

    Args:
        url: of a running server that takes the place of the target's own; empty for none.
        workers: processes that serve an `app` whose target does not say how many.
        log_path: takes what a started one prints.
        ready: asked again and again until it answers None.
        environ: the variables that the target may name; None: those of this process.
        variant: how it is started, where not as its target says.

    Raises:
        ParameterError: its command cannot be read.
    """
    if url or loaded.target.url:
        return OwnExternal(loaded, url=url or str(loaded.target.url), said_by="server_url" if url else "url")
    known = os.environ if environ is None else environ
    count = loaded.target.workers or workers
    return OwnProcess(loaded, workers=count, log_path=log_path, ready=ready, environ=known, variant=variant)


class OwnProcess(ServerProcess):
    """An app or a command of the user's, in processes of ours."""

    def __init__(
        self, loaded: Loaded, *, workers: int, log_path: Path, ready: Ready, environ: Mapping[str, str],
        variant: Variant = AS_IT_IS,
    ) -> None:  # fmt: skip
        super().__init__(
            system=_system(loaded), status_bytes=0, bulk_bytes=0, workers=workers, log_path=log_path,
            environment=environment(loaded, environ), variant=variant,
        )  # fmt: skip
        target = loaded.target
        self._target = target
        self._cwd = variant.folder or home(loaded)
        self._health_path = _health_path(loaded, "http:" if not target.https else "https:")
        self._ready = ready
        self._masker = Masker(self._environment.values())

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._target.https else 'http'}://{HOST}:{self._port}"

    @property
    def command(self) -> list[str]:
        """What is run, without the values of the target's variables."""
        return [self._masker.text(part) for part in super().command]

    def facts(self) -> dict[str, Any]:
        """What a record says of the server; the names of the target's variables, never their values."""
        return super().facts() | {"title": self._masker.text(self._system.title), "env": sorted(self._environment)}

    async def start(self, *, deadline_s: float | None = None, asks_ready: bool = True) -> None:
        """Returns when it is ready, as for a system of the catalogue.

        Args:
            asks_ready: False: once it listens, whatever it answers.

        Raises:
            ServerStartError: why it is not, with the end of its log.
        """
        if not asks_ready:
            self._ready = _listens
        await super().start(deadline_s=deadline_s)

    async def served(self, *, deadline_s: float = 5.0) -> dict[int, int]:
        """Requests by worker, as for a system of the catalogue; empty where the server does not say so."""
        if self._health is None and not await self._ask_workers(deadline_s):
            return {}
        return await super().served(deadline_s=deadline_s)

    async def _wait_until_ready(self, within_s: float) -> None:
        """Returns when it answers, and as many processes listen as workers were asked for."""
        within_s = max(within_s, _READY_S)
        deadline = time.monotonic() + within_s
        while (missing := await self._ready(self.url, self.address)) or not await self._all_listen():
            self._raise_if_ended()
            if time.monotonic() >= deadline:
                why = missing or f"{len(self.worker_pids())} of {self._workers} workers listen"
                raise self._start_error(f"was not ready within {within_s:g} s ({why})")
            await asyncio.sleep(_ASK_EVERY_S)

    async def _all_listen(self) -> bool:
        if not self._target.app or self._workers == 1:
            return True
        return len(await asyncio.to_thread(self.worker_pids)) >= self._workers

    def _variables(self) -> dict[str, str]:
        if self._target.command:
            # Programs of the lab's environment are found without activating it.
            programs = str(Path(self._variant.python or sys.executable).parent)
            path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
            return {**os.environ, "PATH": path, **self._environment}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
        return {**inherited, **self._environment}


def home(loaded: Loaded) -> Path:
    """The folder in which a target's server starts."""
    return loaded.beside(loaded.target.working_dir or "").resolve()


async def _listens(url: str, address: Address) -> str | None:
    try:
        await asyncio.to_thread(connect, address, _CONNECT_S)
    except OSError as error:
        return reason(error)
    return None


class OwnExternal(ExternalServer):
    """A server of the user's that runs already."""

    def __init__(self, loaded: Loaded, *, url: str, said_by: str) -> None:
        super().__init__(url=url, status_bytes=0, bulk_bytes=0)
        self._name = loaded.name
        self._said_by = said_by
        self._health_path = _health_path(loaded, url)

    def facts(self) -> dict[str, Any]:
        """What a record says of the server."""
        return super().facts() | {"name": self._name, "title": f"a server that was running already ({self._name})"}


def _health_path(loaded: Loaded, url: str) -> str | None:
    """Where a server may say which worker answers and what it has served: where `ready` leads, over plain HTTP."""
    ready = loaded.target.ready
    return ready.path if ready is not None and url.startswith("http:") else None


def _system(loaded: Loaded) -> catalogue.System:
    target = loaded.target
    if target.app:
        tls = target.tls
        shown = tls.server_cert and (str(loaded.beside(tls.server_cert)), str(loaded.beside(str(tls.server_key))))
        return catalogue.own.app(
            loaded.name, target.app, serving=target.serving, interface=target.interface, certificate=shown or None
        )
    try:
        return catalogue.own.command(loaded.name, str(target.command))
    except ValueError as error:
        raise ParameterError(f"{loaded.lines.at(('command',))}: it cannot be read ({error}): see to its quotes.") from None
