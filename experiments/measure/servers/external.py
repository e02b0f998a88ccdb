"""A server that somebody else runs: asked, never started or ended."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import psutil

from experiments.errors import ServerContractError, ServerStartError
from experiments.measure.host.port_owner import listeners
from experiments.measure.servers.address import Address, connect, first_that_answers, look_up, port_of
from experiments.measure.servers.base import FIRST_AT_ONCE, MOST_AT_ONCE, Server
from experiments.measure.servers.probe import ask, reason
from experiments.record.schema import ENDPOINTS

_QUIET = 200
"""Answers in a row without a new worker, after which all workers of a server that is not ours count as known."""


class ExternalServer(Server):
    """A server that somebody else started and will end. It need not have /health, nor our bytes, only their lengths."""

    main_pid = None
    _said_by = "server_url"
    """Where its address was named."""
    alive = True
    """As far as anybody can know here; if it stops answering, the devices see it."""

    def __init__(self, *, url: str, status_bytes: int, bulk_bytes: int, polled: Collection[str] = ENDPOINTS) -> None:
        super().__init__(
            status_bytes=status_bytes,
            bulk_bytes=bulk_bytes,
            at_once=FIRST_AT_ONCE,
            most_at_once=MOST_AT_ONCE,
            polled=polled,
        )
        self._url = url.rstrip("/")
        self._addresses: list[Address] = []
        """All that its name has."""
        self._address: Address | None = None
        """The one that answered."""
        self._pids: set[int] = set()
        """Workers that ever answered."""
        self._workers_seen: bool | None = None
        """Whether their numbers were those of processes here when they were first asked for; None before that."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self._url

    @property
    def address(self) -> Address:
        """The address of its name that answered first; before anybody asked, the name itself."""
        parts = urlsplit(self._url)
        return self._address or (parts.hostname or "", port_of(self._url))

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
            "address": self._address and self._address[0],
            "addresses": [host for host, _ in self._addresses],
            "started_by_lab": False,
            "framework": self._health.framework if self._health else None,
            "framework_version": self._health.version if self._health else None,
            "command": [],
            "main_pid": None,
            "workers_seen": bool(self._workers_seen),
        }

    def worker_pids(self) -> list[int]:
        """The workers that ever answered and, as far as can be seen from here, listen at this moment."""
        processes = []
        for pid in self._pids:
            with suppress(psutil.Error, ValueError):  # A stranger may say any number.
                processes.append(psutil.Process(pid))
        return sorted(listeners(processes, port_of(self._url)))

    async def start(self, *, deadline_s: float = 10.0) -> None:
        """Makes sure that somebody answers, and finds out at which of its addresses.

        Raises:
            ServerStartError: nobody does.
        """
        try:
            self._addresses = await asyncio.to_thread(look_up, self._url)
            self._address = await first_that_answers(self._addresses, lambda address: self._knock(address, deadline_s))
        except OSError as error:
            raise ServerStartError(
                f"nothing answers at {self._url} ({reason(error)}): start that server, or correct {self._said_by}."
            ) from None

    def _knock(self, address: Address, timeout_s: float) -> None:
        if self._health_path and self._url.startswith("http:"):
            ask(self._url + self._health_path, timeout_s, 0, address=address)
        else:  # What it speaks there, the pre-check sees.
            connect(address, timeout_s)

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
        if self._workers_seen is None:
            self._workers_seen = await asyncio.to_thread(lambda: self.is_local)
        return served

    async def stop(self) -> None:
        """Does nothing: who started it ends it."""
