"""An engine of the lab under a load: one run, and what its own record says of its cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.analyse import resources
from experiments.analyse.instrument import Cost
from experiments.errors import GeneratorError
from experiments.record.reading import Record
from experiments.runner import run
from experiments.scenario import Scenario
from experiments.studies.calibrate.cost.load import Load
from experiments.studies.calibrate.cost.targets import Target
from experiments.studies.calibrate.trial import CAUSES, judged


def measure(engine: str, load: Load, target: Target, folder: Path, round_: int) -> Cost:
    """Runs one generator under the load.

    Raises:
        LabError: the run could not be carried out.
    """
    record = run(scenario(engine, load, target, folder, seed=round_))
    summary = record.summary()
    verdict, bad = judged(record)
    status = summary["endpoints"]["status"]
    ends = summary["endpoints"].values()
    planned = sum(end["planned"] for end in ends)
    return Cost(
        round=round_,
        load=load.name,
        target=load.target,
        contender=engine,
        cpu_us_per_poll=cpu_us_per_poll(record, summary),
        polls_per_s=summary["load"]["polls_per_s_answered"],
        failed=sum(end["failed"] for end in ends),
        lag_p50_ms=summary["generator"]["lag_ms"]["p50"],
        lag_p99_ms=summary["generator"]["lag_ms"]["p99"],
        response_p50_ms=status["response_ms"]["p50"],
        unsent_late_pct=100 * sum(end["unsent_late"] for end in ends) / planned if planned else None,
        verdict=verdict,
        disturbed_by=" and ".join(sorted(bad.keys() & CAUSES)),
        run_id=record.run_id,
    )


def scenario(engine: str, load: Load, target: Target, folder: Path, **changes: Any) -> Scenario:
    """One generator process of this engine under the load.

    Raises:
        ParameterError: this machine cannot do it.
    """
    asked = {"engine": engine, "generators": 1, "server_url": target.url, "results_dir": str(folder)}
    return Scenario.from_parameters(load.scenario(**asked | changes))


def cpu_us_per_poll(record: Record, summary: dict[str, Any]) -> float:
    """CPU of the generator in the measured window by the polls answered in it, as for the peers.

    The summary's own `cpu_us_per_poll` divides by what was sent.

    Raises:
        GeneratorError: nothing was answered, or nothing sampled.
    """
    answered = summary["load"]["polls_per_s_answered"]
    cores = resources.costs(record).generator_cores.values()
    if not answered or not cores:
        raise GeneratorError(f"run {record.run_id} has no CPU per poll: nothing was answered, or nothing was sampled.")
    return float(1e6 * sum(cores) / answered)
