"""What an httpx client expects of its transport beside answers: its timeouts, and bodies that come in pieces.

A connection, a request in bytes and pieces, limits in seconds -> the answer, or one of httpx's timeouts. A device needs none
of this: its bytes are prebuilt, and whoever drives it keeps the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

from experiments.measure.engines.aio.protocol import Http1Protocol


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each kind of waiting may last, in s; None for ever. As in a request's extension `timeout`."""

    connect: float | None = None
    """For the connection, TLS included."""
    read: float | None = None
    """For the next piece of the answer."""
    write: float | None = None
    """For the server to take a piece of the request."""
    pool: float | None = None
    """For the request before this one to be done with."""

    @classmethod
    def of(cls, request: httpx.Request) -> Self:
        """What a request says."""
        told: dict[str, Any] = request.extensions.get("timeout") or {}
        return cls(*(told.get(name) for name in ("connect", "read", "write", "pool")))


@dataclass(frozen=True, slots=True)
class Errand:
    """A request with what its client expects."""

    patience: Patience
    pieces: AsyncIterator[bytes] | None
    """Of the body, framed; None where it is whole and goes with the head."""
    clock: Callable[[], float]

    async def ask(self, protocol: Http1Protocol, wire: bytes, *, checksum: bool) -> None:
        """Asks; the answer is the protocol's.

        Raises:
            httpx.WriteTimeout, httpx.ReadTimeout: the server took too long.
        """
        answered = protocol.ask(wire, checksum=checksum)
        try:
            whole = await self._written(protocol, answered)
            await self._heard(protocol, answered)
        finally:
            # Whoever gives up leaves nobody behind who waits for an answer.
            if not answered.cancel() and not answered.cancelled():
                answered.exception()  # It is known here, whatever is raised.
        if not whole:
            # It answered before it had the whole request: what comes next would be read as the rest of this one.
            protocol.close()

    async def _written(self, protocol: Http1Protocol, answered: asyncio.Future[None]) -> bool:
        """Whether all of the request was sent; a server may answer, or end the connection, before that."""
        await self._taken(protocol, answered)
        if self.pieces is not None:
            async for piece in self.pieces:
                if answered.done():
                    return False
                protocol.write(piece)
                await self._taken(protocol, answered)
        return protocol.room is None

    async def _taken(self, protocol: Http1Protocol, answered: asyncio.Future[None]) -> None:
        room = protocol.room
        if room is None:
            return
        done, _ = await asyncio.wait({room, answered}, timeout=self.patience.write, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise httpx.WriteTimeout(f"the server did not take the request within {self.patience.write:g} s")

    async def _heard(self, protocol: Http1Protocol, answered: asyncio.Future[None]) -> None:
        limit = self.patience.read
        if limit is None:
            await answered
            return
        since = self.clock()
        while not answered.done():
            rest = max(since, protocol.heard_at) + limit - self.clock()
            if rest <= 0:
                raise httpx.ReadTimeout(f"nothing came for {limit:g} s")
            await asyncio.wait({answered}, timeout=rest)
        answered.result()


def whole_body(request: httpx.Request) -> bytes | None:
    """The body of a request that has it at hand; None if it comes in pieces."""
    if isinstance(request.stream, httpx.ByteStream):
        return b"".join(request.stream)
    return None


async def framed(request: httpx.Request) -> AsyncIterator[bytes]:
    """The pieces of a request's body as they go over the wire: in chunks, if its head says so."""
    assert isinstance(request.stream, httpx.AsyncByteStream)
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    async for piece in request.stream:
        if piece:  # An empty chunk would end the body.
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"


class HeldBody(httpx.AsyncByteStream):
    """A complete body; tells once when nobody can want it any more: it was read, closed or forgotten.

    httpx's own transport gives a connection back at that moment, and clients count on it.
    """

    def __init__(self, body: bytes, on_end: Callable[[], None]) -> None:
        self._body = body
        self._on_end: Callable[[], None] | None = on_end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        self._end()

    async def aclose(self) -> None:
        self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()
