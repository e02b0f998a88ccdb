"""The author's client: a thread per device, `requests`, a connection per request, counts in Redis, sleep after the answer.

The same plan, devices, targets and answers as in the other engines, so the same rows. It is here to be measured beside them:
what threads wait for the interpreter and for each other is in what this client reports, as it was in the author's figures.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from typing import Any

import requests
import urllib3.connection
import urllib3.connectionpool

from experiments.measure.engines.counters import Counters
from experiments.measure.engines.device import Course, Device
from experiments.measure.engines.judge import Judgement
from experiments.measure.engines.masking import FIRST_BYTES
from experiments.measure.engines.stop import GRACE_S, Stop
from experiments.measure.engines.target import Target
from experiments.measure.engines.threads.counter import RedisCounter
from experiments.measure.engines.threads.errors import outcome_of
from experiments.measure.engines.watchdog import Watchdog
from experiments.record.schema import Outcome
from experiments.target.poller import Poller

_NAP_S = 0.5
"""Longest sleep in one piece, so that an order to stop is heard; the author's interval fits into one."""
_STACK_BYTES = 512 * 1024
"""Of a thread; the 8 MB that Linux reserves by itself would be 4 GB for 500 devices."""
_DIRECT = {"http": ""}
"""No proxy of the environment's may stand between a device and the server."""


class ThreadsSwarm:
    """The devices of one shard.

    Args:
        clients: numbers of the devices.
        stop: told when the window is to close early.
        chores: called every 20 ms with the time.
        counter: where the polls are counted besides.
        pollers: what the devices ask, in the order of `clients`; None if it is not made yet.
    """

    def __init__(
        self,
        course: Course,
        clients: range,
        target: Target,
        stop: Stop,
        chores: Callable[[float], None],
        counter: RedisCounter,
        pollers: Sequence[tuple[Poller, ...]] | None = None,
    ) -> None:
        self.course = course
        self.counters = Counters()
        self.target = target
        self.counter = counter
        self.stop = stop
        self.lock = threading.Lock()
        """Rows, counts and polls in flight are shared by all threads."""
        self.watchdog = Watchdog(target.timeout_s, course, chores)
        asked = pollers or target.pollers(course.plan, clients)
        self._devices = [_ThreadDevice(self, client, asked[place]) for place, client in enumerate(clients)]

    def run(self) -> None:
        """Lives the lives of all devices, to the end of the window and of the polls then in flight."""
        size = threading.stack_size(_STACK_BYTES)
        threads = [threading.Thread(target=device.live, daemon=True) for device in self._devices]
        try:
            with _watched_connections():
                for thread in threads:
                    thread.start()
                while any(thread.is_alive() for thread in threads):
                    self._beat()
                    time.sleep(max(0.0, self.watchdog.next_at - time.monotonic()))
        finally:
            threading.stack_size(size)
            self.counter.close()
        for device in self._devices:
            if device.broken is not None:
                raise device.broken
            device.give_up()
            self.counters.add(device.counters)

    def _beat(self) -> None:
        with self.lock:
            now = time.monotonic()
            if self.stop.ordered:
                self.course.close_early(self.stop.at)
            self.watchdog.beat(now)
            if now >= self.stop.at + GRACE_S:
                self.course.over = True
                for device in self._devices:
                    device.interrupt()


class _ThreadDevice(Device):
    """A device whose life is a thread."""

    __slots__ = (
        "_expired",
        "_interrupted",
        "_swarm",
        "broken",
        "connect_s",
        "counters",
        "socket",
        "trying",
    )

    def __init__(self, swarm: ThreadsSwarm, client: int, pollers: tuple[Poller, ...]) -> None:
        super().__init__(swarm.course, client, pollers)
        self._swarm = swarm
        self._expired = self._interrupted = False
        self.counters = Counters()
        self.socket: socket | None = None
        """Of the poll under way, once it is connected."""
        self.trying = False
        """Whether it waits for its connection."""
        self.connect_s = 0.0
        self.broken: BaseException | None = None
        """A fault in the lab's own code, which ended this thread."""

    def live(self) -> None:
        """Polls round after round until the window closes."""
        _current.device = self
        try:
            while self.mid_round or self.first_due < self._course.close_at:
                self._sleep_until(self.due)
                if time.monotonic() >= self._course.close_at and not self.mid_round:
                    break
                self._poll()
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for this one
            self.broken = error

    def _sleep_until(self, due: float) -> None:
        while (rest := min(due, self._course.close_at) - time.monotonic()) > 0:
            time.sleep(min(rest, _NAP_S))

    def _poll(self) -> None:
        """Asks once, keeps the row, and counts it in Redis."""
        swarm, number = self._swarm, self.number
        self._expired = self.trying = False
        self.connect_s = 0.0
        with swarm.lock:
            sent = time.monotonic()
            swarm.watchdog.in_flight[self] = sent
        status, size, found, done = self._ask()
        with swarm.lock:
            swarm.watchdog.in_flight.pop(self, None)
            self.socket = None
            self.ended(sent, done, self.connect_s, status, size, found)
        swarm.counter.count(number, found.outcome)

    def _ask(self) -> tuple[int, int, Judgement, float]:
        """Status, bytes, what was made of it, and when it ended."""
        self.counters.attempts += 1
        try:
            # What the author's script calls. `requests` applies its timeout to each wait; the watchdog ends the whole.
            asked = self._swarm.target.request(self.pollers[self.number], self.round)
            answer = requests.request(
                asked.method,
                str(asked.url),
                headers=dict(asked.headers) | {"Accept-Encoding": "identity"},
                data=asked.content or None,
                timeout=self._swarm.target.timeout_s,
                allow_redirects=False,
                proxies=_DIRECT,
            )
            body = answer.content
            done = time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever `requests` raises ends as a row, never as an exception
            return 0, 0, Judgement(self._failed(error)), time.monotonic()
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        with self._swarm.lock:
            found = self.judged(answer.status_code, headers, body, body[:FIRST_BYTES], len(body), self.counters)
        return answer.status_code, len(body), found, done

    def _failed(self, error: Exception) -> Outcome:
        if self._expired:
            return Outcome.CONNECT_TIMEOUT if self.trying else Outcome.READ_TIMEOUT
        return Outcome.INTERRUPTED if self._interrupted else outcome_of(error)

    def expire(self) -> None:
        """The poll under way has taken longer than the timeout."""
        self._expired = True
        self._hang_up()

    def interrupt(self) -> None:
        """The run was cut short, and the poll under way has had its time of grace."""
        if self in self._swarm.watchdog.in_flight:
            self._interrupted = True
            self._hang_up()

    def _hang_up(self) -> None:
        """Wakes the thread: its next read fails at once. One that is still connecting is ended by `requests` itself."""
        if self.socket is not None:
            with suppress(OSError):  # It has been closed in this moment.
                self.socket.shutdown(SHUT_RDWR)


_current: Any = threading.local()
"""`device`: the one whose life this thread is."""


class _WatchedConnection(urllib3.connection.HTTPConnection):
    """Tells the device that opens it how long that took, and which socket to shut when the time is over."""

    def connect(self) -> None:
        device: _ThreadDevice = _current.device
        began = time.monotonic()
        device.trying = True
        try:
            super().connect()
        finally:
            device.connect_s = time.monotonic() - began
        device.trying = False
        device.socket = self.sock
        device.counters.connects += 1


@contextmanager
def _watched_connections() -> Iterator[None]:
    """Has `requests.get` use them, which makes a session of its own each time, and leaves no other way in."""
    pool = urllib3.connectionpool.HTTPConnectionPool
    before, pool.ConnectionCls = pool.ConnectionCls, _WatchedConnection
    try:
        yield
    finally:
        pool.ConnectionCls = before
