"""The server under test in processes of ours: started, ready, checked, asked and stopped; never an orphan.

A system's name and sizes in; what `Server` tells, process ids and how it ended out. Processes are plain `subprocess` ones.
Nothing here carries load or knows a record.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from experiments.errors import ServerStartError
from experiments.measure.host.port_owner import listeners
from experiments.measure.processes.guarded import Guarded, ServerExit
from experiments.measure.servers.base import MOST_AT_ONCE, Server
from experiments.measure.servers.ports import HOST, free_port, refusal
from experiments.measure.servers.probe import Answer, reason
from experiments.measure.servers.variants import AS_IT_IS, Variant
from experiments.record.schema import ENDPOINTS
from server import catalogue

_READY_S = 30.0
_READY_PER_WORKER_S = 0.5
"""Workers are started all at once, and each imports for about 0.2 s of CPU time."""
_LOG_TAIL_CHARACTERS = 2000
_STEERING = ("UVICORN_", "GUNICORN_", "GRANIAN_", "DJANGO_", "WEB_CONCURRENCY", "LAB_", "FORWARDED_ALLOW_IPS")
"""Environment variables that change what a server does: a run is described by its command and its parameters alone."""


class ServerProcess(Server):
    """A system of the catalogue, in processes of ours.

    Args:
        system: its name in the catalogue, or one that is not there.
        status_bytes: length of what endpoint A answers.
        bulk_bytes: length of what endpoint B answers.
        workers: how many processes serve.
        log_path: the file that takes all that the server prints, each line with its time (UTC) before it.
        port: on 127.0.0.1; 0 takes a free one.
        environment: variables that the server must find besides those of the catalogue.
        polled: the endpoints that will be asked.
        variant: how it is started, where not as usual.
    """

    is_local = True

    def __init__(
        self,
        *,
        system: str | catalogue.System,
        status_bytes: int,
        bulk_bytes: int,
        workers: int,
        log_path: Path,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        polled: Collection[str] = ENDPOINTS,
        variant: Variant = AS_IT_IS,
    ) -> None:
        # Twice as many, since some workers get two; one worker gets all anyway.
        at_once = 1 if workers == 1 else min(2 * workers, MOST_AT_ONCE)
        super().__init__(
            status_bytes=status_bytes, bulk_bytes=bulk_bytes, at_once=at_once, most_at_once=at_once, polled=polled
        )
        self._variant = variant
        self._system = variant.applied(catalogue.SYSTEMS[system] if isinstance(system, str) else system)
        self._workers = workers
        self._log_path = log_path
        self._port = port
        self._environment = {**(environment or {}), **variant.environment}
        self._cwd = variant.folder
        """The folder in which it starts; None for that of the package `server`."""
        self._guarded: Guarded | None = None
        self._ready_s: float | None = None
        self._exit: ServerExit | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port; the port is known from the start on."""
        return f"http://{HOST}:{self._port}"

    @property
    def address(self) -> tuple[str, int]:
        """Host in numbers and port."""
        return HOST, self._port

    @property
    def command(self) -> list[str]:
        """What is run, with the interpreter shown as "python"."""
        return self._system.command(python="python", port=self._port, workers=self._workers)

    @property
    def main_pid(self) -> int | None:
        """The process that was started, from which all others descend."""
        return self._guarded.pid if self._guarded else None

    @property
    def alive(self) -> bool:
        """Whether the main process is there."""
        return self._guarded is not None and self._guarded.alive

    @property
    def returncode(self) -> int | None:
        """The main process's exit code, minus the signal if one ended it; None while it is there, or if nobody knows."""
        if self._guarded is None:
            return None
        self._guarded.listen()
        return self._guarded.exit[0] if self._guarded.exit else None

    def facts(self) -> dict[str, Any]:
        """What a record says of the server."""
        return {
            "name": self._system.name,
            "title": self._system.title,
            "url": self.url,
            "started_by_lab": True,
            "framework": self._health.framework if self._health else None,
            "framework_version": self._health.version if self._health else None,
            "command": self.command,
            "loop": self._system.loop,
            "http_parser": self._system.http_parser,
            "keep_alive_s": self._system.keep_alive_s,
            "main_pid": self.main_pid,
            "ready_s": self._ready_s,
            **self._variant.facts,
        }

    def worker_pids(self) -> list[int]:
        """The processes that serve at this moment: those that listen, but not the parents of such."""
        processes = self._guarded.processes() if self._guarded else []
        parents = listeners(processes, self._port)
        return sorted(parents.keys() - set(parents.values()))

    async def start(self, *, deadline_s: float | None = None) -> None:
        """Returns when every worker has answered; whatever else happens, nothing is left behind.

        Args:
            deadline_s: seconds until they must have; None is 30 s and half a second more a worker.

        Raises:
            ServerStartError: why it is not ready, with the end of its log.
        """
        if deadline_s is None:
            deadline_s = _READY_S + _READY_PER_WORKER_S * self._workers
        began = time.monotonic()
        try:
            self._launch()
            await self._wait_until_ready(deadline_s)
        except BaseException:
            await self.stop()
            raise
        self._ready_s = time.monotonic() - began

    async def served(self, *, deadline_s: float = 5.0) -> dict[int, int]:
        """Asks every worker how many requests for /hello it has had.

        Returns:
            Process id -> requests since its start; a worker that does not answer within `deadline_s`, or does not count,
            is missing.
        """
        workers = {*await asyncio.to_thread(self.worker_pids)}
        return await self._served(lambda served, quiet: workers <= served.keys(), deadline_s)

    async def stop(self) -> ServerExit | None:
        """Ends the server; may be called at any time, and again.

        Returns:
            How it ended, also if it had done so before; None if it was never started.
        """
        if self._guarded is not None and self._exit is None:
            self._exit = await self._guarded.end()
        return self._exit

    def _fault(self, answer: Answer, size_bytes: int) -> str | None:
        expected = catalogue.body(size_bytes)
        if fault := super()._fault(answer, size_bytes):
            return fault
        if "content-length" not in answer.headers:
            return "it had no Content-Length"
        if answer.body != expected:
            at = next(n for n in range(size_bytes) if answer.body[n] != expected[n])
            there, wanted = answer.body[at : at + 10], expected[at : at + 10]
            return f"from byte {at} on they were {there!r} instead of {wanted!r}"
        return None

    def _launch(self) -> None:
        """Starts the processes.

        Raises:
            ServerStartError: the port is taken, or the log cannot be written.
        """
        self._port = self._port or free_port()
        if taken := refusal(self._port):
            raise ServerStartError(
                f"port {self._port} of {HOST} is not free ({taken}): end what listens there, or take another port."
            )
        command = self._system.command(python=self._system.python, port=self._port, workers=self._workers)
        try:
            self._guarded = Guarded(command, env=self._variables(), log_path=self._log_path, times=True, cwd=self._cwd)
        except OSError as error:
            raise ServerStartError(f"the server {self._system.name} could not be started ({reason(error)}).") from None

    def _variables(self) -> dict[str, str]:
        """The environment that it starts in."""
        sizes = self._system.environment(status_bytes=self._status_bytes, bulk_bytes=self._bulk_bytes)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
        return {**inherited, **sizes, **self._environment}

    async def _wait_until_ready(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        answered: set[int] = set()
        while len(answered) < self._workers:
            left_s = deadline - time.monotonic()
            self._raise_if_ended()
            if left_s <= 0:
                count = f"{len(answered)} of {self._workers} workers"
                raise self._start_error(f"was not ready within {within_s:g} s ({count} answered)")
            # A port on which nobody listens yet refuses at once, so asking early costs next to nothing.
            pids = {health.pid for health in await self._ask_workers(left_s)}
            self._raise_if_foreign(pids - answered)
            answered |= pids

    def _raise_if_ended(self) -> None:
        assert self._guarded is not None
        self._guarded.listen()
        if self._guarded.failure:
            raise ServerStartError(f"the server {self._system.name} could not be started ({self._guarded.failure}).")
        if self._guarded.exit:
            raise self._start_error(f"ended with code {self._guarded.exit[0]} before it was ready")
        if not self._guarded.watched:
            raise self._start_error("lost the process that guards it before it was ready")

    def _raise_if_foreign(self, pids: set[int]) -> None:
        assert self._guarded is not None
        foreign = pids - {process.pid for process in self._guarded.processes()} if pids else pids
        if foreign:
            self._raise_if_ended()  # They may have been ours, and have ended since.
            raise self._start_error(
                f"is not what answers on port {self._port}: process {min(foreign)} does, which this run has not started "
                "(a server left over from an earlier run?); end that one, or take another port"
            )

    def _start_error(self, what: str) -> ServerStartError:
        log = self._log_path.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:].strip()
        return ServerStartError(f"the server {self._system.name} {what}; the end of its log:\n{log or '(nothing)'}")
