"""Running a shard: devices by the engine that is asked for, rows to disk every few seconds, a report every second.

A shard, the start of the window and an order to stop -> rows on disk, and what stands in run.json under this generator.
"""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

from experiments.measure.engines.aio.own_device import Device
from experiments.measure.engines.aio.own_swarm import maker
from experiments.measure.engines.aio.swarm import HttpxSwarm
from experiments.measure.engines.device import Course
from experiments.measure.engines.stop import Stop
from experiments.measure.generators.shard import Report, Shard
from experiments.measure.host import memory
from experiments.record.rows import PartWriter, RowBuffer, Rows
from experiments.target.poller import Poller

if TYPE_CHECKING:
    from experiments.measure.engines.epoll.swarm import EpollSwarm
    from experiments.measure.engines.threads.swarm import ThreadsSwarm

FLUSH_S = 5.0
"""How often rows go to disk: what a killed generator loses at most."""
_REPORT_S = 1.0
_RECENT_POLLS = 1000


async def run_shard(
    shard: Shard,
    start_at: float,
    on_report: Callable[[Report], None],
    stop: Stop,
    transports: Sequence[httpx.AsyncBaseTransport] | None = None,
    pollers: Sequence[tuple[Poller, ...]] | None = None,
    devices: Sequence[Device] | None = None,
) -> dict[str, Any]:
    """Drives the devices of a shard through warm-up and window.

    Args:
        start_at: when the measured window begins, on the monotonic clock; round 1 begins `plan.warmup_s` earlier.
        on_report: called about every second, from the thread that carries the load.
        stop: an order to close the window early; cancelling gives one.
        transports: what `shard.make_transports` made beforehand, where the engine asks through such.
        pollers: what `shard.make_pollers` made beforehand.
        devices: what `shard.make_devices` made beforehand, where they are of a user's class.

    Returns:
        What stands under `generator.instances` in run.json, with this shard's totals.
    """
    writer = PartWriter(Path(shard.run_path), shard.instance, shard.plan.endpoints, shard.plan.system_of_each)
    course = Course(shard.plan, start_at, RowBuffer(start_at))
    chores = _Chores(course, writer, on_report)
    cpu_before = time.process_time()
    try:
        driven = _driven(shard, course, stop, chores, (transports, pollers, devices))
        chores.swarm = driven.swarm
        await driven.run()
    except asyncio.CancelledError:
        stop.at = time.monotonic()
        raise
    finally:
        writer.write(course.rows.take())
        await asyncio.to_thread(writer.close)
    problem = _problem(writer)
    return {
        "instance": shard.instance,
        "pid": os.getpid(),
        "clients": len(shard.clients),
        **driven.swarm.counters.facts(shard.plan.endpoints),
        "cpu_s": time.process_time() - cpu_before,
        "rss_peak_bytes": memory.peak_rss_bytes(),
        "cpu_wait_ratio": chores.cpu_wait_ratio,
        "longest_stall_s": driven.swarm.watchdog.longest_stall_s,
        "parts": writer.parts,
        "part_sha256": writer.checksums,
        "rows": writer.rows,
        "lost_rows": writer.lost_rows,
        "error": f"{problem}; {writer.lost_rows:,} of them are lost" if problem else None,
        **driven.facts(),
        "first_wrong_answers": course.wrong.first(),
        "totals": course.tally.totals(),
    }


Swarm: TypeAlias = "EpollSwarm | HttpxSwarm | ThreadsSwarm"
Made = tuple[
    Sequence[httpx.AsyncBaseTransport] | None, Sequence[tuple[Poller, ...]] | None, Sequence[Device] | None
]
"""Transports, pollers and devices that were made beforehand."""


@dataclass(frozen=True)
class _Driven:
    """A swarm of the engine that is asked for."""

    swarm: Swarm
    run: Callable[[], Awaitable[None]]
    """Lives the lives of all its devices."""
    facts: Callable[[], dict[str, Any]] = dict
    """What this engine alone has to tell, once it has run."""


def _driven(shard: Shard, course: Course, stop: Stop, chores: _Chores, made: Made) -> _Driven:
    transports, pollers, devices = made
    asked = pollers or shard.make_pollers()
    if shard.engine == "epoll":
        from experiments.measure.engines.epoll.swarm import EpollSwarm  # numba takes half a second to load

        fast = EpollSwarm(course, shard.clients, shard.target, stop, chores.at, asked)
        # In a thread, so that it holds up neither a kernel's loop nor whoever gives the order to stop.
        return _Driven(fast, partial(asyncio.to_thread, fast.run))
    if shard.engine == "threads":
        from experiments.measure.engines.threads.counter import RedisCounter
        from experiments.measure.engines.threads.swarm import ThreadsSwarm

        counter = RedisCounter(shard.redis_counters, shard.plan.endpoints)
        threads = ThreadsSwarm(course, shard.clients, shard.target, stop, chores.at, counter, asked)
        return _Driven(threads, partial(asyncio.to_thread, threads.run), lambda: counter.facts)
    own = devices or shard.make_devices()
    make = maker(own, shard.clients) if own else None
    through = transports or shard.make_transports()
    swarm = HttpxSwarm(course, shard.clients, shard.target, stop, chores.at, through, asked, make)
    return _Driven(
        swarm, swarm.run, lambda: {"closing_error": swarm.closing_error, "first_fault": swarm.first_fault}
    )


class _Chores:
    """What is done beside the load, at each beat: rows to disk, reports, and what is measured of the window alone."""

    swarm: EpollSwarm | HttpxSwarm | ThreadsSwarm

    def __init__(self, course: Course, writer: PartWriter, on_report: Callable[[Report], None]) -> None:
        self._course = course
        self._writer = writer
        self._on_report = on_report
        self._reported_at = time.monotonic()
        self._flush_at = self._reported_at + FLUSH_S
        self._seen = 0
        self._waiting: RunQueueWait | None = None
        """From the start of the window on."""
        self._window_over = False
        self.cpu_wait_ratio: float | None = None
        """Share of the window for which the loop waited for a core; None where the platform does not tell."""

    def at(self, now: float) -> None:
        """Does what is due."""
        if self._waiting is None and now >= self._course.start_at:
            self._waiting = RunQueueWait()
        if self._waiting is not None and not self._window_over:
            self._window_over = now >= self._course.close_at
            if self._window_over or now >= self._reported_at + _REPORT_S:
                # Now and then as well, so that a run that breaks off has a figure too.
                self.cpu_wait_ratio = self._waiting.ratio()
        if now >= self._reported_at + _REPORT_S:
            self._report(now)

    def _report(self, now: float) -> None:
        rows, tally = self._course.rows, self._course.tally
        rate = (len(rows) - self._seen) / (now - self._reported_at)
        p50, p99 = _recent_percentiles(rows)
        in_flight = self.swarm.watchdog.polls_in_flight
        self._on_report(
            Report(
                tally.sent,
                tally.ok,
                tally.failed,
                in_flight,
                p50,
                p99,
                rate,
                _problem(self._writer),
                self._course.wrong.codes(),
                tally.reasons(),
            )
        )
        if now >= self._flush_at:
            self._writer.write(rows.take())
            self._flush_at += FLUSH_S
        self._reported_at, self._seen = now, len(rows)


class RunQueueWait:
    """How long this thread was ready to run while others had the processor: what CPU time alone does not show.

    Source: the second figure of /proc/<pid>/schedstat, in ns (Linux, Documentation/scheduler/sched-stats.rst).
    """

    def __init__(self) -> None:
        self._path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._since = time.monotonic()
        self._before = self._waited_s()

    def ratio(self) -> float | None:
        """Share of the time since then; None where the platform does not tell."""
        now = self._waited_s()
        if now is None or self._before is None:
            return None
        return (now - self._before) / max(1e-9, time.monotonic() - self._since)

    def _waited_s(self) -> float | None:
        try:
            return int(self._path.read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return None


def _recent_percentiles(rows: Rows) -> tuple[float | None, float | None]:
    """Response p50 and p99 in ms of A's latest polls: an impression for the live view, not a result."""
    seconds = sorted(rows.recent_responses(_RECENT_POLLS))
    if not seconds:
        return None, None
    return tuple(1000 * seconds[math.ceil(p * len(seconds)) - 1] for p in (0.5, 0.99))  # type: ignore[return-value]


def _problem(writer: PartWriter) -> str | None:
    """Why rows are lost, if so."""
    if writer.error is None:
        return None
    reason = isinstance(writer.error, OSError) and writer.error.strerror
    return f"generator {writer.instance} could not write its rows ({reason or writer.error})"
