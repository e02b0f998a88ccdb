"""The fast engine: one loop over epoll for plain HTTP/1.1, made for this load and for nothing else.

The same plan, devices, requests and answers as in `httpx_swarm`, so the same rows; no event loop, no task, no future.

timerfd wakes the loop when a poll is due: epoll's own timeout is whole milliseconds. Sockets stay registered for reading
from connect to close.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heapify, heappop

from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll.common import Common
from experiments.measure.engines.epoll.device import EpollDevice
from experiments.measure.engines.stop import GRACE_S, Stop
from experiments.measure.engines.target import Target
from experiments.measure.engines.timerfd import TimerFd
from experiments.measure.engines.watchdog import Watchdog
from experiments.target.poller import Poller

_EVENTS_AT_ONCE = 64
"""Most events that are handled before what is due meanwhile is sent."""
_SENDS_AT_ONCE = 16
"""Most polls that are sent before answers are read. A poll that is sent late shows as lag; an answer that is read late
would pass for the server's, so it must not wait for a whole wave of polls to be sent."""


class EpollSwarm(Common):
    """The devices of one shard.

    Args:
        clients: numbers of the devices.
        stop: told when the window is to close early.
        chores: called every 20 ms with the time.
        pollers: what the devices ask, in the order of `clients`; None if it is not made yet.

    Raises:
        OSError: this platform has no epoll, or no timerfd.
    """

    def __init__(
        self,
        course: Course,
        clients: range,
        target: Target,
        stop: Stop,
        chores: Callable[[float], None],
        pollers: Sequence[tuple[Poller, ...]] | None = None,
    ) -> None:
        super().__init__(course, target, Watchdog(target.timeout_s, course, self._at_each_beat))
        self._stop = stop
        self._chores = chores
        self._timer = TimerFd()
        self._armed_for = 0.0
        # Edge-triggered, it need not be read: arming it anew is enough.
        self.epoll.register(self._timer.fd, select.EPOLLIN | select.EPOLLET)
        asked = pollers or target.pollers(course.plan, clients)
        self._devices = [EpollDevice(self, client, asked[place]) for place, client in enumerate(clients)]
        self.waiting = [(device.due, device.client, device) for device in self._devices]
        heapify(self.waiting)

    def run(self) -> None:
        """Lives the lives of all devices, to the end of the window and of the polls then in flight."""
        clock, watchdog = time.monotonic, self.watchdog
        try:
            while True:
                now = clock()
                if now >= watchdog.next_at:
                    watchdog.beat(now)
                    # A device whose poll has just expired is ready now, not before.
                    now = clock()
                if now >= self.course.close_at:
                    self._close_window()
                    if not (watchdog.in_flight or self.overdue):
                        break
                self._handle_events(self._send_due(now))
            for device in self._devices:
                device.give_up()
        finally:
            self._end()

    def _send_due(self, now: float) -> bool:
        """Sends polls that are due; True if there are more of them."""
        overdue, waiting = self.overdue, self.waiting
        for _ in range(_SENDS_AT_ONCE):
            # Both queues are in the order in which their devices are ready.
            if overdue and not (waiting and waiting[0][0] < overdue[0].free_at):
                device = overdue.popleft()
            elif waiting and waiting[0][0] <= now:
                device = heappop(waiting)[2]
            else:
                return False
            if device.idle and device.due <= now:
                device.poll()
        return True

    def _handle_events(self, at_once: bool) -> None:
        """Waits for answers, until the next poll is due; with `at_once` takes what is there."""
        connections = self.connections
        if at_once or self.overdue:
            timeout = 0.0
        else:
            timeout = -1.0
            self._arm()
        for fd, mask in self.epoll.poll(timeout, _EVENTS_AT_ONCE):
            device = connections.get(fd)
            if device is not None:
                device.on_event(mask)

    def _arm(self) -> None:
        """Sets the timer to whatever comes next."""
        at = min(self.watchdog.next_at, self.course.close_at) if not self.closed else self.watchdog.next_at
        if self.waiting and self.waiting[0][0] < at:
            at = self.waiting[0][0]
        if at != self._armed_for:
            self._armed_for = at
            self._timer.arm(at)

    def _close_window(self) -> None:
        """Begins no round any more: what is left is the second polls of rounds whose first were sent."""
        if not self.closed:
            self.closed = True
            self.waiting.clear()
            self.overdue = deque(device for device in self.overdue if device.mid_round)

    def _at_each_beat(self, now: float) -> None:
        if self._stop.ordered:
            self.course.close_early(self._stop.at)
            if now >= self._stop.at + GRACE_S:
                self._interrupt()
        self._chores(now)

    def _interrupt(self) -> None:
        self.course.over = True
        self.overdue.clear()
        for device in list(self.connections.values()):
            if not device.idle:
                device.interrupt()

    def _end(self) -> None:
        for device in self._devices:
            device.close()
        self._timer.close()
        self.epoll.close()
