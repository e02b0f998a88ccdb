"""Our `httpx.AsyncBaseTransport` for HTTP/1.1: one connection, one request at a time, nothing that is not needed.

httpx's own transport spends a millisecond and more of CPU on a poll (pool, locks, streams, a task switch a layer), which a
swarm reports as the server's latency. This one writes prebuilt bytes and waits for one future. It can be handed to any
`httpx.AsyncClient`, and keeps the timeouts that such a client asks for; it has no pool, no proxy and no HTTP/2.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import httpx

from experiments.measure.engines import sources, tls
from experiments.measure.engines.aio.patience import Errand, HeldBody, Patience, framed, whole_body
from experiments.measure.engines.aio.protocol import Http1Protocol
from experiments.measure.engines.aio.tls import TlsProtocol
from experiments.measure.engines.counters import MOST_RESTS
from experiments.measure.engines.http1 import Answer, ConnectionClosed, ConnectionReset
from experiments.measure.engines.wire import RETRIABLE, head

_NOTHING = Answer()
_PORTS = {"http": 80, "https": 443}

class LeanTransport(httpx.AsyncBaseTransport):
    """One device's connection.

    Args:
        discard_bodies: count the bytes of bodies and throw them away; the response then has an empty stream.
        keep_alive: False closes the connection after each answer, whatever the server says.
        address: (host, port) to connect to instead of the request's own, so that names are looked up once. With TLS the
            server is still asked for by its name: the request's extension `sni_hostname`, or the host of its URL.
        context: how an https server is spoken to, see `tls.Contexts`; None trusts whom the system trusts.
        source: the local address to connect from, to an `address` in numbers; None for the one that the system chooses.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        discard_bodies: bool = False,
        keep_alive: bool = True,
        address: tuple[str, int] | None = None,
        context: ssl.SSLContext | None = None,
        source: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._discard_bodies = discard_bodies
        self._keep_alive = keep_alive
        self._address = address
        self._context = context
        self._source = source
        self._clock = clock
        self._protocol: Http1Protocol | None = None
        self._origin: tuple[object, ...] = ()
        """Where the connection leads."""
        self._session: tuple[str, ssl.SSLSession] | None = None
        """What may be resumed, and with which server."""
        self._turn = asyncio.Lock()
        """Of the client's request under way, until its answer is read."""
        self.checksum_wanted = False
        """Whether the next answer's CRC-32 is to be taken."""
        self.body_wanted = False
        """Whether the body of the next answer to `exchange` is kept, also where bodies are discarded."""
        self.connecting = False
        """Whether the request under way still waits for its connection, or did when it was given up."""
        self.connect_s = 0.0
        """Seconds that the last request spent connecting, without TLS; 0 on a reused connection."""
        self.tls_s = 0.0
        """Seconds that it then spent in the TLS handshake; 0 on a reused connection."""
        self.handshakes = 0
        """TLS handshakes done so far."""
        self.resumptions = 0
        """How many of them resumed an earlier session."""
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

    @property
    def first_byte_at(self) -> float:
        """When the first byte of the last answer had come; 0 if none has."""
        return self.answer.first_byte_at

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Asks once and waits for the complete answer.

        The next request waits for it; and if this one has the limit `pool`, until its answer is read, closed or forgotten.

        Raises:
            httpx.ConnectError: no connection; the cause is the operating system's error, or OpenSSL's.
            httpx.RemoteProtocolError: the connection closed early, or what came was not HTTP.
            httpx.ReadError: the connection was reset.
            httpx.TimeoutException: one of those that the request's extension `timeout` sets.
        """
        patience = Patience.of(request)
        await self._take_turn(patience.pool)
        try:
            whole = whole_body(request)
            errand = Errand(patience, framed(request) if whole is None else None, self._clock)
            self._leave_other(_origin_of(request))
            answer = await self._exchange(request, head(request) + (whole or b""), errand)
        except BaseException:
            self._turn.release()
            raise
        body = b"" if self._discard_bodies else b"".join(answer.body)
        stream: httpx.AsyncByteStream
        if patience.pool is None:
            # The answer is complete, and nobody who would wait for ever must wait for a client that does not read it.
            self._turn.release()
            stream = httpx.ByteStream(body)
        else:
            stream = HeldBody(body, self._turn.release)
        told = {"http_version": answer.version}
        return httpx.Response(answer.status, headers=answer.headers, stream=stream, extensions=told)

    def exchange(self, request: httpx.Request) -> Coroutine[Any, Any, Answer]:
        """The same for a device, which needs no `httpx.Response`: making one costs as much as the rest of this module.

        A device keeps the time itself, asks one server, and never asks before it has its answer: nothing of that is looked
        after here.
        """
        return self._exchange(request, request.extensions.get("lean_wire"), None)

    async def _exchange(self, request: httpx.Request, wire: bytes | None, errand: Errand | None) -> Answer:
        self.connect_s = self.tls_s = 0.0
        if wire is None:
            wire = head(request) + await request.aread()
        protocol = self._protocol
        if protocol is not None and protocol.usable:
            try:
                return await self._ask(protocol, wire, errand)
            except (ConnectionClosed, ConnectionReset):
                in_pieces = errand is not None and errand.pieces is not None  # Of which some are gone.
                if protocol.answer.started or in_pieces or request.method not in RETRIABLE:
                    raise
                self.retries += 1
        elif protocol is not None and protocol.closed_by_server:
            self.reconnects += 1
            if len(self.rests_s) < MOST_RESTS:
                self.rests_s.append(protocol.rested_s)
        if protocol is not None:
            self._remember(protocol)
        self._protocol = None
        self._protocol = protocol = await self._connect(request, errand.patience.connect if errand else None)
        return await self._ask(protocol, wire, errand)

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

    async def _take_turn(self, limit_s: float | None) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._turn.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(f"the answer before was not read within {limit_s:g} s") from None

    def _leave_other(self, origin: tuple[object, ...]) -> None:
        """Closes a connection that leads elsewhere."""
        if origin != self._origin and self._protocol is not None:
            self._protocol.close()
        self._origin = origin

    async def _ask(self, protocol: Http1Protocol, wire: bytes, errand: Errand | None) -> Answer:
        self.attempts += 1
        try:
            if errand is None:
                await protocol.ask(wire, checksum=self.checksum_wanted, keep=self.body_wanted)
            else:
                await errand.ask(protocol, wire, checksum=self.checksum_wanted)
        except BaseException:
            # Also when the caller gives up waiting: the rest of this answer must not meet the next request.
            protocol.close()
            raise
        if not self._keep_alive:
            protocol.close()
        elif protocol.closed_with_answer:
            self.closes += 1
        return protocol.answer

    async def _connect(self, request: httpx.Request, limit_s: float | None) -> Http1Protocol:
        """A new connection, TLS included, within that time; None for ever."""
        if request.url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"the lean transport speaks http and https, not {request.url.scheme!r}")
        self.connecting, waiting = True, False
        try:
            if limit_s is None:
                return await self._open(request)
            try:
                async with asyncio.timeout(limit_s) as limit:
                    return await self._open(request)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise httpx.ConnectTimeout(f"no connection within {limit_s:g} s") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        except asyncio.CancelledError:
            waiting = True  # Whoever gave the request up asks what it was waiting for.
            raise
        finally:
            self.connecting = waiting

    async def _open(self, request: httpx.Request) -> Http1Protocol:
        url, secure = request.url, request.url.scheme == "https"
        host, port = self._address or (url.host, url.port or _PORTS[url.scheme])
        protocol: Http1Protocol | None = None
        begun = self._clock()
        try:
            make = (lambda: self._secured(_name_of(request))) if secure else self._plain
            _, protocol = await self._connection(make, host, port)
            if isinstance(protocol, TlsProtocol):
                await protocol.secured
        except BaseException:
            if protocol is not None:
                protocol.close()
            raise
        finally:
            self._took(begun, protocol)
        self.connects += 1
        return protocol

    async def _connection(self, make: Callable[[], Http1Protocol], host: str, port: int) -> tuple[object, Http1Protocol]:
        loop = asyncio.get_running_loop()
        if self._source is None:
            return await loop.create_connection(make, host, port)
        connection = sources.opened((host, port), self._source)
        try:
            await loop.sock_connect(connection, (host, port))
            return await loop.create_connection(make, sock=connection)
        except BaseException:
            connection.close()
            raise

    def _plain(self) -> Http1Protocol:
        return Http1Protocol(self._clock, keep_bodies=not self._discard_bodies)

    def _secured(self, name: str) -> TlsProtocol:
        known, session = self._session or ("", None)
        return TlsProtocol(
            self._clock,
            keep_bodies=not self._discard_bodies,
            context=self._context or tls.usual(),
            name=name,
            session=session if known == name else None,
        )

    def _took(self, begun: float, protocol: Http1Protocol | None) -> None:
        """Keeps how long the connection took that has been made, or that failed."""
        now = self._clock()
        if isinstance(protocol, TlsProtocol):
            self.connect_s = protocol.connected_at - begun
            self.tls_s = (protocol.secured_at or now) - protocol.connected_at
            if protocol.secured_at:
                self.handshakes += 1
                self.resumptions += protocol.resumed
        else:
            self.connect_s = now - begun

    def _remember(self, protocol: Http1Protocol) -> None:
        """Keeps what the next connection may resume."""
        if isinstance(protocol, TlsProtocol) and (session := protocol.session) is not None:
            self._session = protocol.name, session


def _name_of(request: httpx.Request) -> str:
    """What the server is called in TLS."""
    told = request.extensions.get("sni_hostname") or request.url.raw_host
    return told.decode("ascii") if isinstance(told, bytes) else str(told)


def _origin_of(request: httpx.Request) -> tuple[object, ...]:
    url = request.url
    return url.scheme, url.host, url.port, request.extensions.get("sni_hostname")
