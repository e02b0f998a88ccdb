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
        self._open = False
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

    def ask(self, wire: bytes, *, checksum: bool = False) -> asyncio.Future[None]:
        """Sends a request; the future ends with the answer in `self.answer`, or with one of `http1`'s errors."""
        assert self._transport is not None
        self._reader.expect(checksum=checksum)
        self._waiter = waiter = self._loop.create_future()
        self._transport.write(wire)
        return waiter

    def close(self) -> None:
        """Gives the connection up at once; an answer that is still awaited fails as closed."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection has an asyncio.Transport
        self._open = True

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Nothing was asked: whatever this is, the next answer could not be told from it.
            self.close()
            return
        try:
            if not self._reader.feed(data):
                return
            self._end(None)
        except ProtocolViolation as violation:
            self._end(violation)
        if not self._reader.reusable:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        was_usable, self._open = self.usable, False
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
