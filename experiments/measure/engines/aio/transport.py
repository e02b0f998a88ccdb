"""Our `httpx.AsyncBaseTransport` for plain HTTP/1.1: one connection, one request at a time, nothing that is not needed.

httpx's own transport spends a millisecond and more of CPU on a poll (pool, locks, streams, a task switch a layer), which a
swarm reports as the server's latency. This one writes prebuilt bytes and waits for one future. It can be handed to any
`httpx.AsyncClient`; it has no pool, no TLS, no proxy and no HTTP/2, and leaves timeouts to its caller.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx

from experiments.measure.engines.aio.protocol import Http1Protocol
from experiments.measure.engines.counters import MOST_RESTS
from experiments.measure.engines.http1 import Answer, ConnectionClosed, ConnectionReset
from experiments.measure.engines.wire import RETRIABLE, head

_NO_BODY = httpx.ByteStream(b"")
_NOTHING = Answer()


class LeanTransport(httpx.AsyncBaseTransport):
    """One device's connection.

    Args:
        discard_bodies: count the bytes of bodies and throw them away; the response then has an empty stream.
        keep_alive: False closes the connection after each answer, whatever the server says.
        address: (host, port) to connect to instead of the request's own, so that names are looked up once.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        discard_bodies: bool = False,
        keep_alive: bool = True,
        address: tuple[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._discard_bodies = discard_bodies
        self._keep_alive = keep_alive
        self._address = address
        self._clock = clock
        self._protocol: Http1Protocol | None = None
        self.checksum_wanted = False
        """Whether the next answer's CRC-32 is to be taken."""
        self.connecting = False
        """Whether the request under way still waits for its connection."""
        self.connect_s = 0.0
        """Seconds that the last request spent connecting; 0 on a reused connection."""
        self.attempts = 0
        """Requests put on the wire so far, those asked again included."""
        self.connects = 0
        """Connections made so far."""
        self.reconnects = 0
        """How often a kept connection was found closed by the server before it was used again."""
        self.closes = 0
        """How often the server closed the connection with its answer, although it was to be kept."""
        self.rests_s: list[float] = []
        """How long connections had rested when the server closed them: the first ones."""
        self.retries = 0
        """How often a request was asked again, since the server closed a reused connection without an answer."""

    @property
    def answer(self) -> Answer:
        """The last answer, whole or broken off; an empty one where there was no connection."""
        return self._protocol.answer if self._protocol is not None else _NOTHING

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Asks once and waits for the complete answer.

        Raises:
            httpx.ConnectError: no connection; the cause is the operating system's error.
            httpx.RemoteProtocolError: the connection closed early, or what came was not HTTP.
            httpx.ReadError: the connection was reset.
        """
        answer = await self.exchange(request)
        stream = _NO_BODY if self._discard_bodies else httpx.ByteStream(b"".join(answer.body))
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)

    async def exchange(self, request: httpx.Request) -> Answer:
        """The same for a device, which needs no `httpx.Response`: making one costs as much as the rest of this module."""
        self.connect_s = 0.0
        wire = request.extensions.get("lean_wire") or await _wire(request)
        protocol = self._protocol
        if protocol is not None and protocol.usable:
            try:
                return await self._ask(protocol, wire)
            except (ConnectionClosed, ConnectionReset):
                if protocol.answer.started or request.method not in RETRIABLE:
                    raise
                self.retries += 1
        elif protocol is not None and protocol.closed_by_server:
            self.reconnects += 1
            if len(self.rests_s) < MOST_RESTS:
                self.rests_s.append(protocol.rested_s)
        self._protocol = None
        self._protocol = protocol = await self._connect(request.url)
        return await self._ask(protocol, wire)

    async def aclose(self) -> None:
        """Closes the connection."""
        if self._protocol is not None:
            self._protocol.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def _ask(self, protocol: Http1Protocol, wire: bytes) -> Answer:
        self.attempts += 1
        try:
            await protocol.ask(wire, checksum=self.checksum_wanted)
        except BaseException:
            # Also when the caller gives up waiting: the rest of this answer must not meet the next request.
            protocol.close()
            raise
        if not self._keep_alive:
            protocol.close()
        elif protocol.closed_with_answer:
            self.closes += 1
        return protocol.answer

    async def _connect(self, url: httpx.URL) -> Http1Protocol:
        if url.scheme != "http":
            raise httpx.UnsupportedProtocol(f"the lean transport speaks plain HTTP only, not {url.scheme}")
        host, port = self._address or (url.host, url.port or 80)
        loop = asyncio.get_running_loop()
        begun = self._clock()
        self.connecting = True
        try:
            _, protocol = await loop.create_connection(
                lambda: Http1Protocol(self._clock, keep_bodies=not self._discard_bodies), host, port
            )
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        finally:
            self.connecting = False
            self.connect_s = self._clock() - begun
        self.connects += 1
        return protocol


async def _wire(request: httpx.Request) -> bytes:
    return head(request) + await request.aread()
