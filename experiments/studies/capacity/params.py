"""What a capacity search is asked: parameters, checked before anything starts.

The parameters of a run, but for the number of devices, and those of the search -> `Asked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field

from experiments.analyse import service_level
from experiments.analyse.service_level import Level
from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.measure.engines.aio.own_device import paced
from experiments.parameters import built
from experiments.record.reading import Record
from experiments.runner import check_databases, check_earlier
from experiments.scenario import Scenario
from experiments.studies import params
from experiments.studies.capacity.search import Rules
from experiments.studies.params import NO_RECORDS, Counts, Id, StudyParams, giving_way, number
from experiments.target.hello import NAME as HELLO

Sorted = Annotated[Counts, AfterValidator(lambda counts: tuple(sorted(counts)))]
Devices = Annotated[int, number(1, 1_000_000)]
FEWEST = 1_050
"""Polls for which a p99 is surely supported: 1,000, and some more because a window holds a few more or less by chance."""

USUAL_MS = {"status": 100.0, "bulk": 250.0}
"""Limits of the article's two endpoints in `capacity.ipynb` and `params/capacity.yaml`: of a target that says its own, they
give way to these."""


class Own(StudyParams):
    """What is asked of a search and not of its cells."""

    kind = "capacity"
    called = "capacity search"
    of_runs = (
        *("target", "server", "server_url", "allow_remote"),
        *("interval_ms", "minutes", "ratio", "status_bytes", "bulk_bytes", "warmup_s", "phase", "pacing"),
        *("keep_alive", "timeout_s", "engine", "device", "generators", "seed", "sample_ms"),
        *("workload", "database_url", "db_delay_ms", "db_connections"),
        *("slo_status_p99_ms", "slo_bulk_p99_ms", "slo_failure_pct", "slo_devices_pct"),
    )

    workers: Sorted = Field(description="worker processes of the server, several separated by commas")
    smallest: Devices = Field(description="devices to begin with")
    largest: Devices = Field(description="devices beyond which nothing is measured")
    step_pct: Annotated[float, number(0.1, 50)] = Field(description="percent to which the edge is narrowed down")
    confirmations: Annotated[int, number(1, 100)] = Field(description="runs at the answer, and as many a step above")
    suspect_counts: bool = Field(description="a suspect run is evidence, and named; False: measured again")
    closed_loop: Sorted = Field(description="devices of the closed-loop cells for the scalability law; empty: none")
    capacity_id: Id = Field("", description="name of the folder; that of an earlier start goes on with it")
    capacity_dir: str = Field("", description="show this earlier search instead of measuring")
    max_hours: Annotated[float, number(0.0001, 24 * 365)] = Field(1.0, description="nothing is begun that would end later")
    compare_to: str = Field("", description="earlier search to compare with, or latest")
    margin_pct: float = Field(10.0, ge=0, le=1000, description="percent; what is worse by more is a regression")


_BUDGET = {"results_dir", "cool_down_s", "max_hours", "strict", "capacity_id", "capacity_dir", "compare_to", "margin_pct"}
"""What is no part of the question."""
_NEW_RUNS = "new runs"


@dataclass(frozen=True)
class Asked(params.Asked):
    """A search, checked."""

    own: Own
    base: Scenario
    """Of the smallest load."""
    anew: bool = True
    """Whether new runs confirm; see `Rules`."""
    target: Mapping[str, Any] | None = None
    """As a record has it; None for the article's two endpoints."""

    params: ClassVar[type[StudyParams]] = Own

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks the parameters.

        Raises:
            ParameterError: one sentence of what is wrong.
            RecordError: there is nothing at `compare_to`.
        """
        asked = cls._of(giving_way(given, USUAL_MS))
        if asked.base.target != HELLO:
            told = asked.base.load_target().shown()
            plan = paced(asked.base.plan, asked.base.device)
            asked = replace(asked, base=asked.base.knowing(plan), target=told)
        for count in asked.workers:
            # Both ends are checked now: what the largest load cannot be asked for is not found out after an hour.
            asked.at(asked.rules.largest, count).check_server()
        params.check_target(asked.base)
        asked.check_level()
        preflight.check(asked.base)
        check_earlier(asked.own.compare_to, strict=asked.own.strict)
        check_databases(asked.base.model_copy(update={"workers": count}) for count in asked.workers)
        return asked

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier search was asked, which may have been on another machine."""
        own = {name: now[name] for name in _BUDGET & now.keys()}
        asked = cls._of({**plan, **own}, anew=plan.get("confirmed_by") == _NEW_RUNS)
        if asked.base.target == HELLO:
            return asked
        if (record := records.get(asked.base.target)) is None:
            return replace(asked, target=asked.base.load_target().shown())
        return replace(asked, base=asked.base.knowing(record.plan), target=record.target)

    @classmethod
    def _of(cls, given: Mapping[str, Any], *, anew: bool = True) -> Self:
        """What can be asked anywhere; whether it can be measured here is another matter."""
        own = Own.of(given)
        if own.largest < own.smallest:
            raise ParameterError(f"largest={own.largest} is below smallest={own.smallest}: the search goes up from the one.")
        if not own.workers:
            raise ParameterError("workers is empty: give a number, or several like '1,2'.")
        return cls(own, Own.run(given, clients=own.smallest), anew)

    @property
    def rules(self) -> Rules:
        """How far and how finely to search."""
        own = self.own
        return Rules(own.smallest, own.largest, own.step_pct, own.confirmations, self.anew)

    @property
    def workers(self) -> tuple[int, ...]:
        """Worker counts, each searched by itself."""
        return self.own.workers

    @property
    def systems(self) -> tuple[str, ...]:
        """The one that is searched."""
        return (self.base.measured,)

    def at(self, clients: int, workers: int, **changes: Any) -> Scenario:
        """The scenario of a load, with other changes if need be."""
        own = {"clients": clients, "workers": workers, "results_dir": "", "run_id": "", **changes}
        # Not a dump, which has no password.
        made = built(Scenario, dict(self.base) | own)
        return made if self.target is None else made.knowing(self.base.plan)

    @property
    def levels(self) -> dict[str, Level]:
        """What is asked of every endpoint, in the target's order."""
        return service_level.levels(self.base, self.base.plan.endpoints, self.target)

    def check_level(self) -> None:
        """Refuses a search without an aim, or one whose smallest load has too few polls to tell.

        Raises:
            ParameterError: says which polls are too few, and how many devices or minutes would do.
        """
        base, asked = self.base, self.levels
        failures = [level.failure_pct for level in asked.values() if level.failure_pct is not None]
        if not any(level.p99_ms for level in asked.values()) and min([*failures, base.slo_failure_pct]) >= 100:
            raise ParameterError(
                "there is no service level to search within: set slo_status_p99_ms, slo_bulk_p99_ms or slo_failure_pct."
            )
        for name, rate in base.plan.rates.items():
            polls = rate * base.window_s
            if asked[name].p99_ms and polls < FEWEST:
                raise ParameterError(
                    f"smallest={base.clients}: {polls:,.0f} polls of {name} in {base.window_s:g} s are too few for a p99, "
                    f"about {FEWEST:,} are needed: {_enough(base.clients, polls)}."
                )

    @property
    def plan(self) -> dict[str, Any]:
        """What must be the same for a search to be gone on with; the budget need not."""
        base = self.base.model_dump(include={*Own.of_runs} - self.base.unused)
        own = self.own.model_dump(exclude=_BUDGET, mode="json")
        return {"kind": Own.kind, **base, **own, **({"confirmed_by": _NEW_RUNS} if self.anew else {})}


def _enough(clients: int, polls: float) -> str:
    if not polls:
        return "the ratio never asks for it, so set no limit for it"
    return f"begin with smallest={int(clients * FEWEST / polls) + 1}, or measure longer"
