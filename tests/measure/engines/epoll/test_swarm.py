"""What is the fast engine's own: sockets that take a request in pieces, bodies that are thrown away unread, stale events."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import polars as pl
import pytest

from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll import loop
from experiments.measure.engines.epoll.arrays import EVENT_FD, EVENT_WORDS
from experiments.measure.engines.epoll.swarm import EpollSwarm
from experiments.measure.engines.stop import Stop
from experiments.record.rows import RowBuffer, Rows
from tests.measure.engines.aio.test_swarm import GOOD, measure, outcomes, plan, sent_of, target
from tests.support.scripted_server import answer

pytestmark = pytest.mark.slow

LARGE = bytes(range(256)) * 8192


def nothing(now: float) -> None:
    """No chores."""


def test_a_large_body_is_counted_without_being_read(tmp_path: Path) -> None:
    """The rounds that compare bytes read it, the others throw it away; both count the same and say ok."""
    asked = plan(clients=1, interval_s=0.1, window_s=0.5, warmup_s=0.1)
    crc = zlib.crc32(LARGE)
    rows, facts = measure(tmp_path, [[answer(LARGE)]], asked, "epoll", body_bytes=(len(LARGE),) * 2, checksums=(crc, crc))
    rows = sent_of(rows)
    assert set(outcomes(rows)) == {"ok"}
    assert rows["bytes"].unique().to_list() == [len(LARGE)]
    assert facts["checksums"] == 1


@pytest.mark.parametrize("surplus", [b"x", answer(b"surplus")])
def test_what_comes_behind_a_body_never_meets_the_next_answer(tmp_path: Path, surplus: bytes) -> None:
    """The answer stands, and its connection is given up, whether the body was read or thrown away."""
    crc = zlib.crc32(LARGE)
    asked = plan(clients=1, interval_s=0.1, window_s=0.5, warmup_s=0.1)
    script = [[answer(LARGE) + surplus]]
    rows, facts = measure(tmp_path, script, asked, "epoll", body_bytes=(len(LARGE),) * 2, checksums=(crc, crc))
    sent = sent_of(rows)
    assert set(outcomes(sent)) == {"ok"}
    assert facts["connects"] == sent.height > 1


def test_a_socket_that_takes_little_at_a_time_gets_the_whole_request() -> None:
    """A request of several megabytes reaches a slow reader whole, and its poll is ok."""
    request = b"GET / HTTP/1.1\r\nX-Pad: " + b"p" * 8_000_000 + b"\r\n\r\n"
    got = bytearray()

    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not got.endswith(b"\r\n\r\n"):
            got.extend(await reader.read(65536))
        writer.write(GOOD[0])
        await writer.drain()
        writer.close()

    rows = drive_one(read_slowly, wire=request)
    assert bytes(got) == request
    assert rows.take()[10].tolist() == [0]


def drive_one(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], wire: bytes = b""
) -> Rows:
    """The rows of one device that polls once, with these bytes if any are given."""

    loop.prepare()

    async def main() -> Rows:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            start_at = time.monotonic() + 0.1
            asked = plan(clients=1, interval_s=5.0, warmup_s=0.0, window_s=2.0)  # One poll, with time to send it
            course = Course(asked, start_at, RowBuffer(start_at))
            pollers = target(port).pollers(course.plan, [0])
            if wire:
                pollers[0][0].request._always = wire
            swarm = EpollSwarm(course, range(1), target(port), Stop(), nothing, pollers)
            await asyncio.to_thread(swarm.run)
            return course.rows

    return asyncio.run(asyncio.wait_for(main(), 20))


def test_an_event_of_an_earlier_socket_is_not_taken_for_a_connection() -> None:
    """A socket closed and one opened in the same batch of events may share a number."""
    start_at = time.monotonic() - 1.0
    course = Course(plan(clients=1, warmup_s=0.0, window_s=99.0), start_at, RowBuffer(start_at))
    swarm = EpollSwarm(course, range(1), target(1), Stop(), nothing)
    connections, shared = swarm.connections, swarm.shared
    connections.open(0)
    fd = int(swarm.fleet.devices[0]["fd"])
    # Two events of one batch are left: of this connection, and of a file that is nobody's.
    shared["event"], shared["events"] = 1, 3
    files = connections.room.events[EVENT_FD::EVENT_WORDS]
    files[:3] = fd, fd, 0
    connections.close(0)
    connections.open(0)
    assert int(swarm.fleet.devices[0]["fd"]) == fd
    assert connections.owners[fd] == 0
    assert [int(connections.owners[file]) for file in files[:3]] == [0, -1, -1]
    connections.end()


@pytest.mark.parametrize("pacing", ["fixed", "after"])
def test_a_poll_that_timed_out_does_not_hold_up_the_next(tmp_path: Path, pacing: str) -> None:
    """B of a round whose A was never answered is sent when A is given up, and each device goes on to the end."""
    asked = plan(clients=8, interval_s=0.1, bulk_weight=1, pacing=pacing, warmup_s=0.0, window_s=1.5)
    rows, facts = measure(tmp_path, [[10.0]], asked, "epoll", timeout_s=0.25)
    assert set(outcomes(rows)) <= {"read_timeout", "unsent_busy"}
    sent = sent_of(rows)
    assert sent.group_by("client").agg(pl.col("endpoint").n_unique())["endpoint"].to_list() == [2] * 8
    pairs = sent.sort("client", "sent_s").with_columns(after=pl.col("done_s").shift(1).over("client"))
    seconds = pairs.filter(pl.col("endpoint") == "bulk")
    assert (seconds["due_s"] == seconds["after"]).all()
    assert facts["totals"]["unsent_late"] == 0


def test_devices_far_behind_are_served_in_the_order_in_which_they_are_ready(tmp_path: Path) -> None:
    """A server slower than the interval: no device starves, and each poll is ready before it is sent."""
    rows, _ = measure(tmp_path, [[0.06, *GOOD]], plan(clients=8, interval_s=0.02, window_s=0.8), "epoll")
    sent = sent_of(rows)
    per_device = sent.group_by("client").len()["len"]
    assert per_device.len() == 8
    assert per_device.max() - per_device.min() <= 1  # type: ignore[operator]
    assert (sent["sent_s"] >= sent["ready_s"]).all()
    assert set(outcomes(rows)) == {"ok", "unsent_busy"}
