"""What grows with the number of devices: the memory of a generator, and its lag.

Against nginx, so that the generator is what reaches its limit, with one generator process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from experiments.analyse.instrument import Memory, Step
from experiments.errors import GeneratorError, ParameterError
from experiments.present.format import number
from experiments.runner import run
from experiments.studies.calibrate.cost import own
from experiments.studies.calibrate.cost.load import Load
from experiments.studies.calibrate.cost.targets import nginx
from experiments.studies.calibrate.trial import Say

LAG_P99_MS = 5.0
"""Up to here a generator carries its devices; the limit of the verdict's own check."""
STEPS = (500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 10_000, 12_000, 15_000, 18_000)
"""Devices, tried one after the other."""
_ATTEMPTS = 2
STEP_S = 12.0
MEMORY_S = 24.0
"""About how long a step and a figure of memory take, for estimates."""

_FEW, _MANY = 200, 2000
_CALM = Load("memory", "nginx", "random", "1:0", interval_ms=5000, seconds=3.0)
"""So seldom that rows and answers under way weigh nothing: what is left is the device itself."""
_CROWD = Load("devices", "nginx", "random", "1:0", settle_s=2.5, seconds=6.0)


def memory(engine: str, folder: Path, say: Say) -> Memory:
    """Resident memory of a generator with few and with many devices, all connected.

    Raises:
        LabError: a run could not be carried out.
    """
    say(f"memory per device, {engine}")
    few, many = (_rss(engine, clients, folder) for clients in (_FEW, _MANY))
    return Memory(engine=engine, few=_FEW, many=_MANY, few_rss_bytes=few, many_rss_bytes=many)


def _rss(engine: str, clients: int, folder: Path) -> int:
    load = replace(_CALM, clients=clients)
    with nginx(folder) as target:
        record = run(own.scenario(engine, load, target, folder, sample_ms=250.0))
    samples = record.resources().filter((pl.col("group") == "generator") & pl.col("t_s").is_between(0, load.seconds))
    if samples.is_empty():
        raise GeneratorError(f"run {record.run_id} has no sample of its generator's memory.")
    return int(samples["rss_bytes"][-1])


def devices(engine: str, folder: Path, say: Say) -> Iterator[Step]:
    """More and more devices until the first number that one generator does not carry, given two attempts.

    Two, since whatever else runs on the machine can only make a generator later, never earlier. Both are steps.

    Raises:
        LabError: a run could not be carried out.
    """
    for clients in STEPS:
        for _ in range(_ATTEMPTS):
            say(f"devices that one generator carries, {engine}: {clients:,}")
            try:
                step = _step(engine, clients, folder)
            except ParameterError as error:
                say(f"{error}")  # The machine's limit is met before the engine's.
                return
            say(f"lag p99 {number(step.lag_p99_ms)} ms, {step.cpu_us_per_poll:.0f} us per poll, {step.unsent} unsent")
            yield step
            if step.held:
                break
        else:
            return


def _step(engine: str, clients: int, folder: Path) -> Step:
    load = replace(_CROWD, clients=clients)
    with nginx(folder) as target:
        record = run(own.scenario(engine, load, target, folder))
    summary = record.summary()
    lag, status = summary["generator"]["lag_ms"], summary["endpoints"]["status"]
    unsent = status["unsent_late"] + status["unsent_busy"]
    return Step(
        engine=engine,
        clients=clients,
        polls_per_s=summary["load"]["polls_per_s_answered"],
        lag_p50_ms=lag["p50"],
        lag_p99_ms=lag["p99"],
        unsent=unsent,
        failed=status["failed"],
        cpu_us_per_poll=own.cpu_us_per_poll(record, summary),
        held=carried(lag["p99"], status["planned"], unsent + status["failed"]),
    )


def carried(lag_p99_ms: float | None, planned: int, lost: int) -> bool:
    """Whether a generator carried its devices: little lag, and at most a poll of a thousand unsent or failed."""
    return lag_p99_ms is not None and lag_p99_ms <= LAG_P99_MS and lost <= planned / 1000
