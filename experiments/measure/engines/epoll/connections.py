"""The connections of a swarm's devices: made, watched and closed by Python, used by the compiled loop as well."""

from __future__ import annotations

import errno
import os
import select
import socket

import numpy as np

from experiments.measure.engines import sources
from experiments.measure.engines.epoll.arrays import EVENT_FD, EVENT_WORDS, Record, Records, Room
from experiments.measure.engines.target import Target
from experiments.schedule import Plan

_FILES = 1024
"""Numbers of files for which there is room at first."""


class Connections:
    """One connection a device at most.

    Args:
        devices: of `DEVICE`; `fd` is kept right.
    """

    def __init__(self, devices: Records, target: Target, plan: Plan) -> None:
        self._devices = devices
        self._plan = plan
        self._target = target
        self.epoll = select.epoll()
        self.room = Room()
        self.one_shared = self.room.shared(self.epoll.fileno())
        self.shared: Record = self.one_shared[0]
        self.owners = np.full(_FILES, -1, "i8")
        """Of each file the device whose connection it is, or -1; the last place is nobody's."""
        self._sockets: dict[int, socket.socket] = {}

    def __getitem__(self, place: int) -> socket.socket | None:
        return self._sockets.get(place)

    def open(self, place: int) -> None:
        """Begins to connect a device; an event says when it is connected, or is not.

        Raises:
            OSError: it could not be begun.
        """
        device = self._devices[place]
        client = int(device["client"])
        target = self._target.of_system(self._plan.system(client))
        connection = sources.opened(target.address, target.source(client))
        try:
            code = connection.connect_ex(target.address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError:
            connection.close()
            raise
        fd = connection.fileno()
        if fd >= len(self.owners) - 1:
            self.owners = np.concatenate([self.owners, np.full(fd + 1, -1, "i8")])
        self._sockets[place] = connection
        self.owners[fd] = place
        device["fd"] = fd
        self.epoll.register(fd, select.EPOLLOUT)

    def want(self, place: int, mask: int) -> None:
        """Says which events of a connection are waited for."""
        self.epoll.modify(self._sockets[place].fileno(), mask)

    def close(self, place: int) -> None:
        """Closes a device's connection, if there is one."""
        if (connection := self._sockets.pop(place, None)) is None:
            return
        fd = connection.fileno()
        connection.close()
        self.owners[fd] = self._devices[place]["fd"] = -1
        # The next one may have the same number: what is left of this batch of events is not its.
        first, end = (EVENT_WORDS * int(self.shared[one]) for one in ("event", "events"))
        files = self.room.events[first + EVENT_FD : end : EVENT_WORDS]
        files[files == fd] = len(self.owners) - 1

    def end(self) -> None:
        """Closes all of them."""
        for place in list(self._sockets):
            self.close(place)
        self.epoll.close()
