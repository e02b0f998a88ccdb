"""The general path: any poll that the compiled loop leaves to Python, from where it left it to the end.

A connection to be made, a request that the socket takes in pieces or that changes, an answer that is not plain, bytes that
are compared, and whatever goes wrong. Lives for one poll; what outlives it stands in the device's record.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING

import httpx

from experiments.measure.engines.counters import MOST_RESTS
from experiments.measure.engines.device import Judging
from experiments.measure.engines.epoll.arrays import ANSWER, EVENT, LOST, POLL, SENT
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import ConnectionClosed, ConnectionReset, ProtocolViolation
from experiments.measure.engines.judge import RIGHT, Judgement
from experiments.measure.engines.wire import RETRIABLE
from experiments.record.schema import Outcome

if TYPE_CHECKING:
    from experiments.measure.engines.epoll.common import Common

_READ_BYTES = 8192
"""Room for a head and a small body."""
_PIECE_BYTES = 256 * 1024
"""Most that is read at once of a body whose bytes are needed."""
_MSG_TRUNC = socket.MSG_TRUNC


class GeneralPoll(Judging):
    """One poll of one device, whose number in the shard is its place."""

    __slots__ = ("_connect_begun", "_connect_s", "_connecting", "_course", "_kept", "_place", "_reader", "_record",
                 "_swarm", "_unsent", "client", "due", "first_due", "number", "pollers", "round")  # fmt: skip

    def __init__(self, swarm: Common, place: int) -> None:
        self._swarm, self._place = swarm, place
        self._record = record = swarm.fleet.devices[place]
        self._course = swarm.course
        self.pollers = swarm.fleet.pollers[place]
        self.client, self.round, self.number = int(record["client"]), int(record["round"]), int(record["endpoint"])
        self.due, self.first_due = float(record["due"]), float(record["first_due"])
        self._reader = swarm.reader()
        self._unsent = b""
        """What the socket did not take yet of the request."""
        self._connecting = False
        self._kept = True
        """Whether the request under way went over a connection that had served one before."""
        self._connect_begun = 0.0
        self._connect_s = 0.0

    def take_over(self, reason: int, size: int) -> None:
        """Goes on where the loop left the poll; see `arrays` for what it says."""
        if reason == EVENT:
            self._on_event(size)
        elif reason == POLL:
            self._poll()
        elif reason == SENT:
            self._reader.expect()
            self._sent(size if size >= 0 else OSError(-size, os.strerror(-size)))
        elif reason == ANSWER:
            self._reader.expect()
            self._take(bytes(self._swarm.connections.room.scratch[:size]), float(self._record["first_byte"]))
        elif reason == LOST:
            self.resume()
            self._lost(OSError(-size, os.strerror(-size)) if size else None)
        else:
            self.resume()
            self._reader.skip(size)  # More than the answer has: that is its end.
            self._answered()

    def resume(self) -> None:
        """Knows what the loop has read of the answer."""
        record, reader = self._record, self._reader
        reader.expect()
        if record["remaining"] >= 0:
            head = bytes(self._swarm.fleet.heads[self._place, : record["head"]])
            reader.resume(head, int(record["bytes"]), float(record["first_byte"]))

    def expire(self) -> None:
        """It has taken longer than the timeout."""
        self._fail(Outcome.CONNECT_TIMEOUT if self._connecting else Outcome.READ_TIMEOUT)

    def interrupt(self) -> None:
        """The run is cut short, and it is not waited for any more."""
        self._fail(Outcome.INTERRUPTED)

    # Connecting and sending.

    def _poll(self) -> None:
        self._record["sent"] = time.monotonic()
        if self._swarm.connections[self._place] is not None:
            self._ask()
        else:
            self._connect()

    def _on_event(self, mask: int) -> None:
        if mask & select.EPOLLOUT and self._connecting:
            self._connected()
        elif mask & select.EPOLLOUT and self._unsent:
            self._send()
        elif not self._connecting:
            self._read()

    def _connect(self) -> None:
        record, swarm = self._record, self._swarm
        if record["closed_by_server"]:
            record["closed_by_server"] = 0
            swarm.counters.reconnects += 1
        self._connect_s = 0.0
        self._kept = False
        self._connecting = True
        self._connect_begun = time.monotonic()
        try:
            swarm.connections.open(self._place)
        except OSError as error:
            self._fail_to_connect(error)

    def _connected(self) -> None:
        swarm = self._swarm
        if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail_to_connect(OSError(code, os.strerror(code)))
            return
        self._connecting = False
        self._connect_s = time.monotonic() - self._connect_begun
        swarm.counters.connects += 1
        swarm.connections.want(self._place, select.EPOLLIN)
        self._ask()

    def _ask(self) -> None:
        self._swarm.counters.attempts += 1
        poller = self.pollers[self.number]
        self._reader.expect(keep=poller.looks(self.compares))
        wire = poller.wire(self.round)
        try:
            self._sent(self._socket.send(wire), wire)
        except OSError as error:
            self._sent(error, wire)

    def _sent(self, taken: int | OSError, wire: bytes = b"") -> None:
        """The socket took so much of the request, or took nothing for a reason."""
        if isinstance(taken, BlockingIOError):
            taken = 0
        if isinstance(taken, OSError):
            self._lost(taken)
            return
        self._unsent = (wire or self.pollers[self.number].wire(self.round))[taken:]
        if self._unsent:
            self._swarm.connections.want(self._place, select.EPOLLIN | select.EPOLLOUT)

    def _send(self) -> None:
        """Sends more of a request that the socket did not take at once."""
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if not self._unsent:
            self._swarm.connections.want(self._place, select.EPOLLIN)

    @property
    def _socket(self) -> socket.socket:
        connection = self._swarm.connections[self._place]
        assert connection is not None
        return connection

    # What comes.

    def _read(self) -> None:
        reader, connection = self._reader, self._socket
        try:
            if (remaining := reader.remaining) and not reader.keeps and reader.answer.status == 200:
                # One more than is to come, to notice a surplus.
                trash = self._swarm.connections.room.trash
                size = connection.recv_into(trash.data, min(remaining + 1, len(trash)), _MSG_TRUNC)
                if size:
                    if reader.skip(size):
                        self._answered()
                    return
            elif data := connection.recv(_PIECE_BYTES if reader.answer.started else _READ_BYTES):
                self._take(data)
                return
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        self._lost(None)

    def _take(self, data: bytes, came_at: float = 0.0) -> None:
        """Reads what came, at that instant if somebody else received it."""
        reader = self._reader
        try:
            complete = reader.feed(data)
        except ProtocolViolation as violation:
            self._fail(outcome_of(violation))
            return
        if came_at:
            reader.answer.first_byte_at = came_at
            if complete:
                reader.answer.done_at = came_at
        if complete:
            self._answered()

    def _lost(self, error: OSError | None) -> None:
        """The connection ended, which is the end of the answer, a reason to ask once more, or a failure."""
        reader, swarm = self._reader, self._swarm
        try:
            reader.end(error)
        except (ConnectionClosed, ConnectionReset) as reason:
            if self._kept and not reader.answer.started and self.pollers[self.number].kind.blueprint.method in RETRIABLE:
                swarm.counters.retries += 1
                self._close()
                self._reader = swarm.reader()
                self._connect()
            else:
                self._fail(outcome_of(reason))
        else:
            self._answered()

    def _answered(self) -> None:
        """The answer is complete."""
        reader, swarm = self._reader, self._swarm
        answer = reader.answer
        if not self.compares and self.pollers[self.number].passes(answer.status, answer.body_bytes):
            found = RIGHT
        else:
            body = b"".join(answer.body)
            found = self.judged(answer.status, answer.headers, body, answer.first_bytes, answer.body_bytes, swarm.counters)
        if not (reader.reusable and swarm.keep_alive) or self._unsent:
            swarm.counters.closes += swarm.keep_alive and reader.closing
            self._close()
        self._finish(answer.done_at, found)

    def _fail_to_connect(self, error: OSError) -> None:
        reason = httpx.ConnectError(str(error))
        reason.__cause__ = error
        self._fail(outcome_of(reason))

    def _fail(self, outcome: Outcome) -> None:
        if self._connecting:
            self._connect_s = time.monotonic() - self._connect_begun
        self._close()
        if (answer := self._reader.answer).status:
            self.answered_wrong(outcome, answer.status, answer.headers, answer.first_bytes)
        self._finish(answer.done_at or time.monotonic(), Judgement(outcome))

    def _close(self) -> None:
        self._unsent = b""
        self._swarm.connections.close(self._place)

    def _finish(self, done: float, found: Judgement) -> None:
        answer, record = self._reader.answer, self._record
        record["status"], record["bytes"], record["first_byte"] = answer.status, answer.body_bytes, answer.first_byte_at
        self._swarm.ended(self._place, done, self._connect_s, found, self.number)
        if self._reader.reusable and answer.complete:
            self._swarm.keep(self._reader)


def stirred(swarm: Common, place: int) -> None:
    """Something came though nothing was asked: the end of the connection, or what no answer could be told from."""
    connection, record = swarm.connections[place], swarm.fleet.devices[place]
    assert connection is not None
    try:
        closed = not connection.recv(1)
    except BlockingIOError:
        return
    except OSError:
        closed = True
    record["closed_by_server"] = closed
    if closed and record["rests"] < MOST_RESTS:
        record["rests"] += 1
        swarm.counters.rests_s.append(time.monotonic() - float(record["free_at"]))
    swarm.connections.close(place)
