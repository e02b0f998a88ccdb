"""Measure, then analyse, then store the summary: the one place that knows both sides.

`run` is a plain call everywhere. In a script it has an event loop of its own; in a notebook's kernel, where one is running
already, it nests through nest-asyncio2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import httpx

from experiments.analyse.changes import environment_differences
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.history.latest import LATEST
from experiments.analyse.summary import summarise as _summarise
from experiments.errors import KernelEndedError, ParameterError
from experiments.measure import preflight
from experiments.measure.attempt import attempt
from experiments.measure.engines.aio.own_device import Device
from experiments.measure.host import fingerprint
from experiments.measure.run import run_scenario
from experiments.measure.services.database import Database
from experiments.present.pages.tried import Trial
from experiments.progress import OnProgress, Progress, forgiving
from experiments.record import store
from experiments.record.collection import collect
from experiments.record.reading import Record, load
from experiments.scenario import Scenario
from experiments.target.hello import NAME as HELLO

T = TypeVar("T")


def run(
    scenario: Scenario,
    *,
    on_progress: OnProgress = lambda progress: None,
    transport: Callable[..., httpx.AsyncBaseTransport] | None = None,
    device: type[Device] | None = None,
) -> Record:
    """Answers a scenario: measures it, or with `run_dir` opens the record of an earlier run.

    Args:
        on_progress: called about every second with a `Progress`; what it raises becomes one warning, and the run goes on.
        transport: makes an httpx transport for a device instead of the engine's own; called with the device's number if it
            needs an argument, or names its first one `device` or `client`. A function at the top level of a module that
            generator processes can import.
        device: what a device does in a poll, where the target alone cannot say it: a class that inherits from `Device`, at
            the top level of such a module; None for the one that the scenario names. With engine httpx.

    Returns:
        The record, with its summary stored beside it. An interrupt does not raise: the record then says that it was cut
        short.

    Raises:
        LabError: see `experiments.errors`.
    """
    if scenario.run_dir:
        return summarise(load(scenario.run_dir))
    check_earlier(scenario.compare_to, strict=scenario.strict)
    loaded = scenario.load_target()
    if "clients" in scenario.model_fields_set:  # Said, so it stands.
        scenario.check_target(loaded)
        loaded.check_clients(scenario.clients)
    else:
        scenario = scenario.settled(loaded)
    scenario.check_server()
    factory = preflight.transport_name(transport)
    kind = preflight.device_name(device) or scenario.device
    preflight.check(scenario, factory, kind)
    preflight.check_transport(factory, scenario)
    preflight.check_own_device(scenario, kind)
    told = forgiving(on_progress)
    path = wait_for(run_scenario(scenario, on_progress=told, transport=factory, device=kind))
    record = load(path)
    length_s, total_s = scenario.warmup_s + record.window_s, scenario.warmup_s + scenario.window_s
    told(Progress("analysing", length_s, total_s, cut_short=str(record.cut_short or "")))
    return summarise(record)


def try_target(
    target: str | Scenario = HELLO,
    *,
    transport: Callable[..., httpx.AsyncBaseTransport] | None = None,
    device: type[Device] | None = None,
    own_only: bool = False,
    **asked: Any,
) -> Trial:
    """Asks what a target asks, once, with one device, over the transport and the checks of the load.

    Args:
        target: its name in params/targets/ or its path; or a scenario.
        transport, device: as for `run`.
        own_only: leave the article's two endpoints alone, whose answers are known.
        asked: other parameters of the run, such as `server_url`.

    Raises:
        LabError: the target cannot be tried; an answer that is not right is shown, and raises nothing.
    """
    scenario = target if isinstance(target, Scenario) else Scenario.from_parameters({"target": target, **asked})
    if scenario.run_dir or (own_only and scenario.target == HELLO):
        return Trial(None)
    factory = preflight.transport_name(transport)
    kind = preflight.device_name(device) or scenario.device
    preflight.check_device(scenario.parts.engine, kind)
    preflight.check_own_device(scenario, kind)
    preflight.check_engine(scenario.parts.engine, factory)
    preflight.check_target(scenario.load_target(), scenario.parts.engine, scenario.server_url)
    return Trial(wait_for(attempt(scenario, transport=factory, device=kind)))


def check_earlier(compare_to: str, *, strict: bool) -> None:
    """Refuses, before anything starts, what could not be compared with afterwards.

    Raises:
        RecordError: there is no run at `compare_to`.
        ParameterError: `strict`, and it was measured in another environment.
    """
    if compare_to in ("", LATEST):
        return
    before = collect(compare_to)[0].started["environment"]
    if strict and (differences := environment_differences(before, fingerprint.fingerprint())):
        raise ParameterError(
            f"compare_to={compare_to!r} with strict: the environment is not the same ({'; '.join(differences)}); "
            "measure the earlier one again here, or compare without strict."
        )


def check_databases(scenarios: Iterable[Scenario]) -> None:
    """Refuses, before many runs start, what each of them would be refused for: a database that is away, or too small.

    Raises:
        ParameterError: why it cannot be used.
    """
    asked = {(one.database_url, one.workers, one.db_connections): one for one in scenarios if one.database_url}
    for scenario in asked.values():
        wait_for(_look_at_database(scenario))


async def _look_at_database(scenario: Scenario) -> None:
    database = await Database.open(scenario)
    if database is not None:
        await database.close()


def summarise(record: Record) -> Record:
    """Makes summary.json and clients.parquet anew from the record; a record in a place without write access stays as it is.

    Raises:
        RecordError: the record cannot be read.
    """
    evidence = Evidence(record)
    summary, clients = _summarise(record, evidence), evidence.digest.by_client.table()
    # Whoever shows a record without a summary works it out again, so a disk that is full or read-only is no obstacle.
    with suppress(OSError):
        store.write_json(record.path / "summary.json", summary)
        store.write_table(record.path / "clients.parquet", clients)
    return record


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end from plain code, in a script or in a notebook's kernel.

    Raises:
        KernelEndedError: the kernel was told to end before.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner() as runner:
            return runner.run(coroutine)
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        # The interrupt fell into the loop itself or into another task: the run must hear of it too.
        task.cancel()
        return loop.run_until_complete(task)
    except RuntimeError:
        if task.done():  # It is the run's own.
            raise
        raise KernelEndedError(
            "the kernel was told to end while this step ran, as papermill does when --execution-timeout is over, and "
            "JupyterLab when it is restarted; what the run had written until then is kept."
        ) from None
