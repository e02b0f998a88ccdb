"""A connection without a socket: bytes go straight into `Http1Protocol`, and what it made of them comes out.

Takes some 20 us an answer, so that a million of them can be tried.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import cycle
from typing import Any, Literal, NamedTuple

import h11

from experiments.measure.engines.aio.protocol import Http1Protocol

Ending = Literal["close", "reset", "silence"]
"""What follows the last byte: the end of the connection, in order or not, or nothing at all."""

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"


class Fate(NamedTuple):
    """What became of a request."""

    kind: str
    """`answer`, `waiting`, or the class of the error."""
    status: int
    body_bytes: int
    checksum: int


class Wire:
    """The transport of a connection that leads nowhere."""

    def write(self, data: bytes) -> None:
        """Takes a request."""

    def abort(self) -> None:
        """Is told to close; what was on its way still comes."""


def inside_a_loop(test: Callable[..., None]) -> Callable[..., None]:
    """Runs a test where there is a running loop, which the protocol asks for; the loop itself never turns."""

    @wraps(test)
    def run(*args: Any, **named: Any) -> None:
        async def call() -> None:
            test(*args, **named)

        asyncio.run(call())

    return run


def connected() -> Http1Protocol:
    """A protocol on a new connection."""
    protocol = Http1Protocol(lambda: 0.0, keep_bodies=False)
    protocol.connection_made(Wire())  # type: ignore[arg-type]
    return protocol


def cut(wire: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The bytes in pieces of these sizes, over and over again."""
    start = 0
    for size in cycle(sizes):
        if start >= len(wire):
            return
        yield wire[start : start + size]
        start += size


def ask(pieces: Sequence[bytes] | Iterator[bytes], ending: Ending) -> tuple[Fate, Http1Protocol, BaseException | None]:
    """Asks once on a new connection, which then brings these pieces."""
    protocol = connected()
    waiter = protocol.ask(b"", checksum=True)
    for piece in pieces:
        protocol.data_received(piece)
    if ending == "close":
        protocol.eof_received()
        protocol.connection_lost(None)
    elif ending == "reset":
        protocol.connection_lost(ConnectionResetError(104, "Connection reset by peer"))
    error = waiter.exception() if waiter.done() else None
    kind = type(error).__name__ if error else "answer" if waiter.done() else "waiting"
    answer = protocol.answer
    return Fate(kind, answer.status, answer.body_bytes, answer.checksum), protocol, error


def ask_again(protocol: Http1Protocol) -> Fate:
    """Asks on a connection that was kept, and is answered well."""
    waiter = protocol.ask(b"", checksum=True)
    protocol.data_received(GOOD)
    kind = "answer" if waiter.done() and not waiter.exception() else "no answer"
    return Fate(kind, protocol.answer.status, protocol.answer.body_bytes, protocol.answer.checksum)


def by_h11(wire: bytes, *, closed: bool) -> tuple[int, bytes] | None:
    """Status and body as another parser reads them; None where it does not come to an end."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(wire)
    if closed:
        connection.receive_data(b"")
    status, body = 0, b""
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None
    return status, body
