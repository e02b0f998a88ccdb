"""The server under test: started, ready, checked, asked and stopped; never an orphan.

A system's name and sizes in; a URL, process ids, the requests served by each worker and how it ended out. All waiting is
bounded, on the monotonic clock. Nothing here carries load or knows a record.

`ServerProcess` is a server that is started and ended here, `ExternalServer` one that somebody else runs. Both work on a
loop that is nested in a notebook's: processes are plain `subprocess` ones, and questions are asked in threads.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import socket
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from experiments.errors import ServerContractError, ServerStartError
from experiments.measure.guarded import POLL_S, Guarded, ServerExit
from experiments.measure.question import TEXT_CHARACTERS, Answer, Health, ask, ask_workers, reason
from server import catalogue

_HOST = "127.0.0.1"
_FREE_PORTS = range(20_000, 32_768)
"""Below those that Linux gives to outgoing connections: among them, asking a port on which nobody listens yet may connect
the asking socket to itself, and then the server finds its port taken."""
_READY_S = 30.0
_READY_PER_WORKER_S = 0.5
"""Workers are started all at once, and each imports for about 0.2 s of CPU time."""
_ASK_S = 1.0
"""How long workers may take to answer /health before other connections are tried."""
_AT_ONCE = 16
"""Most connections opened together to ask for /health. The kernel shares connections out most unevenly among idle workers:
on 2 cores, asking one after the other took 26 to 1,326 questions to reach all of 8, and 16 at a time mostly 0.1 s."""
_QUIET = 200
"""Answers in a row without a new worker, after which all workers of a server that is not ours count as known."""
_LOG_TAIL_CHARACTERS = 2000
_STEERING = ("UVICORN_", "GUNICORN_", "GRANIAN_", "DJANGO_", "WEB_CONCURRENCY", "LAB_", "FORWARDED_ALLOW_IPS")
"""Environment variables that change what a server does: a run is described by its command and its parameters alone."""


class Server(ABC):
    """What can be asked of a server, whoever runs it."""

    def __init__(self, *, status_bytes: int, bulk_bytes: int, at_once: int) -> None:
        self._status_bytes = status_bytes
        self._bulk_bytes = bulk_bytes
        self._at_once = at_once
        """Connections opened together to ask for /health."""
        self._health: Health | None = None
        """What the first worker that answered said of itself."""
        self.at_once: int | None = None
        """The most requests that a worker had within its database work at once; None where none tells."""
        self.checksums = (0, 0)
        """CRC-32 of the right answers of A and B, once they are verified."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Scheme, host and port."""

    async def verify(self, *, deadline_s: float = 10.0) -> dict[str, dict[str, str]]:
        """Asks each endpoint once.

        Args:
            deadline_s: seconds for each answer as a whole.

        Returns:
            The headers of the answers, by endpoint; long values are cut.

        Raises:
            ServerContractError: an answer is not what is to be measured.
        """
        status, status_checksum = await self._verify(catalogue.STATUS_PATH, self._status_bytes, deadline_s)
        bulk, bulk_checksum = await self._verify(catalogue.BULK_PATH, self._bulk_bytes, deadline_s)
        self.checksums = status_checksum, bulk_checksum
        return {"status": status, "bulk": bulk}

    async def _verify(self, path: str, size_bytes: int, deadline_s: float) -> tuple[dict[str, str], int]:
        try:
            answer = await asyncio.to_thread(ask, self.url + path, deadline_s, size_bytes)
            fault = self._fault(answer, size_bytes)
        except (OSError, http.client.HTTPException) as error:
            fault = f"there was no HTTP answer within {deadline_s:g} s ({reason(error)})"
        if fault:
            raise ServerContractError(f"{self.url}{path} must answer 200 with {size_bytes} bytes, but {fault}.")
        headers = {name: value[:TEXT_CHARACTERS] for name, value in answer.headers.items()}
        return headers, zlib.crc32(answer.body)

    def _fault(self, answer: Answer, size_bytes: int) -> str | None:
        """What is wrong with an answer, after "but"."""
        encoding = answer.headers.get("content-encoding", "identity")
        length = answer.headers.get("content-length", str(size_bytes))
        if answer.status != 200:
            return f"the answer was {answer.status}"
        if encoding != "identity":
            return f"they came with Content-Encoding: {encoding[:TEXT_CHARACTERS]}"
        if length != str(size_bytes):
            return f"its Content-Length was {length[:TEXT_CHARACTERS]}"
        if len(answer.body) != size_bytes:
            return f"there came {'more' if len(answer.body) > size_bytes else len(answer.body)}"
        return None

    async def _served(self, enough: Callable[[Mapping[int, int | None], int], bool], deadline_s: float) -> dict[int, int]:
        """Asks on fresh connections until it is enough: told the answers, and how many in a row brought no new worker.

        At least once: where no worker is left, somebody else may have taken the port.
        """
        served: dict[int, int | None] = {}
        quiet = 0
        deadline = time.monotonic() + deadline_s
        while (left_s := deadline - time.monotonic()) > 0:
            for health in await self._ask_workers(left_s):
                quiet = quiet + 1 if health.pid in served else 0
                served[health.pid] = health.served
            if enough(served, quiet):
                break
        return {pid: count for pid, count in served.items() if count is not None}

    async def _ask_workers(self, left_s: float) -> list[Health]:
        """What those workers say of themselves that the connections came to; nothing, after a pause, if none answers."""
        healths = await asyncio.to_thread(ask_workers, self.url, self._at_once, min(_ASK_S, left_s))
        if not healths:
            await asyncio.sleep(POLL_S)
        self._health = self._health or next(iter(healths), None)
        told = [health.at_once for health in healths if health.at_once is not None]
        self.at_once = max([*told, self.at_once or 0]) if told else self.at_once
        return healths


class ServerProcess(Server):
    """A system of the catalogue, in processes of ours.

    Args:
        system: its name in the catalogue.
        status_bytes: length of what endpoint A answers.
        bulk_bytes: length of what endpoint B answers.
        workers: how many processes serve.
        log_path: the file that takes all that the server prints.
        port: on 127.0.0.1; 0 takes a free one.
        environment: variables that the server must find besides those of the catalogue.
    """

    is_local = True

    def __init__(
        self,
        *,
        system: str,
        status_bytes: int,
        bulk_bytes: int,
        workers: int,
        log_path: Path,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        # Twice as many, since some workers get two; one worker gets all anyway.
        super().__init__(
            status_bytes=status_bytes, bulk_bytes=bulk_bytes, at_once=1 if workers == 1 else min(2 * workers, _AT_ONCE)
        )
        self._system = catalogue.SYSTEMS[system]
        self._workers = workers
        self._log_path = log_path
        self._port = port
        self._environment = dict(environment or {})
        self._guarded: Guarded | None = None
        self._ready_s: float | None = None
        self._exit: ServerExit | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port; the port is known from the start on."""
        return f"http://{_HOST}:{self._port}"

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
        }

    def worker_pids(self) -> list[int]:
        """The processes that serve at this moment: those that listen, but not the parents of such."""
        processes = self._guarded.processes() if self._guarded else []
        parents = _listeners(processes, self._port)
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
        if refusal := _refusal(self._port):
            raise ServerStartError(
                f"port {self._port} of {_HOST} is not free ({refusal}): end what listens there, or take another port."
            )
        sizes = self._system.environment(status_bytes=self._status_bytes, bulk_bytes=self._bulk_bytes)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
        command = self._system.command(python=self._system.python, port=self._port, workers=self._workers)
        try:
            self._guarded = Guarded(command, env={**inherited, **sizes, **self._environment}, log_path=self._log_path)
        except OSError as error:
            raise ServerStartError(f"the server {self._system.name} could not be started ({reason(error)}).") from None

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


class ExternalServer(Server):
    """A server that somebody else started and will end. It need not have /health, nor our bytes, only their lengths."""

    main_pid = None
    alive = True
    """As far as anybody can know here; if it stops answering, the devices see it."""

    def __init__(self, *, url: str, status_bytes: int, bulk_bytes: int) -> None:
        super().__init__(status_bytes=status_bytes, bulk_bytes=bulk_bytes, at_once=_AT_ONCE)
        self._url = url.rstrip("/")
        self._pids: set[int] = set()
        """Workers that ever answered."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self._url

    @property
    def is_local(self) -> bool:
        """Whether all workers that answered are processes of this machine, so that they may be sampled.

        They are if they listen on that port here: a server in a container gives numbers that mean other processes.
        """
        return bool(self._pids) and self.worker_pids() == sorted(self._pids)

    def facts(self) -> dict[str, Any]:
        """What a record says of the server."""
        return {
            "name": "external",
            "title": "a server that was running already",
            "url": self.url,
            "started_by_lab": False,
            "framework": self._health.framework if self._health else None,
            "framework_version": self._health.version if self._health else None,
            "command": [],
            "main_pid": None,
        }

    def worker_pids(self) -> list[int]:
        """The workers that ever answered and, as far as can be seen from here, listen at this moment."""
        processes = []
        for pid in self._pids:
            with suppress(psutil.Error, ValueError):  # A stranger may say any number.
                processes.append(psutil.Process(pid))
        return sorted(_listeners(processes, urlsplit(self._url).port or 80))

    async def start(self, *, deadline_s: float = 10.0) -> None:
        """Makes sure that somebody answers.

        Raises:
            ServerStartError: nobody does.
        """
        try:
            await asyncio.to_thread(ask, self._url + catalogue.HEALTH_PATH, deadline_s, 0)
        except (OSError, http.client.HTTPException) as error:
            raise ServerStartError(
                f"nothing answers at {self._url} ({reason(error)}): start that server, or correct server_url."
            ) from None

    async def verify(self, *, deadline_s: float = 10.0) -> dict[str, dict[str, str]]:
        """Asks each endpoint twice: its bytes are its own affair, but only if they stay the same can answers be checked.

        Raises:
            ServerContractError: as for a server of ours, or the bytes changed.
        """
        await super().verify(deadline_s=deadline_s)
        before = self.checksums
        headers = await super().verify(deadline_s=deadline_s)
        if self.checksums != before:
            raise ServerContractError(
                f"{self._url} must answer the same bytes whenever an endpoint is asked, so that answers can be checked, "
                "but two answers differed."
            )
        return headers

    async def served(self, *, deadline_s: float = 5.0) -> dict[int, int]:
        """Asks the workers how many requests for /hello they have had.

        Returns:
            Process id -> requests since its start, of the workers that were found; empty without /health.
        """
        if not await self._ask_workers(deadline_s):
            return {}
        served = await self._served(lambda served, quiet: quiet >= _QUIET and self._pids <= served.keys(), deadline_s)
        self._pids |= served.keys()
        return served

    async def stop(self) -> None:
        """Does nothing: who started it ends it."""


def _listeners(processes: list[psutil.Process], port: int) -> dict[int, int]:
    """Those that listen on a port, with their parents."""
    parents = {}
    for process in processes:
        with suppress(psutil.Error):
            sockets = process.net_connections("tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets):
                parents[process.pid] = process.ppid()
    return parents


def free_port() -> int:
    """A port that nobody has at this moment."""
    # Not by the module's own generator: a notebook may have seeded it, and then every run would want the same port.
    ports = random.Random().sample(_FREE_PORTS, len(_FREE_PORTS))
    return next(port for port in ports if not _refusal(port))


def _refusal(port: int) -> str | None:
    """Why a server could not listen there, if so."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that the kernel has not forgotten yet are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            return error.strerror
    return None
