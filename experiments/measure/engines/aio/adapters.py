"""How a device asks: the one seam between a swarm and an httpx transport.

Both kinds of link judge an answer alike; they differ in who keeps the time. Our lean transport notes the instant of the
last byte itself; for any other transport the link can only look at the clock when the body has been handed over.
"""

from __future__ import annotations

import inspect
import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import httpx

from experiments.measure.engines import tls
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.counters import Counters
from experiments.measure.engines.masking import FIRST_BYTES
from experiments.measure.engines.target import Target
from experiments.target.poller import Poller

TransportFactory = Callable[..., httpx.AsyncBaseTransport]
"""Called with the device's number, or with nothing; see `takes_device`."""

_NAMES_OF_A_DEVICE = ("client", "device")


def takes_device(factory: TransportFactory) -> bool:
    """Whether a factory is called with the device's number: it cannot be called without an argument, or names its first one
    `device` or `client`. Any other argument has a meaning of its own, and keeps its default."""
    try:
        signature = inspect.signature(factory)
    except ValueError:  # Written in C, and tells nothing.
        return False
    names = [*signature.parameters]
    try:
        signature.bind()
    except TypeError:
        return True
    return bool(names) and names[0] in _NAMES_OF_A_DEVICE


class Link(Protocol):
    """One device's way to the server. The properties speak of the last poll."""

    @property
    def status(self) -> int:
        """HTTP status; 0 if none came."""

    @property
    def body_bytes(self) -> int:
        """Bytes of body that came."""

    @property
    def connect_s(self) -> float:
        """Seconds spent connecting; NaN if the link cannot say."""

    @property
    def done_at(self) -> float:
        """When it ended, on the monotonic clock; 0 if the link cannot say."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Of the answer."""

    @property
    def body(self) -> bytes:
        """Of the answer, as it came; empty where it was not to be kept."""

    @property
    def first_bytes(self) -> bytes:
        """Of the body, as far as anybody looked at it; at least where the status is not 200."""

    @property
    def first_byte_at(self) -> float:
        """When the first byte of the answer came, on the monotonic clock; 0 if none did or the link cannot say."""

    @property
    def tls_s(self) -> float:
        """Seconds spent in the TLS handshake; NaN where there is none, or the link cannot say."""

    @property
    def counters(self) -> Counters:
        """What it took so far."""

    effort_judged: Counters
    """Where comparisons of bytes are counted."""

    @property
    def connecting(self) -> bool:
        """Whether the poll under way still waits for its connection."""

    async def ask(self, poller: Poller, round_: int, *, keep: bool) -> None:
        """Polls once; with `keep` the body of the answer is kept. Raises what the transport raises."""

    async def close(self) -> None:
        """Closes the connection."""


class LeanLink:
    """Over our lean transport: a body is held only where it is looked at, and the transport keeps the time.

    Args:
        routes: where the requests of each endpoint go; all devices may have the same.
        context: how an https server is spoken to; not used with http.
        source: the device's local address; None for the one that the system chooses.
    """

    def __init__(
        self,
        target: Target,
        routes: Mapping[str, httpx.Request],
        context: ssl.SSLContext | None = None,
        source: str | None = None,
    ) -> None:
        self._routes = routes
        self._transport = LeanTransport(
            discard_bodies=True, keep_alive=target.keep_alive, address=target.address, context=context, source=source
        )
        self._https = target.https
        self.effort_judged = Counters()

    async def ask(self, poller: Poller, round_: int, *, keep: bool) -> None:
        transport, route = self._transport, self._routes[poller.kind.name]
        transport.body_wanted = keep
        # All devices have the same route: what is sent is read from it before anything is waited for.
        route.extensions["lean_wire"] = poller.wire(round_)
        await transport.exchange(route)

    @property
    def status(self) -> int:
        return self._transport.answer.status

    @property
    def body_bytes(self) -> int:
        return self._transport.answer.body_bytes

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return self._transport.answer.headers

    @property
    def body(self) -> bytes:
        pieces = self._transport.answer.body
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def first_bytes(self) -> bytes:
        return self._transport.answer.first_bytes

    @property
    def first_byte_at(self) -> float:
        return self._transport.answer.first_byte_at

    @property
    def tls_s(self) -> float:
        return self._transport.tls_s if self._https else math.nan

    @property
    def done_at(self) -> float:
        return self._transport.answer.done_at

    @property
    def connect_s(self) -> float:
        return self._transport.connect_s

    @property
    def connecting(self) -> bool:
        return self._transport.connecting

    @property
    def counters(self) -> Counters:
        t = self._transport
        return replace(
            self.effort_judged,
            attempts=t.attempts,
            connects=t.connects,
            reconnects=t.reconnects,
            closes=t.closes,
            retries=t.retries,
            handshakes=t.handshakes,
            resumptions=t.resumptions,
            rests_s=t.rests_s,
        )

    async def close(self) -> None:
        await self._transport.aclose()


class HttpxLink:
    """Over any httpx transport: the body is read by httpx, and the time is taken when it is there."""

    connecting = False
    connect_s = math.nan
    tls_s = math.nan

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport) -> None:
        self._target = target
        self._transport = transport
        self._made: dict[str, tuple[bytes, httpx.Request]] = {}
        """Endpoint -> what was asked last, and the request that was made of it."""
        self.counters = self.effort_judged = Counters(connections_told=False)
        self.status = 0
        self.body_bytes = 0
        self._headers = httpx.Headers()
        self.body = b""
        self.first_bytes = b""
        self.first_byte_at = 0.0
        self.done_at = 0.0

    async def ask(self, poller: Poller, round_: int, *, keep: bool) -> None:
        self.status = self.body_bytes = 0
        self.first_byte_at = self.done_at = 0.0
        self.body = self.first_bytes = b""
        self.counters.attempts += 1
        response = await self._transport.handle_async_request(self._request(poller, round_))
        self.first_byte_at = time.monotonic()
        self.status = response.status_code
        self._headers = response.headers
        pieces: list[bytes] = []
        try:
            # As it comes from the wire: not unpacked, and held only where it is looked at.
            async for piece in response.aiter_raw():
                if not self.body_bytes:
                    self.first_bytes = piece[:FIRST_BYTES]
                self.body_bytes += len(piece)
                if keep:
                    pieces.append(piece)
        finally:
            await response.aclose()
        self.done_at = time.monotonic()
        self.body = b"".join(pieces)

    def _request(self, poller: Poller, round_: int) -> httpx.Request:
        """Made anew only where it differs from the last one: making one costs as much as a lean poll."""
        wire, name = poller.wire(round_), poller.kind.name
        made = self._made.get(name)
        if made is None or made[0] != wire:
            self._made[name] = made = wire, self._target.request(poller, round_)
        return made[1]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return self._headers.raw

    async def close(self) -> None:
        await self._transport.aclose()


class StockTransport(httpx.AsyncBaseTransport):
    """httpx as a team's own script would use it: an `AsyncClient` a device, with its default pool.

    Args:
        context: how an https server is spoken to, see `tls.Contexts`; None trusts whom the system trusts. It is shared: each
            client would spend 20 ms and more on loading certificates.
    """

    def __init__(self, timeout_s: float, context: ssl.SSLContext | None = None) -> None:
        self._client = httpx.AsyncClient(timeout=timeout_s, verify=context or tls.usual(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()
