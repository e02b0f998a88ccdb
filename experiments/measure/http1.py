"""HTTP/1.1 on one connection: bytes in any number of pieces -> one answer, or the reason why there was none.

An asyncio protocol over httptools. It knows requests only as bytes, asks one at a time, and knows nothing of devices,
schedules or timeouts. An answer may be framed by Content-Length, by chunks or by the end of the connection, may follow any
number of 1xx answers, and may have no body (204, 304).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable

import httptools
import httpx

MOST_BODILESS_BYTES = 64 * 1024
"""How many bytes may come in a row without one of a body: heads, what stands between two chunks, a trailer. httptools
itself would keep names and values in memory without limit."""


class ConnectionClosed(httpx.RemoteProtocolError):
    """The server closed the connection before the answer was complete."""


class ConnectionReset(httpx.ReadError):
    """The connection was reset before the answer was complete."""


class ProtocolViolation(httpx.RemoteProtocolError):
    """What came is not HTTP/1.1, or nobody had asked for it."""


class Answer:
    """What came back for one request; a connection reuses the same object for all of its answers."""

    __slots__ = ("body", "body_bytes", "checksum", "complete", "done_at", "headers", "started", "status")

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.forget()

    def forget(self) -> None:
        """Makes room for the next answer."""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body.clear()
        self.body_bytes = 0
        self.checksum = 0
        self.done_at = 0.0
        self.started = False
        self.complete = False


class Http1Protocol(asyncio.Protocol):
    """One connection.

    Args:
        clock: monotonic seconds; read when the last byte has come, before anybody is woken.
        keep_bodies: False counts body bytes and throws them away.
    """

    def __init__(self, clock: Callable[[], float], *, keep_bodies: bool) -> None:
        self._clock = clock
        self._keep_bodies = keep_bodies
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._checksum_wanted = False
        self._in_head = True
        """Until the head of an answer other than 1xx is complete."""
        self._room_bytes = MOST_BODILESS_BYTES
        """How many more may come before the next byte of a body."""
        self.answer = Answer()
        self.usable = False
        """Whether another request may be asked on this connection."""
        self.closed_by_server = False
        """Whether the server ended the connection while nothing was being asked."""

    def ask(self, wire: bytes, *, checksum: bool = False) -> asyncio.Future[None]:
        """Sends a request; the future ends with the answer in `self.answer`, or with one of this module's errors."""
        transport = self._transport
        assert transport is not None
        self.answer.forget()
        self._room_bytes = MOST_BODILESS_BYTES
        self._in_head = True
        self._checksum_wanted = checksum
        self._waiter = waiter = self._loop.create_future()
        transport.write(wire)
        return waiter

    def close(self) -> None:
        """Gives the connection up at once; an answer that is still awaited fails as closed."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection has an asyncio.Transport
        self.usable = True

    def data_received(self, data: bytes) -> None:
        room = self._room_bytes
        if self._in_head and len(data) > room:
            # A head is within its limit or beyond it wherever pieces are cut: chance must not decide about an answer.
            view = memoryview(data)
            self._feed(view[:room])
            self._feed(view[room:])
        else:
            self._feed(data)

    def _feed(self, data: bytes | memoryview) -> None:
        if self._waiter is None:
            # Nothing was asked: whatever this is, the next answer could not be told from it.
            self.close()
            return
        self.answer.started = True
        self._room_bytes -= len(data)
        if self._in_head and self._room_bytes < 0:
            self._fail(ProtocolViolation(f"a head of more than {MOST_BODILESS_BYTES} bytes"))
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ProtocolViolation("the server switched protocols"))
        except httptools.HttpParserError as error:
            self._fail(ProtocolViolation(f"not HTTP/1.1: {error.__context__ or error}"))
        # What came after the last byte of a body within one piece is not counted: a piece is small.
        if self._room_bytes < 0:
            self._fail(ProtocolViolation(f"more than {MOST_BODILESS_BYTES} bytes without a byte of the body"))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiter is None:
            self.closed_by_server = self.usable
            self.usable = False
            return
        self.usable = False
        if isinstance(error, OSError):
            self._fail(ConnectionReset(f"the connection was reset: {error}"))
        elif error is not None:
            # Nothing of the network's: a fault in here, which must not be laid at the server's door.
            self._fail(error)
        elif self._ends_with_connection():
            self._finish()
        else:
            self._fail(ConnectionClosed("the server closed the connection before the answer was complete"))

    def _ends_with_connection(self) -> bool:
        """Whether the head is complete and only the end of the connection can end the body (RFC 9112, 6.3)."""
        if self._in_head:
            return False
        headers = [(name.lower(), value.lower()) for name, value in self.answer.headers]
        codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
        if codings:
            return codings.rpartition(b",")[2].strip() != b"chunked"
        return all(name != b"content-length" for name, _ in headers)

    # What the parser calls. An error raised in here ends the parsing: the parser raises one of its own, with this context.

    def on_message_begin(self) -> None:
        if self.answer.complete:
            # In one piece with the answer. Not even its first bytes may reach the parser and be taken for the next one's.
            raise ProtocolViolation("more came than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self.answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.answer.status = status = self._parser.get_status_code()
        if not 100 <= status < 200:
            self._in_head = False
            self._room_bytes = MOST_BODILESS_BYTES

    def on_body(self, piece: bytes) -> None:
        if self._in_head:
            raise ProtocolViolation("a 1xx answer with a body")
        answer = self.answer
        answer.body_bytes += len(piece)
        self._room_bytes = MOST_BODILESS_BYTES
        if self._checksum_wanted:
            answer.checksum = zlib.crc32(piece, answer.checksum)
        if self._keep_bodies:
            answer.body.append(piece)

    def on_message_complete(self) -> None:
        if self._in_head:
            self.answer.headers.clear()
            return
        if not self._parser.should_keep_alive():
            self.usable = False
        self._finish()

    def _finish(self) -> None:
        self.answer.done_at = self._clock()
        self.answer.complete = True
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            self.answer.done_at = self._clock()
            waiter.set_exception(error)
        self.close()
