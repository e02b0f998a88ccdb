"""One connection of an asyncio loop that asks one request at a time: requests are bytes, answers an `AnswerReader`'s.

Knows nothing of devices, schedules or timeouts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from experiments.measure.engines.http1 import Answer, AnswerReader, ProtocolViolation


class Http1Protocol(asyncio.Protocol):
    """One connection; the arguments are those of `AnswerReader`."""

    def __init__(self, clock: Callable[[], float], *, keep_bodies: bool) -> None:
        self._reader = AnswerReader(clock, keep_bodies=keep_bodies)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._write: Callable[[bytes], None] = _not_connected
        self._room: asyncio.Future[None] | None = None
        """While the peer does not take what was written."""
        self._open = False
        self.heard_at = 0.0
        """When the last piece of an answer came that did not complete it."""
        self.closed_by_server = False
        """Whether the server ended the connection while nothing was being asked."""
        self.rested_s = 0.0
        """How long nothing had been asked by then."""

    @property
    def answer(self) -> Answer:
        """The answer to the last request, or what came of it."""
        return self._reader.answer

    @property
    def usable(self) -> bool:
        """Whether another request may be asked on this connection."""
        return self._open and self._reader.reusable

    @property
    def closed_with_answer(self) -> bool:
        """Whether the server ended the connection with its last answer."""
        return self._reader.closing

    def ask(self, wire: bytes, *, checksum: bool = False, keep: bool = False) -> asyncio.Future[None]:
        """Sends a request; the future ends with the answer in `self.answer`, or with one of `http1`'s errors."""
        self._reader.expect(checksum=checksum, keep=keep)
        self._waiter = waiter = self._loop.create_future()
        self._write(wire)
        return waiter

    def write(self, more: bytes) -> None:
        """Sends more of the request that was asked last: of its body."""
        self._write(more)

    @property
    def room(self) -> asyncio.Future[None] | None:
        """Ends when the peer has taken most of what was written; None if it has."""
        return self._room

    def close(self) -> None:
        """Gives the connection up at once; an answer that is still awaited fails as closed."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection has an asyncio.Transport
        self._write = self._transport.write  # type: ignore[union-attr]
        self._open = True

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Nothing was asked: whatever this is, the next answer could not be told from it.
            self.close()
            return
        try:
            if not self._reader.feed(data):
                self.heard_at = self._clock()
                return
            self._end(None)
        except ProtocolViolation as violation:
            self._end(violation)
        if not self._reader.reusable:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        was_usable, self._open = self.usable, False
        self.resume_writing()
        if self._waiter is None:
            self.closed_by_server = was_usable
            self.rested_s = self._clock() - self.answer.done_at
        elif error is None or isinstance(error, OSError):
            self._end(self._why_ended(error))
        else:
            # Nothing of the network's: a fault in here, which must not be laid at the server's door.
            self._end(error)

    def _why_ended(self, error: OSError | None) -> Exception | None:
        try:
            self._reader.end(error)
        except Exception as reason:  # noqa: BLE001 - it is raised where the answer is awaited
            return reason
        return None

    def _end(self, error: Exception | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)


def _not_connected(data: bytes) -> None:
    raise RuntimeError("asked before it was connected")
