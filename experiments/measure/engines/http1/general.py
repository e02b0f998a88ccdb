"""Any answer at all, by httptools: bytes in any number of pieces -> what a sink is told of it.

The judge of every answer: what `heads` knows of a head, it has learned here.
"""

from __future__ import annotations

from typing import Protocol

import httptools

from experiments.measure.engines.http1.answer import Answer, ProtocolViolation

MOST_BODILESS_BYTES = 64 * 1024
"""How many bytes may come in a row without one of a body: heads, what stands between two chunks, a trailer. httptools
itself would keep names and values in memory without limit."""


class Sink(Protocol):
    """What is told of the answer under way."""

    answer: Answer

    def take(self, piece: bytes) -> None:
        """A piece of its body, which is counted already."""

    def close_after_answer(self) -> None:
        """The server ends the connection with it."""

    def finish(self) -> None:
        """Its last byte has come."""


class GeneralReader:
    """Any answer at all, by httptools: what is not plain, or does not come in one piece with its head."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parser = httptools.HttpResponseParser(self)
        self.keeps_alive = False
        """Whether the server keeps the connection after the answer, once its head is complete."""
        self.expect()

    def expect(self) -> None:
        self.in_head = True
        """Until the head of an answer other than 1xx is complete."""
        self._room_bytes = MOST_BODILESS_BYTES
        """How many more may come before the next byte of a body."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises:
            ProtocolViolation: as `AnswerReader.feed`; also after the end of an answer, if more came than that.
        """
        room = self._room_bytes
        if self.in_head and len(data) > room:
            # A head is within its limit or beyond it wherever pieces are cut: chance must not decide about an answer.
            view = memoryview(data)
            self._feed(view[:room])
            self._feed(view[room:])
        else:
            self._feed(data)

    def _feed(self, data: bytes | memoryview) -> None:
        self._room_bytes -= len(data)
        if self.in_head and self._room_bytes < 0:
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
        if self.in_head:
            return False
        headers = [(name.lower(), value.lower()) for name, value in self._sink.answer.headers]
        codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
        if codings:
            return codings.rpartition(b",")[2].strip() != b"chunked"
        return all(name != b"content-length" for name, _ in headers)

    # What the parser calls. An error raised in here ends the parsing: the parser raises one of its own, with this context.

    def on_message_begin(self) -> None:
        if self._sink.answer.complete:
            # In one piece with the answer. Not even its first bytes may reach the parser and be taken for the next one's.
            raise ProtocolViolation("more came than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:
            self._sink.answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        answer = self._sink.answer
        answer.status = status = self._parser.get_status_code()
        answer.version = b"HTTP/" + self._parser.get_http_version().encode("ascii")
        if not 100 <= status < 200:
            # Asked here, where the parser knows: after the end of a message it has forgotten what the head said.
            self.keeps_alive = self._parser.should_keep_alive()
            self.in_head = False
            self._room_bytes = MOST_BODILESS_BYTES

    def on_body(self, piece: bytes) -> None:
        if self.in_head:
            raise ProtocolViolation("a 1xx answer with a body")
        self._room_bytes = MOST_BODILESS_BYTES
        self._sink.answer.body_bytes += len(piece)
        self._sink.take(piece)

    def on_message_complete(self) -> None:
        if self.in_head:
            self._sink.answer.headers.clear()
            return
        if not self.keeps_alive:
            self._sink.close_after_answer()
        self._sink.finish()
