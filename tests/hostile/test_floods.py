"""Answers without end are refused or run out of time; the memory that they take does not grow."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import psutil
import pytest

from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.http1 import MOST_BODILESS_BYTES, ProtocolViolation
from tests.hostile.floods import FLOODS, Flood
from tests.hostile.peer import ask, connected, inside_a_loop

BOUNDED = [name for name, flood in FLOODS.items() if flood.bounded]
BODIES = [name for name, flood in FLOODS.items() if not flood.bounded]
_READ_BYTES = 256 * 1024
"""The most that an event loop hands over at once."""
_GROWTH_BYTES = 30_000_000


def resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize("read_bytes", [1000, _READ_BYTES])
@pytest.mark.parametrize("name", BOUNDED)
@inside_a_loop
def test_what_is_no_body_must_end(name: str, read_bytes: int) -> None:
    """A status line, header, 1xx, chunk size or trailer without end is refused after 64 KiB and one read at most."""
    protocol = connected()
    waiter = protocol.ask(b"")
    whole = b"".join(itertools.islice(FLOODS[name].pieces(), 40))
    fed = 0
    while not waiter.done() and fed < len(whole):
        protocol.data_received(whole[fed : fed + read_bytes])
        fed += read_bytes
    assert isinstance(waiter.exception(), ProtocolViolation)
    assert fed <= MOST_BODILESS_BYTES + 2 * read_bytes


@pytest.mark.parametrize("name", BODIES)
@inside_a_loop
def test_the_bytes_of_a_body_are_not_kept(name: str) -> None:
    """200 MB of a body that nobody wants leave no trace in memory; the poll still waits."""
    pieces = FLOODS[name].pieces()
    size = 200_000_000 if name != "chunks of one byte" else 10_000_000
    before = resident_bytes()
    fate, protocol, _ = ask(itertools.islice(pieces, size // 20_000), "silence")
    assert resident_bytes() - before < _GROWTH_BYTES
    assert (fate.kind, protocol.answer.body) == ("waiting", [])
    assert fate.body_bytes > size / 7


@inside_a_loop
def test_a_hundred_thousand_headers_are_refused() -> None:
    """They come to more than a head may have, at once or one by one, and the first ones are all that was ever held."""
    wire = b"HTTP/1.1 200 OK\r\n" + b"X-Header: value\r\n" * 100_000 + b"Content-Length: 0\r\n\r\n"
    for pieces in ([wire], [wire[start : start + 17] for start in range(0, len(wire), 17)]):
        fate, protocol, _ = ask(pieces, "silence")
        assert fate.kind == "ProtocolViolation"
        assert len(protocol.answer.headers) < MOST_BODILESS_BYTES / 17


@asynccontextmanager
async def flooding(flood: Flood) -> AsyncIterator[str]:
    """A server that answers so, as fast as it is read."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in flood.pieces():
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def polled(flood: Flood, timeout_s: float) -> tuple[Exception, float, int]:
    """The error that a poll ended with, after how long, and how many bytes of body had come."""
    async with flooding(flood) as url, LeanTransport(discard_bodies=True) as transport:
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                await transport.handle_async_request(httpx.Request("GET", url))
        except (TimeoutError, httpx.TransportError) as error:
            return error, time.monotonic() - began, transport.answer.body_bytes
    raise AssertionError("an answer without end had one")


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_at_the_latest_with_the_timeout(name: str) -> None:
    """On a real socket each of them is refused at once, or ends with the poll's time, and the process does not grow."""
    flood = FLOODS[name]
    before = resident_bytes()
    error, took_s, body_bytes = asyncio.run(polled(flood, 1.0))
    assert isinstance(error, ProtocolViolation if flood.bounded else TimeoutError)
    assert took_s < 10  # no speed: only that it came to an end
    assert resident_bytes() - before < _GROWTH_BYTES
    assert (body_bytes > 1_000_000) is not flood.bounded
