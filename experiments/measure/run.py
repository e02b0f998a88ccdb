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
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.beside import System
from experiments.errors import ParameterError
from experiments.measure import before, interrupts, manifest, preflight, room, supervise
from experiments.measure.engines import sources
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.subprocess import Generator, GeneratorProcess, KernelGenerator
from experiments.measure.host import fingerprint
from experiments.measure.host.allowance import Allowance
from experiments.measure.interrupts import undisturbed
from experiments.measure.manifest import Served
from experiments.measure.precheck import Precheck
from experiments.measure.run_state import RunState
from experiments.measure.sampler import ProcessTree, Sampler, spaced_ms
from experiments.measure.servers import variants
from experiments.measure.servers.variants import Variant
from experiments.measure.services.database import Database
from experiments.measure.services.redis import RunRedis
from experiments.measure.watched import Watched, home, log_path, make
from experiments.progress import OnProgress, Progress, forgiving
from experiments.record import schema, store
from experiments.scenario import Scenario
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded

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
    targets = scenario.load_targets()
    with interrupts.as_cancellation():
        # A stack, so that one that cannot be closed keeps none of the others open.
        async with AsyncExitStack() as opened:
            if (fleet := await _fleet(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(fleet.leave()))
            if (database := await Database.open(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(database.close()))
            if (redis := await RunRedis.open(scenario)) is not None:
                opened.push_async_callback(lambda: undisturbed(redis.close()))
            made = [await _variant(scenario, number, targets[number], opened) for number in range(len(targets))]
            path = store.create(scenario.results_dir, scenario.run_id, scenario.short_hash)
            through = "" if scenario.dask_scheduler else transport
            prechecks = [Precheck(loaded, scenario.parts.load, through, device) for loaded in targets]
            told = forgiving(on_progress)
            state = RunState(scenario, path, told, transport, prechecks, fleet, database, redis, device, made)
            return await _run(state)


async def _variant(scenario: Scenario, number: int, loaded: Loaded, opened: AsyncExitStack) -> Variant:
    """How a server of the run is started; what is made for it is removed in the end."""
    said = scenario.systems[number]
    variant = await asyncio.to_thread(variants.make, said, home(scenario, said, loaded))
    opened.push_async_callback(lambda: undisturbed(asyncio.to_thread(variant.close)))
    return variant


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
        "target": run.prechecks[0].loaded.shown(),
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
    for number, said in enumerate(run.scenario.systems):
        watched = _watched(run, number, said)
        cleanup.push_async_callback(watched.server.stop)
        run.servers.append(watched)
        await watched.server.start()
        watched.headers = await before.verify(run, watched)
        await before.open_metrics(watched)
    generators: list[Generator] = []
    for begin in _generators(run):
        generators.append(begin())
        cleanup.push_async_callback(generators[-1].close)
    await supervise.prepare(run, generators)
    for watched in run.servers:  # Not before: machines of a fleet ask the server whether they reach it.
        watched.served_before = await watched.server.served()

    warmup_from = time.monotonic() + max(generator.notice_s for generator in generators)
    run.start_at = warmup_from + run.scenario.warmup_s
    arrivals = run.fleet.samples if run.fleet else queue.SimpleQueue()
    for watched in run.servers:
        await before.find(watched)
        before.sample_metrics(run, watched, arrivals, cleanup)
    trees, borders = _trees(run, generators), run.plan.borders(run.scenario.window_s)
    sampler = Sampler(run.path, spaced_ms(run.scenario), trees, run.start_at, arrivals, borders=borders)
    sampler.start()
    cleanup.callback(sampler.stop)
    for generator in generators:
        generator.start(run.start_at)
    run.started["window_started_at"] = utc_at(run.start_at)
    store.amend(run.path, run.started)
    await supervise.watch(run, generators, sampler)
    return await undisturbed(_finish(run, generators, sampler))


async def _finish(run: RunState, generators: list[Generator], sampler: Sampler) -> dict[str, Any]:
    """Ends everything and gathers the facts."""
    await supervise.all_ended(generators, run.deadline)
    supervise.report(run, "finishing", generators, sampler)
    for watched in run.servers:
        if watched.metrics_sampler is not None:  # Its last sample goes into the table that the sampler saves when it stops.
            await asyncio.to_thread(watched.metrics_sampler.stop)
    sampler.stop()
    for watched in run.servers:
        await before.look(watched)
    served_after = [await watched.server.served() for watched in run.servers]
    pids_at_end = [sorted(watched.server.worker_pids()) for watched in run.servers]
    for generator in generators:
        await generator.close()
    exits = [await watched.server.stop() for watched in run.servers]
    served = [Served(*one) for one in zip(served_after, pids_at_end, exits, strict=True)]
    if run.database is not None:
        await run.database.finish()
    if run.redis is not None:
        await run.redis.finish()
    return {"ended_at": utc_now()} | await manifest.gather(run, served, generators, sampler)


def _watched(run: RunState, number: int, said: System) -> Watched:
    """A server of the run, not started yet."""
    scenario, precheck = run.scenario, run.prechecks[number]
    server = make(
        scenario,
        said,
        url=said.url or ("" if number else scenario.server_url),
        precheck=precheck,
        log=log_path(run.path, number),
        polled=run.plan.ever_polled,
        variant=run.variants[number],
        environment=run.database.environment if run.database else None,
    )
    return Watched(number, scenario.names[number], said, precheck, server)


def _generators(run: RunState) -> list[Callable[[], Generator]]:
    """What makes each generator: one by one, so that none is left alone if the next cannot be made."""
    scenario = run.scenario
    targets = [_asked(run, watched) for watched in run.servers]
    run.sources = targets[0].sources
    target = replace(targets[0], beside=tuple(targets[1:]))
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


def _asked(run: RunState, watched: Watched) -> Target:
    """A server, as a device sees it."""
    server, hello, engine = watched.server, (watched.said.target or run.scenario.target) == HELLO, run.scenario.parts.engine
    chosen: tuple[str, ...] = ()
    if preflight.has_own_connections(engine, run.transport):
        chosen = sources.chosen(engine.source_addresses, run.scenario.clients, server.address[0])
    return Target.of(
        watched.precheck.loaded,
        server.url,
        server.address,
        keep_alive=run.scenario.keep_alive,
        timeout_s=run.scenario.timeout_s,
        first=dict(zip(schema.ENDPOINTS, server.checksums, strict=True)) if hello else None,
        sources=chosen,
    )


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
    servers = [
        ProcessTree("server", watched.number, watched.owner.pids, allowance=watched.allowance)
        for watched in run.servers
        if watched.owner.pids
    ]
    return servers + trees


def utc_now() -> str:
    return _written(datetime.now(UTC))


def utc_at(instant: float) -> str:
    """The time of day, as this machine's clock has it now, of an instant on the monotonic clock."""
    return _written(datetime.now(UTC) + timedelta(seconds=instant - time.monotonic()))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
