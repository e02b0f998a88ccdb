"""The answers of one connection, without I/O: bytes in any number of pieces -> one answer, or the reason why there is none.

An `AnswerReader` knows nothing of sockets, loops, devices or timeouts; both engines read with it, so both see the same
answer in the same bytes. An answer may be framed by Content-Length, by chunks or by the end of the connection, may follow
any number of 1xx answers, and may have no body (204, 304).

PERF: heads repeat, see `heads`. Every answer that is not plain is httptools' from its first byte on, also those of a server
whose heads never repeat; uvicorn's cost three to five times as much that way (Python 3.11).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from experiments.measure.engines.http1.answer import Answer, ConnectionClosed, ConnectionReset, ProtocolViolation
from experiments.measure.engines.http1.general import GeneralReader
from experiments.measure.engines.http1.heads import KNOWN, MOST_KNOWN_BYTES, PlainHead, learn
from experiments.measure.engines.masking import FIRST_BYTES

_MOST_NEW_HEADS = 4
"""After so many new ones in a row per connection learns no more, until it meets a head that another one has learned."""


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
        self._general: GeneralReader | None = None
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
            start = -1 if answer.started else data.find(b"\r\n\r\n", 0, MOST_KNOWN_BYTES) + 4
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
        plain = KNOWN.get(head) or learn(head)
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

    def _plain_head(self, head: bytes) -> PlainHead | None:
        """What is known of a head; None if it is not plain, or if it is not worth the while to find out."""
        try:
            plain = KNOWN[head]
        except KeyError:
            self._new_heads += 1
            return learn(head) if self._new_heads <= _MOST_NEW_HEADS else None
        self._new_heads = 0
        return plain

    def _parse(self, data: bytes) -> bool:
        if self._general is None:
            self._general = GeneralReader(self)
        self.answer.started = True
        try:
            self._general.feed(data)
        except ProtocolViolation:
            self.reusable = False
            if not self.answer.complete:
                self.answer.done_at = self._clock()
                raise
        return self.answer.complete
