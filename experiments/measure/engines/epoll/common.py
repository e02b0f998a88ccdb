"""What the devices of a fast swarm have in common: what they ask, where their events come from, and who waits for what."""

from __future__ import annotations

import select
from collections import deque
from typing import TYPE_CHECKING, Any

from experiments.measure.engines.counters import Counters
from experiments.measure.engines.device import Course
from experiments.measure.engines.target import Target
from experiments.measure.engines.watchdog import Watchdog

if TYPE_CHECKING:
    Devices = deque[Any]
    """Of `EpollDevice`, which knows this class."""


class Common:
    """The state that devices share and change."""

    def __init__(self, course: Course, target: Target, watchdog: Watchdog) -> None:
        self.course = course
        self.counters = Counters()
        self.watchdog = watchdog
        self.in_flight = watchdog.in_flight
        self.target = target
        self.keep_alive = target.keep_alive
        self.epoll = select.epoll()
        self.connections: dict[int, Any] = {}
        """Socket -> its device."""
        self.overdue: Devices = deque()
        """Devices that came free when their next poll was due already, by `free_at`."""
        self.waiting: list[tuple[float, int, Any]] = []
        """A heap of those that wait for their next poll to be due: when that is, number, device."""
        self.closed = False
        """Whether the window is."""
