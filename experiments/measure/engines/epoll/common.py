"""What the loop, the general path and the swarm share: the arrays, the connections, the rows, and who has which poll."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from experiments.measure.engines.counters import Counters
from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll import loop
from experiments.measure.engines.epoll.connections import Connections
from experiments.measure.engines.epoll.fleet import Fleet
from experiments.measure.engines.epoll.rows import FlatRows
from experiments.measure.engines.http1 import AnswerReader
from experiments.measure.engines.judge import Judgement
from experiments.measure.engines.target import Target
from experiments.target.poller import Poller


class Common:
    """The state that all of them change."""

    def __init__(
        self, course: Course, clients: range, target: Target, pollers: Sequence[tuple[Poller, ...]]
    ) -> None:
        self.course = course
        self.keep_alive = target.keep_alive
        self.counters = Counters()
        self.fleet = Fleet(course, clients, pollers)
        self.connections = Connections(self.fleet.devices, target, course.plan)
        self.shared = self.connections.shared
        self.fleet.tell(self.shared, course)
        course.tally.by_outcome = self.fleet.tally
        self.rows = course.rows = FlatRows(self.shared)
        self.general: dict[int, Any] = {}
        """Polls that the loop has left to Python, by the place of their device: `GeneralPoll`s, which know this class."""
        self._readers: list[AnswerReader] = []
        """Of connections that are kept; any of them serves any device."""

    @property
    def in_flight(self) -> int:
        """Polls that were sent and have not ended."""
        return int(self.shared["in_flight"])

    def reader(self) -> AnswerReader:
        """Reads the answers of a poll; of what it may have read for another one it knows nothing any more."""
        if not self._readers:
            return AnswerReader(time.monotonic, keep_bodies=False)
        reader = self._readers.pop()
        reader.expect()
        return reader

    def keep(self, reader: AnswerReader) -> None:
        """It may read other answers: it has come to the end of one."""
        self._readers.append(reader)

    def ended(self, place: int, done: float, connect_s: float, found: Judgement, endpoint: int) -> None:
        """A poll that was Python's has ended; the rest is in the device's record."""
        del self.general[place]
        self.rows.grow()
        fleet, wait_s = self.fleet, found.wait_s
        loop.ended(
            self.connections.one_shared, fleet.devices, place, fleet.tracks, fleet.clocks, fleet.joins, fleet.heap,
            self.rows.room, fleet.tally, done, connect_s, int(found.outcome), float(found.decoded_bytes),
            math.nan if wait_s is None else float(wait_s),
        )  # fmt: skip
        if found.failed_check:
            self.rows.failed(found.failed_check)
        fleet.look_again(place, endpoint)
