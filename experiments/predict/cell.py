"""One measured cell, reduced to what predictions rest on.

Record -> rates, cores, and the responses of its polls. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from experiments.analyse.checks.evidence import Evidence, number
from experiments.predict import speed
from experiments.predict.demand import Usage
from experiments.record.reading import Record
from experiments.record.schema import ENDPOINTS
from experiments.scenario import Scenario
from experiments.schedule import Plan


@dataclass(frozen=True)
class Cell:
    """What is known of one load."""

    scenario: Scenario
    server: Usage
    generator: Usage
    responses: dict[str, pl.Series]
    """By endpoint, in seconds, in no order."""
    cores: int
    """Of the machine; 0 where the record does not say."""
    others_cores: float
    """What neither server, generators nor this kernel used."""
    busy_cores: float
    """Of the whole machine, this kernel included."""
    server_rss_bytes: int | None
    slowness: tuple[float, ...] = ()
    """See `speed`."""
    cannot: str = ""
    """Why nothing can be foretold from it; see the function."""

    @property
    def load(self) -> float:
        """Share of the time in which a worker was busy, 0-1."""
        return self.server.load


def cannot(plan: Plan) -> str:
    """Why nothing can be foretold of the polls of a plan, in one sentence; empty where something can."""
    plain = len(plan.clocks) == 1 and not (plan.clocks[0].told or plan.shifts or plan.ramp_up_s)
    if plan.endpoints == ENDPOINTS and plain:
        return ""
    return (
        "Nothing is foretold of this target: a forecast knows two endpoints with constant answers in the rounds of one "
        "interval, and no others; what it would say is measured instead."
    )


def read(record: Record) -> Cell | None:
    """The cell of a record; None where the processes' CPU could not be seen, or nothing was answered."""
    evidence = Evidence(record)
    costs, scenario = evidence.costs, record.scenario
    if costs.server_cores is None or not costs.generator_cores or costs.seconds <= 0:
        return None
    answered = evidence.all_counts.filter(pl.col("status") > 0)
    # Costs are told apart for two endpoints; of more, all polls together are what is known.
    names = record.endpoints
    whole = number(answered, of="done_covered")
    if not whole:
        return None
    bulk = number(answered, pl.col("endpoint") == names[1], "done_covered") if len(names) == 2 else 0
    bulk_per_s, status_per_s = bulk / costs.seconds, (whole - bulk) / costs.seconds
    return Cell(
        scenario=scenario,
        server=Usage(status_per_s, bulk_per_s, costs.server_cores, scenario.workers),
        generator=Usage(status_per_s, bulk_per_s, sum(costs.generator_cores.values()), len(costs.generator_cores)),
        responses={name: evidence.digest.times[name, "response"].singly for name in names},
        cores=int(record.started.get("environment", {}).get("cores") or 0),
        others_cores=costs.others_cores or 0.0,
        busy_cores=costs.busy_cores or 0.0,
        server_rss_bytes=costs.server_rss_peak_bytes,
        slowness=speed.slowness(evidence),
        cannot=cannot(record.plan),
    )
