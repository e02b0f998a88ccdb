"""Any bytes in any pieces come to the same row on the fast engine as the lean transport makes of them.

A device of the real engine on a socket pair: the loop reads, leaves what it does not know to the general path, and this
test plays the server. As many inputs as are asked for: LAB_HOSTILE_INPUTS, see `test_response_bytes`.
"""

import select
import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.measure.engines.counters import Counters
from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll.arrays import BEAT
from experiments.measure.engines.epoll.connections import Connections
from experiments.measure.engines.epoll.swarm import EpollSwarm
from experiments.measure.engines.judge import judge
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.record.rows import RowBuffer
from experiments.record.schema import Outcome
from experiments.schedule import Plan
from experiments.target import loading, planning
from tests.hostile.peer import Fate, ask, cut, inside_a_loop
from tests.hostile.test_response_bytes import ENDS, INPUTS, Case, case, tried
from tests.hostile.wire import FAMILIES

TARGET = loading.read("endpoints: {only: {request: GET /, expect: {status: [200, 206, 404]}}}", Path("/it.yaml"), environ={})
ASKED = Target.of(TARGET, "http://h", ("h", 1), keep_alive=True, timeout_s=5.0)
_LOOK_S = 2e-5
"""How long the loop waits for more once it has taken a piece."""


def asked_plan() -> Plan:
    return planning.plan(
        TARGET.target, clients=1, interval_s=50.0, phase="together", pacing="fixed", seed=1, warmup_s=0.0, window_s=99.0
    )


class Server:
    """One device that has just asked on a connection that was kept, and the other end of it."""

    def __init__(self) -> None:
        start_at = time.monotonic() - 50.0  # So that its second round is due now, and compares nothing.
        course = Course(asked_plan(), start_at, RowBuffer(start_at))
        self.swarm = EpollSwarm(course, range(1), ASKED, Stop(), lambda now: None)
        device, track = self.swarm.fleet.devices[0], self.swarm.fleet.tracks[0, 0]
        device["round"] = track["round"] = 2
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        connections = self.swarm.connections
        connections._sockets[0], connections.owners[ours.fileno()], device["fd"] = ours, 0, ours.fileno()
        connections.epoll.register(ours.fileno(), select.EPOLLIN)
        self.turn()
        assert self.swarm.in_flight == 1

    def turn(self) -> None:
        """Lets the loop take what is there, all of it: a busy machine may come to its beat before it has looked."""
        swarm = self.swarm
        waits = True
        while waits:
            swarm.shared["next_beat"] = time.monotonic() + _LOOK_S
            while (reason := swarm._step()) != BEAT:
                swarm._take_over(reason, int(swarm.shared["device"]), int(swarm.shared["size"]))
            ours = swarm.connections[0]
            waits = bool(swarm.shared["waiting"] and not swarm.rows) or (
                ours is not None and bool(select.select([ours], [], [], 0)[0])
            )

    def brings(self, case: Case) -> tuple[int, int, Outcome]:
        """Status, bytes and outcome of the poll."""
        for piece in cut(case.wire, [8 * size for size in case.sizes]):
            try:
                self.peer.sendall(piece)
            except BrokenPipeError:
                break
            self.turn()
        if case.ending != "silence":
            if case.ending == "close":
                self.peer.recv(65536)  # What is not read when a socket closes resets the other end.
            self.peer.close()
            self.turn()
        swarm = self.swarm
        if swarm.in_flight:
            swarm.in_hand(0).expire()
        columns = swarm.rows.take()
        status, size, outcome = (columns[place][0] for place in (8, 9, 10))
        return int(status), int(size), Outcome(int(outcome))

    def end(self) -> None:
        """Closes both ends."""
        self.peer.close()
        self.swarm.connections.end()


def expected(fate: Fate, case: Case) -> tuple[int, int, Outcome]:
    """What the row must say, by what the lean transport made of the same bytes."""
    if fate.kind == "answer":
        (poller,) = ASKED.pollers(asked_plan(), [0])[0]
        outcome = judge(poller, 0, 2, fate.status, [], b"", fate.body_bytes, Counters(), compare=False).outcome
    elif not case.wire and case.ending != "silence":
        outcome = Outcome.CONNECT_REFUSED  # Nothing came: it is asked once more, on a connection that nobody takes.
    else:
        outcome = ENDS.get(fate.kind, Outcome.READ_TIMEOUT)
    return fate.status, fate.body_bytes, outcome


@pytest.mark.timeout(180 + INPUTS // 100)
@pytest.mark.parametrize("family", FAMILIES)
@inside_a_loop
def test_any_bytes_in_any_pieces_come_to_the_same_row(family: str) -> None:
    """Status, bytes, outcome, and whether the connection is kept: as the lean transport has them."""
    seen: Counter[Outcome] = Counter()

    def refused(connections: Connections, place: int) -> None:
        raise ConnectionRefusedError(111, "refused")

    def examine(data: bytes) -> None:
        one = case(FAMILIES[family], data)
        fate, protocol, _ = ask(cut(one.wire, one.sizes), one.ending)
        server = Server()
        try:
            found = server.brings(one)
            assert found == expected(fate, one), one
            if fate.kind == "answer":
                assert protocol.usable == (server.swarm.fleet.devices[0]["fd"] >= 0), one
        finally:
            server.end()
            protocol.close()
        seen[found[2]] += 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connections, "open", refused)
        tried(examine, INPUTS // 40)
    assert len(seen) > 2
