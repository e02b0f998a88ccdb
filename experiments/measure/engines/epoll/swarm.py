"""The fast engine: one loop over epoll for plain HTTP/1.1, made for this load and for nothing else.

The same plan, devices, requests and answers as in `aio`, so the same rows; no event loop, no task, no future. `loop` is
compiled and does what there is to do for most polls; what it leaves is done here and in `general`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import numpy as np

from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll import loop
from experiments.measure.engines.epoll.arrays import BEAT, CLOSE, EVENT, FAULT, GENERAL, IDLE, ROWS, STIRRED
from experiments.measure.engines.epoll.common import Common
from experiments.measure.engines.epoll.general import GeneralPoll, stirred
from experiments.measure.engines.stop import GRACE_S, Stop
from experiments.measure.engines.target import Target
from experiments.measure.engines.watchdog import Watchdog
from experiments.target.poller import Poller


class EpollSwarm(Common):
    """The devices of one shard.

    Args:
        clients: numbers of the devices.
        stop: told when the window is to close early.
        chores: called every 20 ms with the time.
        pollers: what the devices ask, in the order of `clients`; None if it is not made yet.

    Raises:
        OSError: this platform has no epoll.
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
        super().__init__(course, clients, target, pollers or target.pollers(course.plan, clients))
        self.watchdog = _Watchdog(self, target.timeout_s, self._at_each_beat)
        self._stop = stop
        self._chores = chores
        loop.prepare()

    def run(self) -> None:
        """Lives the lives of all devices, to the end of the window and of the polls then in flight."""
        shared = self.shared
        try:
            while (reason := self._step()) != CLOSE or not self._close_window():
                if reason == BEAT:
                    self._beat()
                elif reason == ROWS:
                    self.rows.grow()
                elif reason == FAULT:
                    raise OSError(-int(shared["size"]), os.strerror(-int(shared["size"])))
                elif reason != CLOSE:
                    self._take_over(reason, int(shared["device"]), int(shared["size"]))
            self._give_up()
        finally:
            self.counters.attempts += int(shared["attempts"])
            self.connections.end()

    def _step(self) -> int:
        fleet, connections = self.fleet, self.connections
        reason: int = loop.step(
            connections.one_shared, fleet.devices, fleet.tracks, fleet.clocks, fleet.joins, fleet.asks, fleet.kinds,
            fleet.heap, self.rows.room, fleet.tally, connections.room.events,
            connections.owners, connections.room.scratch, fleet.heads,
        )  # fmt: skip
        return reason

    def _take_over(self, reason: int, place: int, size: int) -> None:
        """Does what the loop leaves."""
        if reason == STIRRED:
            stirred(self, place)
            return
        if reason != EVENT:
            self.fleet.widen(int(self.shared["head"]))
            self.general[place] = GeneralPoll(self, place)
        self.general[place].take_over(reason, size)

    def _beat(self) -> None:
        self.watchdog.beat(time.monotonic())
        self.shared["next_beat"], self.shared["close_at"] = self.watchdog.next_at, self.course.close_at

    def _close_window(self) -> bool:
        """Begins no round any more: what is left is later polls of rounds that were begun. Whether all is done."""
        shared, devices = self.shared, self.fleet.devices
        if not shared["closed"]:
            shared["closed"] = 1
            begun = (devices["state"] == IDLE) & (devices["place"] > 0) & (not shared["over"])
            self.fleet.wait(shared, np.flatnonzero(begun))
        return not (shared["in_flight"] or shared["waiting"])

    def _give_up(self) -> None:
        fleet, place = self.fleet, 0
        while place < len(fleet.devices):
            place = loop.give_up(
                self.connections.one_shared, fleet.devices, place, fleet.tracks, fleet.clocks, fleet.joins, self.rows.room,
                fleet.tally,
            )  # fmt: skip
            self.rows.grow()

    def _at_each_beat(self, now: float) -> None:
        if self._stop.ordered:
            self.course.close_early(self._stop.at)
            if now >= self._stop.at + GRACE_S:
                self._interrupt()
        self._chores(now)

    def _interrupt(self) -> None:
        self.shared["over"] = 1
        self.shared["waiting"] = 0
        for place in np.flatnonzero(self.fleet.devices["state"] != IDLE).tolist():
            self.in_hand(place).interrupt()

    def in_hand(self, place: int) -> GeneralPoll:
        """The poll of a device that is in flight, which is Python's from now on."""
        if place not in self.general:
            self.fleet.devices[place]["state"] = GENERAL
            self.general[place] = GeneralPoll(self, place)
            self.general[place].resume()
        poll: GeneralPoll = self.general[place]
        return poll


class _Watchdog(Watchdog):
    """Finds the polls that have taken too long among the devices."""

    def __init__(self, swarm: EpollSwarm, timeout_s: float, chores: Callable[[float], None]) -> None:
        super().__init__(timeout_s, swarm.course, chores)
        self._swarm = swarm
        self._look_at = 0.0
        """No poll can have taken too long before."""

    @property
    def polls_in_flight(self) -> int:
        return self._swarm.in_flight

    def _end_expired(self, now: float) -> None:
        if now < self._look_at:
            return
        devices = self._swarm.fleet.devices
        in_flight = np.flatnonzero(devices["state"] != IDLE)
        sent = devices["sent"][in_flight]
        # In the order in which they began.
        for place in in_flight[np.argsort(sent, kind="stable")][: np.count_nonzero(now - sent >= self._timeout_s)].tolist():
            self._swarm.in_hand(place).expire()
        self._look_at = self._timeout_s + min((now, *sent[now - sent < self._timeout_s].tolist()))
