"""One run from start to seal: server, sampler and generators are started, watched and ended, and the record is written.

Scenario in, path of the run directory out. Nothing here carries load (unless `generators=0` asks for it) and nothing here
judges. Whatever happens, what was started is ended and what was measured is kept.
"""

from __future__ import annotations

import asyncio
import os
import queue
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from experiments.errors import ParameterError
from experiments.measure import before, interrupts, manifest, preflight, room, supervise
from experiments.measure.engines import sources
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.subprocess import Generator, GeneratorProcess, KernelGenerator
from experiments.measure.host import fingerprint, network, port_owner
from experiments.measure.host.allowance import Allowance
from experiments.measure.interrupts import undisturbed
from experiments.measure.manifest import Served
from experiments.measure.precheck import Precheck
from experiments.measure.run_state import RunState
from experiments.measure.sampler import ProcessTree, Sampler
from experiments.measure.servers import own
from experiments.measure.servers.address import port_of
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.services.database import Database
from experiments.measure.services.redis import RunRedis
from experiments.progress import OnProgress, Progress, forgiving
from experiments.record import schema, store
from experiments.scenario import Scenario
from experiments.target.hello import NAME as HELLO

if TYPE_CHECKING:
    from experiments.measure.generators.dask.cluster import Fleet


async def run_scenario(
    scenario: Scenario, *, on_progress: OnProgress = lambda progress: None, transport: str = "", device: str = ""
) -> Path:
    """Measures a scenario.

    Args:
        on_progress: called about every second.
        transport: `module:name` of a callable that makes an `httpx.AsyncBaseTransport` for a device, instead of ours.
        device: `module:name` of a user's class of devices.

    Returns:
        The run directory. A run that was cut short is sealed too, and says why.

    Raises:
        ParameterError: a fleet, database or Redis that it needs is not there; nothing was started.
        ServerStartError: the server did not become ready.
        ServerContractError: the server does not answer what is to be measured.
        GeneratorError: a generator did not come up.
        RecordError: the record cannot be begun, or not be completed; the sentence says what was kept.
        KeyboardInterrupt: the experimenter interrupted before the load began.
    """
    loaded = scenario.load_target()
    with interrupts.as_cancellation():
        # A stack, so that one that cannot be closed keeps none of the others open.
        async with AsyncExitStack() as opened:
            if (fleet := await _fleet(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(fleet.leave()))
            if (database := await Database.open(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(database.close()))
            if (redis := await RunRedis.open(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(redis.close()))
            path = store.create(scenario.results_dir, scenario.run_id, scenario.short_hash)
            precheck = Precheck(loaded, scenario.parts.load, "" if scenario.dask_scheduler else transport, device)
            told = forgiving(on_progress)
            state = RunState(scenario, path, told, transport, precheck, fleet, database, redis, device=device)
            return await _run(state)


async def _fleet(scenario: Scenario) -> Fleet | None:
    if not scenario.dask_scheduler:
        return None
    try:
        from experiments.measure.generators.dask.cluster import Fleet
    except ModuleNotFoundError:
        raise ParameterError(
            f"dask_scheduler={scenario.dask_scheduler!r} needs Dask, which is not installed here: pip install -e '.[fleet]'."
        ) from None
    return await Fleet.join(scenario)


async def _run(run: RunState) -> Path:
    scenario = run.scenario
    run.started = {
        "schema_version": schema.SCHEMA_VERSION,
        "run_id": run.path.name,
        "started_at": utc_now(),
        "endpoints": list(run.plan.endpoints),
        "plan": asdict(run.plan),
        "target": run.precheck.loaded.shown(),
        # Where results and machines are is nobody's business, and no part of the question.
        "scenario": scenario.model_dump(exclude={"results_dir", "run_dir", "compare_to", "dask_scheduler"}),
        "environment": fingerprint.fingerprint() | {"calibration": fingerprint.certificate(run.path.parent)},
    }
    store.begin(run.path, run.started, last_bytes=room.run_json_bytes(scenario))
    run.on_progress(Progress("starting", 0.0, scenario.warmup_s + scenario.window_s, run_dir=str(run.path)))
    cleanup = AsyncExitStack()
    try:
        facts = await _measure(run, cleanup)
    finally:
        await undisturbed(cleanup.aclose())
    store.seal(run.path, run.started | facts)
    return run.path


async def _measure(run: RunState, cleanup: AsyncExitStack) -> dict[str, Any]:
    """Starts everything, lets it run and gathers the facts; `cleanup` ends what is still alive."""
    if run.database is not None:
        await run.database.prepare(run.path)
    server = _server(run)
    cleanup.push_async_callback(server.stop)
    await server.start()
    headers = await before.verify(run, server)
    await before.open_metrics(run)
    generators: list[Generator] = []
    for make in _generators(run, server):
        generators.append(make())
        cleanup.push_async_callback(generators[-1].close)
    await supervise.prepare(run, generators)
    served_before = await server.served()  # Not before: machines of a fleet ask the server whether they reach it.

    warmup_from = time.monotonic() + max(generator.notice_s for generator in generators)
    run.start_at = warmup_from + run.scenario.warmup_s
    arrivals = run.fleet.samples if run.fleet else queue.SimpleQueue()
    run.owner = await asyncio.to_thread(before.owner, server, {*served_before}, run.precheck.loaded)
    await before.look(run, server)
    before.sample_metrics(run, arrivals, cleanup)
    if run.owner.pids:
        run.backlog = _backlog(server.url)
        run.allowance = Allowance.of(run.owner.pids[0])
    trees = _trees(run, generators)
    sampler = Sampler(run.path, run.scenario.sample_ms, trees, run.start_at, arrivals)
    sampler.start()
    cleanup.callback(sampler.stop)
    for generator in generators:
        generator.start(run.start_at)
    run.started["window_started_at"] = utc_at(run.start_at)
    store.amend(run.path, run.started)
    await supervise.watch(run, server, generators, sampler)
    return await undisturbed(_finish(run, server, generators, sampler, headers=headers, served_before=served_before))


async def _finish(
    run: RunState,
    server: ServerProcess | ExternalServer,
    generators: list[Generator],
    sampler: Sampler,
    *,
    headers: dict[str, dict[str, str]],
    served_before: dict[int, int],
) -> dict[str, Any]:
    """Ends everything and gathers the facts."""
    await supervise.all_ended(generators, run.deadline)
    supervise.report(run, "finishing", generators, sampler)
    if run.metrics_sampler is not None:  # Its last sample goes into the table that the sampler saves when it stops.
        await asyncio.to_thread(run.metrics_sampler.stop)
    sampler.stop()
    await before.look(run, server)
    served_after = await server.served()
    pids_at_end = sorted(server.worker_pids())
    for generator in generators:
        await generator.close()
    served = Served(headers, served_before, served_after, pids_at_end, await server.stop())
    if run.database is not None:
        await run.database.finish()
    if run.redis is not None:
        await run.redis.finish()
    return {"ended_at": utc_now()} | await manifest.gather(run, server, served, generators, sampler)


def _server(run: RunState) -> ServerProcess | ExternalServer:
    scenario = run.scenario
    sizes = {"status_bytes": scenario.status_bytes, "bulk_bytes": scenario.bulk_bytes}
    if scenario.target != HELLO:
        asked = run.precheck
        return own.server(
            asked.loaded,
            url=scenario.server_url,
            workers=scenario.workers,
            log_path=run.path / "server.log",
            ready=asked.ready,
        )
    polled = run.plan.ever_polled
    if scenario.server_url:
        return ExternalServer(url=scenario.server_url, polled=polled, **sizes)
    return ServerProcess(
        system=scenario.server,
        workers=scenario.workers,
        log_path=run.path / "server.log",
        environment=run.database.environment if run.database else None,
        polled=polled,
        **sizes,
    )


def _generators(run: RunState, server: ServerProcess | ExternalServer) -> list[Callable[[], Generator]]:
    """What makes each generator: one by one, so that none is left alone if the next cannot be made."""
    scenario = run.scenario
    if preflight.has_own_connections(scenario.parts.engine, run.transport):
        run.sources = sources.chosen(scenario.parts.engine.source_addresses, scenario.clients, server.address[0])
    known = dict(zip(schema.ENDPOINTS, server.checksums, strict=True)) if scenario.target == HELLO else None
    target = Target.of(
        run.precheck.loaded,
        server.url,
        server.address,
        keep_alive=scenario.keep_alive,
        timeout_s=scenario.timeout_s,
        first=known,
        sources=run.sources,
    )
    count = max(1, scenario.generators)
    redis_counters = run.redis.counters(run.path.name) if run.redis else None
    shards = [
        Shard(str(run.path), instance, count, scenario.engine, run.plan, target, run.transport, redis_counters, run.device)
        for instance in range(count)
    ]
    if run.fleet is not None:
        return [partial(run.fleet.generator, shard) for shard in shards]
    kind = GeneratorProcess if scenario.generators else KernelGenerator
    return [partial(kind, shard) for shard in shards]


def _backlog(url: str) -> int | None:
    """How many connections may wait to be accepted; None where the socket is not seen from here."""
    parts = urlsplit(url)
    addresses = port_owner.addresses(parts.hostname or "")
    return network.backlog(addresses | port_owner.ANY, port_of(url))


def _trees(run: RunState, generators: list[Generator]) -> list[ProcessTree]:
    """The process groups to sample."""
    trees = [tree for generator in generators for tree in generator.trees]
    if not any(os.getpid() in tree.pids for tree in trees):
        trees.append(ProcessTree("kernel", 0, (os.getpid(),), descendants=False))
    for tree in trees:
        if os.getpid() in tree.pids:  # Generators are started from here, and share its quota.
            tree.allowance = Allowance.of(os.getpid())
    if run.database is not None and (pid := run.database.facts.get("main_pid")):
        trees.append(ProcessTree("database", 0, (pid,)))
    return [ProcessTree("server", 0, run.owner.pids, allowance=run.allowance), *trees] if run.owner.pids else trees


def utc_now() -> str:
    return _written(datetime.now(UTC))


def utc_at(instant: float) -> str:
    """The time of day, as this machine's clock has it now, of an instant on the monotonic clock."""
    return _written(datetime.now(UTC) + timedelta(seconds=instant - time.monotonic()))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
