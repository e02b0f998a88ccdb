"""A device of the fast engine: its one connection, without a layer between the socket and the answer."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from enum import Enum
from heapq import heappush
from typing import TYPE_CHECKING

import httpx

from experiments.measure.engines import sources
from experiments.measure.engines.counters import MOST_RESTS
from experiments.measure.engines.device import Device
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import AnswerReader, ConnectionClosed, ConnectionReset, ProtocolViolation
from experiments.measure.engines.judge import RIGHT, Judgement
from experiments.measure.engines.wire import RETRIABLE
from experiments.record.schema import Outcome
from experiments.target.poller import Poller

if TYPE_CHECKING:
    from experiments.measure.engines.epoll.common import Common

_READ_BYTES = 8192
"""Room for a head and a small body."""
_PIECE_BYTES = 256 * 1024
"""Most that is read at once of a body whose bytes are needed."""
_TRASH = memoryview(bytearray(1 << 20))
"""Where bytes go that nobody wants. MSG_TRUNC has the kernel throw them away, so that this memory is never touched."""
_MSG_TRUNC = socket.MSG_TRUNC
_monotonic = time.monotonic


class State(Enum):
    """What a device does."""

    IDLE = "waits for its next poll"
    CONNECTING = "has a poll, and waits for a connection"
    ASKING = "has sent its poll, or is about to, and waits for the answer"


class EpollDevice(Device):
    """One device: connects when it has no connection, sends, and takes what comes."""

    __slots__ = ("_closed_by_server", "_connect_begun", "_connect_s", "_kept", "_reader", "_rests", "_sent",
                 "_socket", "_state", "_swarm", "_unsent")  # fmt: skip

    def __init__(self, swarm: Common, client: int, pollers: tuple[Poller, ...]) -> None:
        super().__init__(swarm.course, client, pollers)
        self._swarm = swarm
        self._socket: socket.socket | None = None
        self._reader = AnswerReader(time.monotonic, keep_bodies=False)
        self._unsent = b""
        """What the socket did not take yet of the request."""
        self._state = State.IDLE
        self._closed_by_server = False
        """Whether the last connection was, while nothing was asked."""
        self._kept = False
        """Whether the request under way went over a connection that had served one before."""
        self._rests = 0
        """How many times of rest it has noted."""
        self._sent = 0.0
        self._connect_begun = 0.0
        self._connect_s = 0.0

    @property
    def idle(self) -> bool:
        """Whether it waits for no answer."""
        return self._state is State.IDLE

    def poll(self) -> None:
        """Asks what is due."""
        self._sent = sent = _monotonic()
        self._swarm.in_flight[self] = sent
        if self._socket is not None:
            self._connect_s = 0.0
            self._kept = True
            self._state = State.ASKING
            self._ask(self._socket)
        else:
            self._connect()

    def on_event(self, mask: int) -> None:
        """Something happened to the connection."""
        connection = self._socket
        if connection is None:
            return  # Closed earlier in the same batch of events.
        if mask & select.EPOLLOUT:
            if self._state is State.CONNECTING:
                self._connected(connection)
            elif self._unsent:
                self._send(connection)
        elif self._state is State.CONNECTING:
            pass  # An event of this batch for an earlier socket of the same number.
        elif self._state is State.IDLE:
            self._stirred(connection)
        else:
            self._read(connection)

    def expire(self) -> None:
        """The poll under way has taken longer than the timeout."""
        self._fail(Outcome.CONNECT_TIMEOUT if self._state is State.CONNECTING else Outcome.READ_TIMEOUT)

    def interrupt(self) -> None:
        """The run is cut short, and the poll under way is not waited for any more."""
        self._fail(Outcome.INTERRUPTED)

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._socket is not None:
            del self._swarm.connections[self._socket.fileno()]
            self._socket.close()
            self._socket = None
        self._unsent = b""

    # Connecting and sending.

    def _connect(self) -> None:
        if self._closed_by_server:
            self._closed_by_server = False
            self._swarm.counters.reconnects += 1
        self._connect_s = 0.0
        self._kept = False
        self._reader = AnswerReader(time.monotonic, keep_bodies=False)
        self._state = State.CONNECTING
        self._connect_begun = time.monotonic()
        try:
            self._socket = connection = self._open()
        except OSError as error:
            self._fail_to_connect(error)
            return
        self._swarm.connections[connection.fileno()] = self
        self._swarm.epoll.register(connection.fileno(), select.EPOLLOUT)

    def _open(self) -> socket.socket:
        target = self._swarm.target.of_system(self._course.plan.system(self.client))
        connection = sources.opened(target.address, target.source(self.client))
        try:
            code = connection.connect_ex(target.address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError:
            connection.close()
            raise
        return connection

    def _connected(self, connection: socket.socket) -> None:
        if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail_to_connect(OSError(code, os.strerror(code)))
            return
        self._state = State.ASKING
        self._connect_s = time.monotonic() - self._connect_begun
        self._swarm.counters.connects += 1
        self._swarm.epoll.modify(connection.fileno(), select.EPOLLIN)
        self._ask(connection)

    def _ask(self, connection: socket.socket) -> None:
        swarm = self._swarm
        swarm.counters.attempts += 1
        poller = self.pollers[self.number]
        self._reader.expect(keep=poller.looks(self.compares))
        wire = poller.wire(self.round)
        try:
            if (sent := connection.send(wire)) == len(wire):
                return
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lost(error)
            return
        self._unsent = wire[sent:]
        swarm.epoll.modify(connection.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _send(self, connection: socket.socket) -> None:
        """Sends more of a request that the socket did not take at once."""
        try:
            self._unsent = self._unsent[connection.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if not self._unsent:
            self._swarm.epoll.modify(connection.fileno(), select.EPOLLIN)

    # What comes.

    def _stirred(self, connection: socket.socket) -> None:
        """Something came though nothing was asked: the end of the connection, or what no answer could be told from."""
        try:
            self._closed_by_server = not connection.recv(1)
        except BlockingIOError:
            return
        except OSError:
            self._closed_by_server = True
        if self._closed_by_server and self._rests < MOST_RESTS:
            self._rests += 1
            self._swarm.counters.rests_s.append(_monotonic() - self.free_at)
        self.close()

    def _read(self, connection: socket.socket) -> None:
        reader = self._reader
        try:
            if (remaining := reader.remaining) and not reader.keeps and reader.answer.status == 200:
                # One more than is to come, to notice a surplus.
                size = connection.recv_into(_TRASH, min(remaining + 1, len(_TRASH)), _MSG_TRUNC)
                complete = size > 0 and reader.skip(size)
            else:
                data = connection.recv(_PIECE_BYTES if reader.answer.started else _READ_BYTES)
                size = len(data)
                complete = size > 0 and reader.feed(data)
        except BlockingIOError:
            return
        except ProtocolViolation as violation:
            self._fail(outcome_of(violation))
            return
        except OSError as error:
            self._lost(error)
            return
        if complete:
            self._answered()
        elif size == 0:
            self._lost(None)

    def _lost(self, error: OSError | None) -> None:
        """The connection ended, which is the end of the answer, a reason to ask once more, or a failure."""
        reader, swarm = self._reader, self._swarm
        try:
            reader.end(error)
        except (ConnectionClosed, ConnectionReset) as reason:
            if self._kept and not reader.answer.started and self.pollers[self.number].kind.blueprint.method in RETRIABLE:
                swarm.counters.retries += 1
                self.close()
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
        if not (reader.reusable and swarm.keep_alive):
            swarm.counters.closes += swarm.keep_alive and reader.closing
            self.close()
        self._finish(answer.done_at, found)

    def _fail_to_connect(self, error: OSError) -> None:
        reason = httpx.ConnectError(str(error))
        reason.__cause__ = error
        self._fail(outcome_of(reason))

    def _fail(self, outcome: Outcome) -> None:
        if self._state is State.CONNECTING:
            self._connect_s = time.monotonic() - self._connect_begun
        self.close()
        if (answer := self._reader.answer).status:
            self.answered_wrong(outcome, answer.status, answer.headers, answer.first_bytes)
        self._finish(answer.done_at or time.monotonic(), Judgement(outcome))

    def _finish(self, done: float, found: Judgement) -> None:
        """Keeps the row of the poll under way, and says when the next one is due."""
        swarm, answer = self._swarm, self._reader.answer
        swarm.in_flight.pop(self, None)
        self._state = State.IDLE
        self.ended(
            self._sent, done, self._connect_s, answer.status, answer.body_bytes, found, answer.first_byte_at
        )
        if swarm.closed:
            if self.mid_round:
                swarm.overdue.append(self)
        elif self.due <= done:
            swarm.overdue.append(self)
        else:
            heappush(swarm.waiting, (self.due, self.client, self))
