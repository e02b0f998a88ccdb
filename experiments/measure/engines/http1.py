"""HTTP/1.1 answers without I/O: bytes in any number of pieces -> one answer, or the reason why there is none.

An `AnswerReader` knows nothing of sockets, loops, devices or timeouts; both engines read with it, so both see the same
answer in the same bytes. An answer may be framed by Content-Length, by chunks or by the end of the connection, may follow
any number of 1xx answers, and may have no body (204, 304).

PERF: heads repeat. What httptools made of a head is remembered, and an answer whose whole head comes in one piece and is
known to be plain (a length, nothing else that frames it) needs no parsing. Every other answer is httptools' from its first
byte on, also those of a server whose heads never repeat; uvicorn's cost three to five times as much that way (Python 3.11).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import httptools
import httpx

from experiments.measure.engines.masking import FIRST_BYTES

MOST_BODILESS_BYTES = 64 * 1024
"""How many bytes may come in a row without one of a body: heads, what stands between two chunks, a trailer. httptools
itself would keep names and values in memory without limit."""

_MOST_KNOWN_BYTES = 4096
"""A longer head is not remembered."""
_MOST_KNOWN_HEADS = 256
"""How many heads are remembered: several a second of a server that sends the date, from several workers."""
_MOST_NEW_HEADS = 4
"""After so many new ones in a row per connection learns no more, until it meets a head that another one has learned."""

Headers = list[tuple[bytes, bytes]]


class ConnectionClosed(httpx.RemoteProtocolError):
    """The server closed the connection before the answer was complete."""


class ConnectionReset(httpx.ReadError):
    """The connection was reset before the answer was complete."""


class ProtocolViolation(httpx.RemoteProtocolError):
    """What came is not HTTP/1.1, or nobody had asked for it."""


class Answer:
    """What came back for one request; a reader reuses the same object for all of its answers."""

    __slots__ = ("body", "body_bytes", "checksum", "complete", "done_at", "first_byte_at", "first_bytes", "headers",
                 "started", "status", "version")  # fmt: skip

    def __init__(self) -> None:
        self.status = self.body_bytes = self.checksum = 0
        self.version = b"HTTP/1.1"
        """As its status line says."""
        self.headers: Headers = []
        self.body: list[bytes] = []
        self.first_bytes = b""
        """Of the body, up to `FIRST_BYTES`; empty where nobody looked at them: of most right answers."""
        self.first_byte_at = 0.0
        """When its first byte had come, that of a 1xx answer before it too; 0 until then."""
        self.done_at = 0.0
        self.started = self.complete = False


class AnswerReader:
    """Reads the answers of one connection, one after the other.

    Args:
        clock: monotonic seconds; read when the first byte and the last have come, or when it is known that they never will.
        keep_bodies: False counts body bytes and throws them away.
    """

    __slots__ = ("_clock", "_general", "_keep_bodies", "_new_heads", "answer", "checksum_wanted", "closing", "keeps",
                 "remaining", "reusable")  # fmt: skip

    def __init__(self, clock: Callable[[], float], *, keep_bodies: bool) -> None:
        self._clock = clock
        self._keep_bodies = keep_bodies
        self._general: _GeneralReader | None = None
        self._new_heads = 0
        """How many of the last heads nobody had seen before, in a row."""
        self.answer = Answer()
        self.checksum_wanted = False
        """Whether the CRC-32 of the answer under way is taken."""
        self.keeps = keep_bodies
        """Whether the body of the answer under way is kept."""
        self.reusable = True
        """Whether another request may be asked on this connection."""
        self.closing = False
        """Whether the server said with its last answer that it closes the connection, or did so to end the answer."""
        self.remaining = 0
        """Bytes of body that are still to come of a plain answer; they may be skipped, see `skip`."""

    def expect(self, *, checksum: bool = False, keep: bool = False) -> None:
        """Begins anew, as a request is sent.

        Args:
            checksum: whether the CRC-32 of the answer's body is taken.
            keep: whether its body is kept, also by a reader that keeps none.
        """
        answer = self.answer
        answer.status = answer.body_bytes = answer.checksum = 0
        answer.first_byte_at = answer.done_at = 0.0
        answer.started = answer.complete = False
        if answer.headers or answer.body:
            answer.headers, answer.body, answer.first_bytes = [], [], b""
        self.checksum_wanted = checksum
        self.keeps = keep or self._keep_bodies
        if self._general is not None:
            self._general.expect()

    def feed(self, data: bytes) -> bool:
        """Takes the next bytes.

        Returns:
            Whether the answer is complete now. What came beyond its end makes the connection no longer `reusable`.

        Raises:
            ProtocolViolation: what came is not HTTP/1.1, or more than `MOST_BODILESS_BYTES` without a body.
        """
        answer = self.answer
        start = 0
        if not answer.started:
            answer.first_byte_at = self._clock()
        if not self.remaining:
            start = -1 if answer.started else data.find(b"\r\n\r\n", 0, _MOST_KNOWN_BYTES) + 4
            if start <= 3 or (plain := self._plain_head(data[:start])) is None:
                return self._parse(data)
            answer.started = True
            answer.status, answer.headers, answer.version = plain.status, plain.headers, plain.version
            if not plain.keeps_alive:
                self.close_after_answer()
            self.remaining = plain.body_bytes
        if self.checksum_wanted or self.keeps or answer.status != 200:
            self.take(data[start : start + self.remaining])
        return self.skip(len(data) - start)

    def resume(self, head: bytes, body_bytes: int, first_byte_at: float) -> None:
        """Goes on with an answer of which somebody else read a plain head, and threw so many bytes of its body away."""
        plain = _KNOWN_HEADS.get(head) or _learn(head)
        assert plain is not None
        answer = self.answer
        answer.started, answer.first_byte_at = True, first_byte_at
        answer.status, answer.headers, answer.version = plain.status, plain.headers, plain.version
        self.remaining = plain.body_bytes - body_bytes
        answer.body_bytes = body_bytes

    def skip(self, size: int) -> bool:
        """Counts that many bytes after a plain head, up to `remaining` of them of its body, which nobody wants to see.

        Returns:
            As `feed`.
        """
        beyond = size - self.remaining
        if beyond < 0:
            self.answer.body_bytes += size
            self.remaining = -beyond
            return False
        if beyond > 0:
            self.reusable = False
        self.answer.body_bytes += self.remaining
        self.remaining = 0
        self.answer.done_at = self._clock()
        self.answer.complete = True
        return True

    def end(self, error: OSError | None = None) -> None:
        """The connection has ended while an answer was awaited; returns if that is the end of the answer too.

        Raises:
            ConnectionReset: with `error`.
            ConnectionClosed: the answer was not complete.
        """
        self.reusable = False
        self.answer.done_at = self._clock()
        if error is not None:
            raise ConnectionReset(f"the connection was reset: {error}")
        if self._general is None or not self._general.ends_with_connection():
            raise ConnectionClosed("the server closed the connection before the answer was complete")
        self.closing = True
        self.finish()

    def close_after_answer(self) -> None:
        """The server ends the connection with this answer."""
        self.reusable = False
        self.closing = True

    def finish(self) -> None:
        """The last byte has come."""
        self.answer.done_at = self._clock()
        self.answer.complete = True

    def take(self, piece: bytes) -> None:
        """Does with a piece of body what is wanted, except counting it."""
        if self.checksum_wanted:
            self.answer.checksum = zlib.crc32(piece, self.answer.checksum)
        if self.keeps and piece:
            self.answer.body.append(piece)
        if (room := FIRST_BYTES - len(self.answer.first_bytes)) > 0:
            self.answer.first_bytes += piece[:room]

    def _plain_head(self, head: bytes) -> _PlainHead | None:
        """What is known of a head; None if it is not plain, or if it is not worth the while to find out."""
        try:
            plain = _KNOWN_HEADS[head]
        except KeyError:
            self._new_heads += 1
            return _learn(head) if self._new_heads <= _MOST_NEW_HEADS else None
        self._new_heads = 0
        return plain

    def _parse(self, data: bytes) -> bool:
        if self._general is None:
            self._general = _GeneralReader(self)
        self.answer.started = True
        try:
            self._general.feed(data)
        except ProtocolViolation:
            self.reusable = False
            if not self.answer.complete:
                self.answer.done_at = self._clock()
                raise
        return self.answer.complete


class _GeneralReader:
    """Any answer at all, by httptools: what is not plain, or does not come in one piece with its head."""

    def __init__(self, reader: AnswerReader) -> None:
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self.keeps_alive = False
        """Whether the server keeps the connection after the answer, once its head is complete."""
        self.expect()

    def expect(self) -> None:
        self._in_head = True
        """Until the head of an answer other than 1xx is complete."""
        self._room_bytes = MOST_BODILESS_BYTES
        """How many more may come before the next byte of a body."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises:
            ProtocolViolation: as `AnswerReader.feed`; also after the end of an answer, if more came than that.
        """
        room = self._room_bytes
        if self._in_head and len(data) > room:
            # A head is within its limit or beyond it wherever pieces are cut: chance must not decide about an answer.
            view = memoryview(data)
            self._feed(view[:room])
            self._feed(view[room:])
        else:
            self._feed(data)

    def _feed(self, data: bytes | memoryview) -> None:
        self._room_bytes -= len(data)
        if self._in_head and self._room_bytes < 0:
            raise ProtocolViolation(f"a head of more than {MOST_BODILESS_BYTES} bytes")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ProtocolViolation("the server switched protocols") from None
        except httptools.HttpParserError as error:
            raise ProtocolViolation(f"not HTTP/1.1: {error.__context__ or error}") from None
        # What came after the last byte of a body within one piece is not counted: a piece is small.
        if self._room_bytes < 0:
            raise ProtocolViolation(f"more than {MOST_BODILESS_BYTES} bytes without a byte of the body")

    def ends_with_connection(self) -> bool:
        """Whether the head is complete and only the end of the connection can end the body (RFC 9112, 6.3)."""
        if self._in_head:
            return False
        headers = [(name.lower(), value.lower()) for name, value in self._reader.answer.headers]
        codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
        if codings:
            return codings.rpartition(b",")[2].strip() != b"chunked"
        return all(name != b"content-length" for name, _ in headers)

    # What the parser calls. An error raised in here ends the parsing: the parser raises one of its own, with this context.

    def on_message_begin(self) -> None:
        if self._reader.answer.complete:
            # In one piece with the answer. Not even its first bytes may reach the parser and be taken for the next one's.
            raise ProtocolViolation("more came than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._reader.answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        answer = self._reader.answer
        answer.status = status = self._parser.get_status_code()
        answer.version = b"HTTP/" + self._parser.get_http_version().encode("ascii")
        if not 100 <= status < 200:
            # Asked here, where the parser knows: after the end of a message it has forgotten what the head said.
            self.keeps_alive = self._parser.should_keep_alive()
            self._in_head = False
            self._room_bytes = MOST_BODILESS_BYTES

    def on_body(self, piece: bytes) -> None:
        if self._in_head:
            raise ProtocolViolation("a 1xx answer with a body")
        self._room_bytes = MOST_BODILESS_BYTES
        self._reader.answer.body_bytes += len(piece)
        self._reader.take(piece)

    def on_message_complete(self) -> None:
        if self._in_head:
            self._reader.answer.headers.clear()
            return
        if not self.keeps_alive:
            self._reader.close_after_answer()
        self._reader.finish()


@dataclass(frozen=True, slots=True)
class _PlainHead:
    """A head after which come so many bytes of body, and nothing else can."""

    status: int
    headers: Headers
    body_bytes: int
    keeps_alive: bool
    version: bytes


_KNOWN_HEADS: dict[bytes, _PlainHead | None] = {}
"""What was learned of heads, by all readers of this process; None: not plain."""


def _learn(head: bytes) -> _PlainHead | None:
    """Finds out what a head is, and remembers it."""
    if len(_KNOWN_HEADS) >= _MOST_KNOWN_HEADS:
        _KNOWN_HEADS.clear()
    _KNOWN_HEADS[head] = plain = _examine(head)
    return plain


def _examine(head: bytes) -> _PlainHead | None:
    """What httptools, the judge of all other answers too, makes of a head; None if it is not plain."""
    reader = AnswerReader(lambda: 0.0, keep_bodies=False)
    general = _GeneralReader(reader)
    try:
        general.feed(head)
    except ProtocolViolation:
        return None
    answer = reader.answer
    names = [name.lower() for name, _ in answer.headers]
    framed_otherwise = {b"transfer-encoding", b"upgrade"} & {*names}
    if general._in_head or answer.status in (204, 304) or framed_otherwise or names.count(b"content-length") != 1:
        return None
    if answer.body_bytes:  # Lines that end in LF alone: the head ended earlier than it seemed.
        return None
    body_bytes = int(answer.headers[names.index(b"content-length")][1])
    return _PlainHead(answer.status, answer.headers, body_bytes, general.keeps_alive, answer.version)
