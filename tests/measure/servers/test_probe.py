"""Asking the workers of a server, with no more connections at once than it lets wait."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from experiments.measure.servers import base, probe
from experiments.measure.servers.base import FIRST_AT_ONCE, MOST_AT_ONCE
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.probe import Health, ask_workers


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server that lets 5 connections wait, as Python's own does, and does not come to take any."""
    monkeypatch.setattr(probe, "_TAKEN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
        yield listener.getsockname()


@pytest.mark.parametrize(("count", "crowded"), [(FIRST_AT_ONCE, False), (MOST_AT_ONCE, True)])
def test_more_connections_than_may_wait_are_noticed(deaf: tuple[str, int], count: int, crowded: bool) -> None:
    """The first few fit into a small backlog; what does not fit is given up at once, and said."""
    url = f"http://{deaf[0]}:{deaf[1]}"
    assert ask_workers(url, deaf, count, timeout_s=0.2) == ([], crowded)


class Workers:
    """Made-up answers: `pids` in turn, and crowded where more are asked at once than may wait."""

    def __init__(self, pids: list[int], backlog: int) -> None:
        self.asked: list[int] = []
        self._pids, self._backlog = pids, backlog

    def __call__(self, url: str, address: object, count: int, timeout_s: float, path: str) -> tuple[list[Health], bool]:
        self.asked.append(count)
        taken = min(count, self._backlog)
        return [Health(self._pids[one % len(self._pids)], 1, None, None) for one in range(taken)], taken < count


def asked_at_once(monkeypatch: pytest.MonkeyPatch, pids: list[int], backlog: int) -> list[int]:
    """How many connections at once a server of somebody else sees until all its workers count as known."""
    workers = Workers(pids, backlog)
    monkeypatch.setattr(base, "ask_workers", workers)
    server = ExternalServer(url="http://127.0.0.1:1", status_bytes=100, bulk_bytes=3)
    assert set(asyncio.run(server.served())) == set(pids)
    return workers.asked


def test_a_server_with_one_worker_is_never_asked_more_than_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked: nothing is to be gained by more."""
    assert set(asked_at_once(monkeypatch, [1], backlog=5)) == {FIRST_AT_ONCE}


def test_a_server_with_several_workers_is_asked_more_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round asks with twice as many connections, since the kernel may leave a worker without any."""
    asked = asked_at_once(monkeypatch, [1, 2, 3, 4], backlog=2048)
    assert asked[:4] == [FIRST_AT_ONCE, 2 * FIRST_AT_ONCE, MOST_AT_ONCE, MOST_AT_ONCE]


def test_a_server_that_is_crowded_is_asked_fewer_at_once_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One lost packet is enough to know it."""
    asked = asked_at_once(monkeypatch, [1, 2], backlog=5)
    assert asked[:3] == [FIRST_AT_ONCE, 2 * FIRST_AT_ONCE, FIRST_AT_ONCE]
    assert set(asked[3:]) == {FIRST_AT_ONCE}
