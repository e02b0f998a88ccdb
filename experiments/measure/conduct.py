"""One run from start to seal: server, sampler and generators are started, watched and ended, and the record is written.

Scenario in, path of the run directory out. Nothing here carries load (unless `generators=0` asks for it) and nothing here
judges. Whatever happens, what was started is ended and what was measured is kept.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from experiments.errors import ParameterError
from experiments.measure import host, interrupts, open_files
from experiments.measure.generator import Shard
from experiments.measure.generator_process import Generator, GeneratorProcess, KernelGenerator
from experiments.measure.interrupts import undisturbed
from experiments.measure.lost_shard import salvage
from experiments.measure.progress import OnProgress, Progress, RunPhase
from experiments.measure.sampler import ProcessTree, Sampler
from experiments.measure.server_process import ExternalServer, ServerProcess
from experiments.measure.target import Target
from experiments.record import schema, store
from experiments.scenario import Scenario

_HEADSTART_S = 0.2
"""From the word to start until round 1: long enough for it to reach every generator."""
_WATCH_S = 0.25
_OVERTIME_S = 15.0
"""How long after window and timeout a generator may take to write its last rows, before it counts as lost."""
_STOPPED_S = 20.0
"""The same after it was told to stop."""
_STOP_NOTICE_S = 0.1
"""From the word to stop until the window closes, so that all generators close it at the same instant."""

INTERRUPTED = "interrupted by the experimenter"


@dataclass
class _Run:
    """What is known of a run while it goes on."""

    scenario: Scenario
    path: Path
    on_progress: OnProgress
    transport: str
    started_at: str = field(default_factory=lambda: utc_now())
    start_at: float = 0.0
    cut_short: str | None = None
    stop_at: float | None = None
    server_died: str | None = None

    @property
    def deadline(self) -> float:
        """When a generator that has not ended counts as lost."""
        if self.stop_at is not None:
            return self.stop_at + _STOPPED_S
        return self.start_at + self.scenario.window_s + self.scenario.timeout_s + _OVERTIME_S


async def conduct(scenario: Scenario, *, on_progress: OnProgress = lambda progress: None, transport: str = "") -> Path:
    """Measures a scenario.

    Args:
        on_progress: called about every second.
        transport: `module:name` of a callable that makes an `httpx.AsyncBaseTransport` for a device, instead of ours.

    Returns:
        The run directory. A run that was cut short is sealed too, and says why.

    Raises:
        ParameterError: this machine cannot do it; nothing was started.
        ServerStartError: the server did not become ready.
        ServerContractError: the server does not answer what is to be measured.
        GeneratorError: a generator did not come up.
        RecordError: the record cannot be begun, or not be completed; the sentence says what was kept.
        KeyboardInterrupt: the experimenter interrupted before the load began.
    """
    with interrupts.as_cancellation():
        return await _conduct(_begin(scenario, on_progress, transport))


def _begin(scenario: Scenario, on_progress: OnProgress, transport: str) -> _Run:
    open_files.allow(open_files.files_needed(scenario))
    path = store.create(scenario.results_dir, scenario.run_id, scenario.short_hash)
    return _Run(scenario, path, on_progress, transport)


async def _conduct(run: _Run) -> Path:
    scenario = run.scenario
    started = {
        "schema_version": schema.SCHEMA_VERSION,
        "run_id": run.path.name,
        "started_at": run.started_at,
        # Where results lie is nobody's business, and no part of the question.
        "scenario": scenario.model_dump(exclude={"results_dir", "run_dir"}),
        "environment": host.fingerprint() | {"calibration": host.certificate(run.path.parent)},
    }
    store.begin(run.path, started)
    run.on_progress(Progress("starting", 0.0, scenario.warmup_s + scenario.window_s))
    cleanup = AsyncExitStack()
    try:
        facts = await _measure(run, cleanup)
    finally:
        await undisturbed(cleanup.aclose())
    store.seal(run.path, started | facts)
    return run.path


async def _measure(run: _Run, cleanup: AsyncExitStack) -> dict[str, Any]:
    """Starts everything, lets it run and gathers the facts; `cleanup` ends what is still alive."""
    server = _server(run)
    cleanup.push_async_callback(server.stop)
    await server.start()
    headers = await server.verify()
    served_before = await server.served()
    generators: list[Generator] = []
    for make in _generators(run, server.url, server.checksums):
        generators.append(make())
        cleanup.push_async_callback(generators[-1].close)
    await asyncio.gather(*(generator.prepare() for generator in generators))

    warmup_from = time.monotonic() + _HEADSTART_S
    run.start_at = warmup_from + run.scenario.warmup_s
    sampler = Sampler(run.path, run.scenario.sample_ms, _trees(server, generators, served_before), run.start_at)
    sampler.start()
    cleanup.callback(sampler.stop)
    for generator in generators:
        generator.start(run.start_at)
    await _watch_or_stop(run, server, generators, sampler)
    return await undisturbed(_finish(run, server, generators, sampler, headers=headers, served_before=served_before))


async def _finish(
    run: _Run,
    server: ServerProcess | ExternalServer,
    generators: list[Generator],
    sampler: Sampler,
    *,
    headers: dict[str, dict[str, str]],
    served_before: dict[int, int],
) -> dict[str, Any]:
    """Ends everything and gathers the facts."""
    await _all_ended(generators, run.deadline)
    _report(run, "finishing", generators, sampler)
    sampler.stop()
    served_after = await server.served()
    pids_at_end = sorted(server.worker_pids())
    for generator in generators:
        await generator.close()
    exit_ = await server.stop()
    shards = [await asyncio.to_thread(_shard_facts, generator, _window_s(run)) for generator in generators]
    return {
        "ended_at": utc_now(),
        "window_s": _window_s(run),
        "cut_short": run.cut_short,
        "totals": _totals(shards),
        "server": {
            **server.facts(),
            "headers": headers,
            "workers": _workers(served_before, served_after),
            "worker_pids_at_end": pids_at_end,
            "exit": asdict(exit_) if exit_ else None,
            "died": run.server_died,
        },
        "generator": {
            "engine": run.scenario.engine,
            "instances": [{name: value for name, value in facts.items() if name != "totals"} for facts in shards],
        },
        "sampler": {
            "sample_ms": run.scenario.sample_ms,
            "samples": sampler.samples,
            "kernel_pid": os.getpid(),
            "error": sampler.error,
        },
    }


def _server(run: _Run) -> ServerProcess | ExternalServer:
    scenario = run.scenario
    sizes = {"status_bytes": scenario.status_bytes, "bulk_bytes": scenario.bulk_bytes}
    if scenario.server_url:
        return ExternalServer(url=scenario.server_url, **sizes)
    return ServerProcess(system=scenario.server, workers=scenario.workers, log_path=run.path / "server.log", **sizes)


def _generators(run: _Run, url: str, checksums: tuple[int, int]) -> list[Callable[[], Generator]]:
    """What makes each generator: one by one, so that none is left alone if the next cannot be made."""
    scenario = run.scenario
    bodies = (scenario.status_bytes, scenario.bulk_bytes)
    target = Target(
        url=url,
        address=_look_up(url),
        keep_alive=scenario.keep_alive,
        timeout_s=scenario.timeout_s,
        body_bytes=bodies,
        checksums=checksums,
    )
    kind = GeneratorProcess if scenario.generators else KernelGenerator
    count = max(1, scenario.generators)
    return [
        partial(kind, Shard(str(run.path), instance, count, scenario.engine, scenario.plan, target, run.transport))
        for instance in range(count)
    ]


def _look_up(url: str) -> tuple[str, int]:
    """Host and port as numbers, looked up once, so that no device waits for a name server."""
    parts = urlsplit(url)
    try:
        *_, address = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ParameterError(f"server_url={url!r}: its host cannot be found ({error.strerror}); check the name.") from None
    return str(address[0]), int(address[1])


async def _watch_or_stop(
    run: _Run, server: ServerProcess | ExternalServer, generators: list[Generator], sampler: Sampler
) -> None:
    """Waits for the generators; an interrupt closes the window early, and all that was measured is kept."""
    try:
        await _watch(run, server, generators, sampler)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        _cut_short(run, generators, INTERRUPTED)
    lost = next((generator.error for generator in generators if generator.error), None)
    if lost and time.monotonic() < run.start_at + run.scenario.window_s:
        _cut_short(run, generators, lost)  # There is no other, or they all would not have ended.


async def _watch(run: _Run, server: ServerProcess | ExternalServer, generators: list[Generator], sampler: Sampler) -> None:
    next_report = time.monotonic()
    while not await _all_ended(generators, min(run.deadline, time.monotonic() + _WATCH_S)):
        now = time.monotonic()
        if now >= run.deadline:
            return
        if now >= next_report:
            next_report = now + 1.0
            _report(run, "warming up" if now < run.start_at else "measuring", generators, sampler)
        if not server.alive and run.server_died is None:
            run.server_died = f"the server ended by itself {now - run.start_at:.1f} s after the window began"
        problem = next((generator.report.problem for generator in generators if generator.report), None)
        if problem:
            _cut_short(run, generators, problem)


async def _all_ended(generators: list[Generator], until: float) -> bool:
    waiters = [asyncio.ensure_future(generator.ended.wait()) for generator in generators]
    try:
        _, pending = await asyncio.wait(waiters, timeout=max(0.0, until - time.monotonic()))
    finally:
        for waiter in waiters:
            waiter.cancel()
    return not pending


def _cut_short(run: _Run, generators: list[Generator], reason: str) -> None:
    """Closes the window early; the first reason stands."""
    if run.cut_short is not None:
        return
    run.cut_short = reason
    run.stop_at = time.monotonic() + _STOP_NOTICE_S
    for generator in generators:
        generator.stop(run.stop_at)


def _report(run: _Run, phase: RunPhase, generators: list[Generator], sampler: Sampler) -> None:
    reports = [generator.report for generator in generators if generator.report]
    run.on_progress(
        Progress(
            phase=phase,
            elapsed_s=time.monotonic() - run.start_at + run.scenario.warmup_s,
            total_s=run.scenario.warmup_s + run.scenario.window_s,
            planned=round(run.scenario.plan.polls_per_s * run.scenario.window_s),
            sent=sum(report.sent for report in reports),
            ok=sum(report.ok for report in reports),
            failed=sum(report.failed for report in reports),
            in_flight=sum(report.in_flight for report in reports),
            polls_per_s=sum(report.polls_per_s for report in reports),
            response_p50_ms=_worst([report.response_p50_ms for report in reports]),
            response_p99_ms=_worst([report.response_p99_ms for report in reports]),
            server_cores=sampler.cores("server"),
            generator_cores=sampler.cores("generator"),
        )
    )


def _worst(values: list[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _trees(server: ServerProcess | ExternalServer, generators: list[Generator], served: dict[int, int]) -> list[ProcessTree]:
    """The process groups to sample; a server that was started by somebody else is seen if it runs on this machine."""
    trees = [ProcessTree("generator", generator.shard.instance, (generator.pid,)) for generator in generators]
    if all(generator.pid != os.getpid() for generator in generators):
        trees.append(ProcessTree("kernel", 0, (os.getpid(),), descendants=False))
    elif trees:
        trees = [ProcessTree("generator", 0, (os.getpid(),), descendants=False)]
    pids = (server.main_pid,) if server.main_pid else tuple(served) if server.is_local else ()
    return [ProcessTree("server", 0, pids), *trees] if pids else trees


def _workers(before: dict[int, int], after: dict[int, int]) -> list[dict[str, int | None]]:
    """Requests served during the load by each worker; None where a worker did not answer."""
    workers: list[dict[str, int | None]] = []
    for pid in sorted(before.keys() | after.keys()):
        first, last = before.get(pid), after.get(pid)
        served = last - first if first is not None and last is not None else None
        workers.append({"pid": pid, "served_before": first, "served_after": last, "served": served})
    return workers


def _window_s(run: _Run) -> float:
    asked = run.scenario.window_s
    return asked if run.stop_at is None else min(asked, max(0.0, run.stop_at - run.start_at))


def _totals(shards: list[dict[str, Any]]) -> dict[str, int]:
    names = ("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late")
    return {name: sum(facts["totals"].get(name, 0) for facts in shards) for name in names}


def _shard_facts(generator: Generator, window_s: float) -> dict[str, Any]:
    """What a generator said of itself, or what can be said of one that was lost."""
    if generator.facts is not None:
        return generator.facts
    shard = generator.shard
    kept = salvage(shard, window_s)
    lost = generator.error or f"generator {shard.instance} did not end in time"
    return {
        "instance": shard.instance,
        "pid": generator.pid,
        "clients": len(shard.clients),
        "parts": kept.parts,
        "rows": kept.rows,
        "added_rows": kept.added_rows,
        "lost_rows": kept.lost_rows,
        "error": f"{lost}: {kept.said}",
        "totals": kept.totals,
    }


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
