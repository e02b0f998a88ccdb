"""A generator: a shard of devices, its rows and its reports.

`drive` runs a shard on the loop it is called from. `python -m experiments.measure.generator` is the same in a process of
its own, on uvloop: it is told what to do by JSON lines on standard input and answers with JSON lines on standard output.

    in   {"shard": {...}}  then  {"start_at": instant}  then perhaps  {"stop_at": instant}; end of input means stop now
    out  {"ready": true}  then  {"report": {...}} every second  then  {"facts": {...}}
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import math
import os
import resource
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from experiments.measure.httpx_swarm import Swarm
from experiments.measure.links import StockTransport, TransportFactory
from experiments.measure.target import Target
from experiments.record.rows import PartWriter, RowBuffer
from experiments.schedule import Plan

_FLUSH_S = 5.0
"""How often rows go to disk: what a killed generator loses at most."""
_REPORT_S = 1.0
_RECENT_POLLS = 1000
_LAST_WORDS_S = 10.0
"""How long a generator may take to end after its starter is gone, before it ends itself the hard way."""


@dataclass(frozen=True)
class Shard:
    """What one generator has to do. Plain data, so that it travels as JSON."""

    run_path: str
    instance: int
    generators: int
    """Into how many shards the swarm is divided; this one is number `instance`."""
    engine: str
    plan: Plan
    target: Target
    transport: str = ""
    """`module:name` of a user's own transport factory; empty for the engine's."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        target = data["target"] | {name: tuple(data["target"][name]) for name in ("address", "body_bytes", "checksums")}
        return cls(**data | {"plan": Plan(**data["plan"]), "target": Target(**target)})

    @property
    def clients(self) -> range:
        """The devices of this shard."""
        return self.plan.shard(self.instance, self.generators)

    def transport_factory(self) -> TransportFactory | None:
        """What makes a device's transport; None for the lean one."""
        if self.transport:
            module, _, name = self.transport.partition(":")
            factory: TransportFactory = getattr(importlib.import_module(module), name)
            return factory
        if self.engine == "httpx-stock":
            return lambda: StockTransport(self.target.timeout_s)
        return None


@dataclass(frozen=True)
class Report:
    """How a generator is getting on; counts cover the measured window so far."""

    sent: int
    ok: int
    failed: int
    in_flight: int
    response_p50_ms: float | None
    response_p99_ms: float | None
    polls_per_s: float
    """Polls that ended since the report before, by the second."""
    problem: str | None
    """Why the run should not go on, if so."""


async def drive(
    shard: Shard, start_at: float, on_report: Callable[[Report], None], stop: asyncio.Future[float]
) -> dict[str, Any]:
    """Drives the devices of a shard through warm-up and window.

    Args:
        start_at: when the measured window begins, on the monotonic clock; round 1 begins `plan.warmup_s` earlier.
        on_report: called about every second.
        stop: its result is the instant at which the window closes early.

    Returns:
        What stands under `generator.instances` in run.json, with this shard's totals.
    """
    rows = RowBuffer(start_at)
    writer = PartWriter(Path(shard.run_path), shard.instance)
    swarm = Swarm(shard.plan, shard.clients, shard.target, rows, start_at, shard.transport_factory())
    cpu_before = time.process_time()
    waiting = RunQueueWait()
    in_window = asyncio.get_running_loop().call_later(max(0.0, start_at - time.monotonic()), waiting.restart)
    helpers = [
        asyncio.ensure_future(_flush_and_report(swarm, rows, writer, on_report)),
        asyncio.ensure_future(_stop_when_told(swarm, stop)),
    ]
    try:
        await swarm.run()
    finally:
        in_window.cancel()
        for helper in helpers:
            helper.cancel()
        writer.write(rows.take())
        await asyncio.to_thread(writer.close)
    problem = _problem(writer)
    return {
        "instance": shard.instance,
        "pid": os.getpid(),
        "clients": len(shard.clients),
        **asdict(swarm.effort),
        "cpu_s": time.process_time() - cpu_before,
        "rss_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "cpu_wait_ratio": waiting.ratio(),
        "longest_stall_s": swarm.heartbeat.longest_stall_s,
        "parts": writer.parts,
        "part_sha256": writer.checksums,
        "rows": writer.rows,
        "lost_rows": writer.lost_rows,
        "error": f"{problem}; {writer.lost_rows:,} of them are lost" if problem else None,
        "totals": asdict(swarm.tally),
    }


class RunQueueWait:
    """How long this thread was ready to run while others had the processor: what CPU time alone does not show.

    Source: the second figure of /proc/<pid>/schedstat, in ns (Linux, Documentation/scheduler/sched-stats.rst).
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins counting anew, as when the measured window begins."""
        self._since = time.monotonic()
        self._before = self._waited_s()

    def ratio(self) -> float | None:
        """Share of the time since then; None where the platform does not tell."""
        now = self._waited_s()
        if now is None or self._before is None:
            return None
        return (now - self._before) / max(1e-9, time.monotonic() - self._since)

    @staticmethod
    def _waited_s() -> float | None:
        try:
            return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return None


async def _flush_and_report(swarm: Swarm, rows: RowBuffer, writer: PartWriter, on_report: Callable[[Report], None]) -> None:
    reported_at = time.monotonic()
    next_flush = reported_at + _FLUSH_S
    seen = 0
    while True:
        await asyncio.sleep(_REPORT_S)
        now = time.monotonic()
        rate = (len(rows) - seen) / (now - reported_at)
        p50, p99 = _recent_percentiles(rows)
        tally, in_flight = swarm.tally, swarm.heartbeat.in_flight
        on_report(Report(tally.sent, tally.ok, tally.failed, in_flight, p50, p99, rate, _problem(writer)))
        if now >= next_flush:
            writer.write(rows.take())
            next_flush += _FLUSH_S
        reported_at, seen = now, len(rows)


async def _stop_when_told(swarm: Swarm, stop: asyncio.Future[float]) -> None:
    await swarm.cut_short(await stop)


def _recent_percentiles(rows: RowBuffer) -> tuple[float | None, float | None]:
    """Response p50 and p99 in ms of A's latest polls: an impression for the live view, not a result."""
    seconds = sorted(rows.recent_responses(_RECENT_POLLS))
    if not seconds:
        return None, None
    return tuple(1000 * seconds[math.ceil(p * len(seconds)) - 1] for p in (0.5, 0.99))  # type: ignore[return-value]


def _problem(writer: PartWriter) -> str | None:
    if writer.error is None:
        return None
    reason = isinstance(writer.error, OSError) and writer.error.strerror
    return f"generator {writer.instance} could not write its rows ({reason or writer.error})"


def main() -> None:
    """The process: one shard, told by standard input."""
    shard = Shard.from_json(json.loads(sys.stdin.readline())["shard"])
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(shard))


async def _serve(shard: Shard) -> None:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[float] = loop.create_future()
    import polars  # noqa: F401 - loaded before the start, so that the first part does not hold the loop up

    _say({"ready": True})
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        return
    threading.Thread(target=_obey, args=(loop, stop), daemon=True).start()
    # What is alive now stays alive: it need not be looked at by each collection of garbage.
    gc.collect()
    gc.freeze()
    facts = await drive(shard, json.loads(line)["start_at"], _report, stop)
    _say({"facts": facts})


def _obey(loop: asyncio.AbstractEventLoop, stop: asyncio.Future[float]) -> None:
    """Hands on an order to stop; at the end of input the starter is gone, and so must this process be."""
    while (line := sys.stdin.readline()).endswith("\n"):
        _stop_at(json.loads(line)["stop_at"], loop, stop)
    _stop_at(time.monotonic(), loop, stop)
    time.sleep(_LAST_WORDS_S)
    os._exit(1)


def _stop_at(at: float, loop: asyncio.AbstractEventLoop, stop: asyncio.Future[float]) -> None:
    def close_window() -> None:
        if not stop.done():
            stop.set_result(at)

    with suppress(RuntimeError):  # The loop is closed: all is done.
        loop.call_soon_threadsafe(close_window)


def _report(report: Report) -> None:
    """Says how things are, unless nobody listens: a starter that is suspended must not hold up the load by a full pipe."""
    # What fits into an empty page of the pipe never blocks, and a report does.
    if select.select([], [sys.stdout], [], 0)[1]:
        _say({"report": asdict(report)})


def _say(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # The starter is gone; `_obey` ends this process.


if __name__ == "__main__":
    main()
