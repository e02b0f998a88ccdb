"""What a comparison is asked: parameters, checked before anything starts.

The parameters that all runs have in common, and those of the comparison -> `Asked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.parameters import built, listed, nearest, text
from experiments.record.reading import Record
from experiments.runner import check_databases
from experiments.scenario import Scenario
from experiments.studies import params
from experiments.studies.compare import three_clients
from experiments.studies.compare.own import alone, slug, slugs
from experiments.studies.params import NO_RECORDS, Counts, Id, Names, StudyParams, several
from experiments.target.hello import NAME as HELLO
from server import catalogue

FALCON = "falcon"
"""What every system is held against."""
SYSTEMS = {name: system for name, system in catalogue.SYSTEMS.items() if system.comparison != "instrument"}
"""What can be compared, in the order in which it is shown."""

_SOME_POSTGRESQL = "postgresql://127.0.0.1/earlier"
"""Stands for the address of an earlier comparison's database, which is not kept; nothing connects to it."""


class Own(StudyParams):
    """What is asked of the comparison and not of its runs."""

    kind = "compare"
    called = "comparison"
    of_runs = (
        *("target", "device"),
        *("interval_ms", "minutes", "ratio", "status_bytes", "bulk_bytes", "workers", "warmup_s", "phase", "keep_alive"),
        *("timeout_s", "engine", "generators", "seed", "sample_ms", "database_url"),
    )

    systems: Names = Field(
        description="names from server/catalogue.py separated by commas, or all; of another target what stands beside it"
    )
    workloads: Annotated[tuple[catalogue.Workload, ...], BeforeValidator(several)] = Field(
        description="static, database, or both separated by commas"
    )
    loads: Counts = Field(description="devices of the static workload, several loads separated by commas")
    database_clients: int = Field(ge=1, le=100_000, description="devices of the database workload")
    duet_minutes: float = Field(
        1.0, ge=0, le=24 * 60, description="minutes that each system is polled at once with its counterpart; 0: one by one"
    )
    blocks: int = Field(ge=1, le=100, description="how often every system is measured; 5 or more for intervals")
    falcon_runs: int = Field(ge=0, le=1000, description="runs of Falcon in all; 30 that count tell the method's error rate")
    memory_clients: int = Field(ge=0, le=100_000, description="connections of a run for memory per connection; 0: none")
    capacity_systems: Names = Field(description="systems whose capacity is searched; empty: none")
    serial: bool = Field(description="show whether requests that wait for a database wait for one another")
    three_clients: int = Field(ge=0, le=100_000, description="devices of the section on three clients; 0: none")
    redis_url: str = Field(repr=False, description="Redis that the author's client counts in; empty: one of the run's own")
    compare_id: Id = Field("", description="name of the folder; that of an earlier start goes on with it")
    compare_dir: str = Field("", description="show this earlier comparison instead of measuring")

    def check_names(self) -> None:
        """Refuses what is no system of the catalogue, with the nearest name, or why it is left out."""
        for parameter in ("systems", "capacity_systems"):
            for name in getattr(self, parameter):
                if name in catalogue.LEFT_OUT:
                    raise ParameterError(f"{parameter}: {name} is left out: {catalogue.LEFT_OUT[name]}.")
                if name not in SYSTEMS and name != "all":
                    raise ParameterError(
                        f"{parameter}: there is no {name!r}{nearest(name, SYSTEMS)}; allowed are all, {', '.join(SYSTEMS)}."
                    )


@dataclass(frozen=True)
class Series:
    """One workload at one load: what all its systems are asked alike."""

    name: str
    """Of its cells: `static-200`."""
    title: str
    """What people read."""
    workload: str
    changes: Mapping[str, Any]
    """Of the parameters that all runs have in common."""

    def concerns(self, system: str) -> bool:
        """Whether a system answers this workload; one that is not of the catalogue answers what its target asks."""
        return self.workload in SYSTEMS[system].workloads if system in SYSTEMS else self.workload == "static"


@dataclass(frozen=True)
class Asked(params.Asked):
    """A comparison, checked."""

    own: Own
    base: Scenario
    """What all runs have in common."""
    skipped: Mapping[str, str]
    """System -> why it cannot take part here."""
    split: str = "halves"
    """How two servers share the time: each has its turn within an interval, or, where that cannot be, mixed."""

    params: ClassVar[type[StudyParams]] = Own

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks the parameters, and that all of it can be measured here."""
        asked = cls._of(given, {})
        if asked.of_hello:
            asked.base.check_server()
        else:
            params.check_target(asked.base)
            asked = replace(asked, split=asked._check_own())
        skipped = {name: why for name in asked.systems if (why := asked._obstacle(name))}
        asked = replace(asked, skipped=skipped)
        asked._check()
        return asked

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier comparison was asked, which may have been on another machine."""
        url = _SOME_POSTGRESQL if plan["postgresql"] else ""
        # One of before there were duets had none.
        before = {"duet_minutes": 0, "target": HELLO, "device": ""}
        asked = cls._of({**now, **before, **plan, "database_url": url}, plan["skipped"])
        asked = replace(asked, split=plan.get("split", "halves"))
        known = None if asked.of_hello else records.get(asked.base.target)
        return asked if known is None else replace(asked, base=asked.base.knowing(known.plan))

    @classmethod
    def _of(cls, given: Mapping[str, Any], skipped: Mapping[str, str]) -> Self:
        own = Own.of(given)
        if given.get("target", HELLO) == HELLO:
            own.check_names()
        # A base without a workload has no database; each series that has one says so.
        base = Own.run({**given, "database_url": ""})
        database_url = text("database_url", given.get("database_url", ""))
        return cls(own, base.model_copy(update={"database_url": database_url}), skipped)

    def _obstacle(self, name: str) -> str:
        """Why a system cannot take part; empty if it can."""
        if not self.of_hello:
            return ""
        system = SYSTEMS[name]
        offered = [workload for workload in self.own.workloads if workload in system.workloads]
        if not offered:
            return f"it has the workload {listed(system.workloads)} only, which is not asked"
        clients = max(self.own.loads, default=1)
        found = (
            catalogue.obstacle(system, workers=self.base.workers, workload=workload, clients=clients) for workload in offered
        )
        return next((why for why in found if why), "")

    def _check(self) -> None:
        own = self.own
        for name, values in (("systems", own.systems), ("workloads", own.workloads), ("loads", own.loads)):
            if not values:
                raise ParameterError(f"{name} is empty: {Own.model_fields[name].description}.")
        preflight.check_own_device(self.base)
        if FALCON in self.skipped:
            raise ParameterError(f"Falcon, which all are held against, cannot run here: {self.skipped[FALCON]}.")
        unknown = [name for name in own.capacity_systems if name not in (*self.systems, "all")]
        if unknown and self.of_hello:
            raise ParameterError(f"capacity_systems names {listed(unknown)}, which systems does not: name it there too.")
        if self.base.database_url and "database" not in own.workloads:
            raise ParameterError(f"database_url with workloads={listed(own.workloads)!r}: ask for database as well.")
        if self.asks_clients:
            three_clients.plan(self.of_clients)
        most = max(2 * max(own.loads), own.database_clients, own.memory_clients)
        preflight.check(self.at(self.reference, self.first, 1, clients=most))
        check_databases(self.at(self.reference, series, 1) for series in self.series)

    def _check_own(self) -> str:
        """Refuses what cannot stand beside a target of the user's own; how the two share the time."""
        own, target = self.own, self.base.target
        named = {*own.systems} & {*SYSTEMS, "all"}
        if named or not own.systems:
            raise ParameterError(
                f"systems={listed(own.systems)!r} with target={target!r}: say in systems what is held beside it, like "
                "./mine-on-granian.yaml, http://127.0.0.1:8001, git:HEAD~1 or workers=2; systems of the catalogue answer "
                f"the target {HELLO!r} alone."
            )
        if not own.duet_minutes:
            raise ParameterError(f"duet_minutes=0 with target={target!r}: what is beside it is polled at once with it.")
        for name in self.systems[1:]:
            self.duet(name, self.first).load_targets()
        try:
            _ = self.duet(self.reference, self.first).plan
        except ParameterError:  # Its endpoints have clocks of their own, in which turns have no place.
            return "mixed"
        return "halves"

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """What all are held against, and all that were asked for, in the order of the catalogue; also those skipped."""
        if not self.of_hello:
            return tuple(dict.fromkeys((self.reference, *self.own.systems)))
        every = "all" in self.own.systems
        return tuple(name for name in SYSTEMS if every or name == FALCON or name in self.own.systems)

    @cached_property
    def named(self) -> Mapping[str, str]:
        """System -> what its cells are called."""
        return {name: name for name in self.systems} if self.of_hello else slugs(self.systems)

    @property
    def searched(self) -> tuple[str, ...]:
        """The systems whose capacity is searched, those asked for that can run here, in the order of the catalogue."""
        if not self.of_hello:
            return ()
        every, named = "all" in self.own.capacity_systems, self.own.capacity_systems
        wanted = (name for name in self.systems if name not in self.skipped and (every or name in named))
        return tuple(name for name in wanted if "static" in SYSTEMS[name].workloads)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """Every workload at every load."""
        made = []
        if not self.of_hello:
            return tuple(_series(slug(self.reference), f"{load} devices", load, clients=load) for load in self.own.loads)
        if "static" in self.own.workloads:
            made += [_series("static", f"static, {load} devices", load, clients=load) for load in self.own.loads]
        if "database" in self.own.workloads:
            clients = self.own.database_clients
            asked = {"clients": clients, "workload": "database"}
            made.append(_series("sqlite", f"database on SQLite, {clients} devices", clients, **asked))
            if self.base.database_url:
                title = f"database on PostgreSQL, {clients} devices"
                made.append(_series("postgresql", title, clients, **asked, database_url=self.base.database_url))
        return tuple(made)

    @property
    def first(self) -> Series:
        """Where Falcon's pool and the cells for memory belong: the static workload at its first load, if there is one."""
        return self.series[0]

    def at(self, system: str, series: Series, block: int, **changes: Any) -> Scenario:
        """What a run is asked. Phases are alike for all runs of a block, so that they differ in the system alone."""
        own = {"seed": self.base.seed + block - 1, "results_dir": "", "database_url": ""}
        own |= {"server": system} if self.of_hello else {}
        if not self.of_hello and system != self.reference:
            own |= alone(system, target=self.reference)
        # Whether the system can run here was found out once; an earlier comparison may tell of one that can not.
        return built(Scenario, {**dict(self.base), **own, **series.changes, **changes})

    def duet(self, system: str, series: Series) -> Scenario:
        """What a run is asked that polls a system at once with what all are held against: as many devices of each."""
        clients = 2 * int(series.changes["clients"])
        asked = {"clients": clients, "minutes": self.own.duet_minutes, "beside": system, "beside_split": self.split}
        return self.at(self.reference, series, 1, **asked)

    def in_duets(self, series: Series) -> bool:
        """Whether the systems of a series are polled at once with what they are held against; databases are not shared."""
        return self.own.duet_minutes > 0 and series.workload == "static"

    @property
    def of_hello(self) -> bool:
        """Whether systems of the catalogue are compared."""
        return self.base.target == HELLO

    @property
    def reference(self) -> str:
        """What every system is held against: Falcon, or the user's own target."""
        return FALCON if self.of_hello else self.base.target

    @property
    def asks_clients(self) -> bool:
        """Whether the three clients are asked; their question is the article's."""
        return self.of_hello and self.own.three_clients > 0

    @property
    def of_clients(self) -> Scenario:
        """What the three clients ask: the static workload of Falcon."""
        own = {"clients": self.own.three_clients, "engine": "threads", **three_clients.ALIKE}
        redis = {"redis_url": self.own.redis_url, "generators": max(1, self.base.generators)}
        same = {"server": FALCON, "device": "", "results_dir": "", "database_url": ""}
        return built(Scenario, {**dict(self.base), **same, **own, **redis})

    @property
    def common(self) -> dict[str, Any]:
        """The parameters that all runs have in common; no password."""
        return self.base.model_dump(include={*Own.of_runs})

    @property
    def plan(self) -> dict[str, Any]:
        """What must be the same for a comparison to be gone on with; `of_plan` reads it back."""
        unused = self.base.unused | {"database_url"}
        kept = {name: value for name, value in self.common.items() if name not in unused}
        own = self.own.model_dump(exclude=_BUDGET, mode="json") | {"systems": list(self.systems)}
        # What can run here is part of it: runs of a system that came later would have no neighbours in time.
        split = {} if self.of_hello else {"split": self.split}
        found = {"postgresql": bool(self.base.database_url), "skipped": dict(self.skipped)}
        return {"kind": Own.kind, **kept, **own, **found, **split}


_BUDGET = {"results_dir", "redis_url", "cool_down_s", "max_hours", "compare_id", "compare_dir", "strict"}
"""What is no part of the question."""


def _series(kind: str, title: str, load: int, **changes: Any) -> Series:
    return Series(f"{kind}-{load}", title, changes.get("workload", "static"), changes)
