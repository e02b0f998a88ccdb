"""`Scenario`: what is asked of a run, checked and frozen, and what follows from it.

Parameters may be in milliseconds or minutes; this is the one place where they become the seconds that everything else
uses. A wrong value raises `ParameterError` before anything starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from pydantic import PrivateAttr, model_validator

from experiments import beside
from experiments import parts as part
from experiments.errors import ParameterError
from experiments.parameters import built, given, listed
from experiments.scenario import together
from experiments.scenario.addresses import is_loopback, read_list
from experiments.scenario.fields import Fields, weights
from experiments.schedule import Plan
from experiments.target import hello, loading, planning
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded
from server import catalogue

_OF_A_DATABASE = {"workload", "database_url", "db_delay_ms", "db_connections"}

_PIECE_S = 2.0
"""Length of the pieces over which servers are compared: long against a request, short against what changes on a machine."""
_PIECES = 20
"""As many of them as a window should have, at least."""


class Scenario(Fields):
    """What is asked of a run."""

    _asked_before: Plan | None = PrivateAttr(None)

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Builds the scenario from a notebook's `globals()`.

        papermill takes an unknown `-p` for a remark in its log; here it is an error. Only the cell that papermill injects
        is looked at for strangers, so that a user's own variables in JupyterLab are left alone.

        Raises:
            ParameterError: a value is not allowed, or papermill injected a name that is no parameter.
        """
        return cls.from_parameters(given(namespace, cls.model_fields, cls.texts()))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """Builds the scenario from names and values; texts that say a number or true/false are taken for it.

        Raises:
            ParameterError: one sentence for each thing that is wrong.
        """
        scenario = built(cls, parameters)
        if not scenario.run_dir:
            scenario = scenario.settled(scenario.load_target())
        scenario.check_server()
        return scenario

    def load_target(self) -> Loaded:
        """What is asked, as a target: that of the file, or the article's two endpoints with these sizes and this ratio.

        Raises:
            ParameterError: one sentence for each thing that is wrong in the file.
        """
        if self.target != HELLO:
            return loading.load(self.target)
        name = hello.DATABASE if self.workload == "database" else hello.NAME
        return hello.loaded(name, shares=weights(self.ratio), body_bytes=(self.status_bytes, self.bulk_bytes))

    @property
    def names(self) -> tuple[str, ...]:
        """What people call the servers that are polled, each by another name."""
        return beside.names(self.server_url or self.measured, self.systems)

    def load_targets(self) -> tuple[Loaded, ...]:
        """What is asked of each server, as `load_target`.

        Raises:
            ParameterError: also where two of them are not asked the same.
        """
        first = self.load_target()
        targets = [loading.load(one.target) if one.target else first for one in self.systems]
        for one, loaded in zip(self.systems, targets, strict=True):
            if planning.timings(loaded.target) != planning.timings(first.target):
                raise ParameterError(
                    f"beside={one.said!r} has other endpoints than the run's own target, or asks for them in other "
                    "proportions: only what is asked the same can be compared."
                )
            if one.target:
                self.model_copy(update={"target": one.target, "server_url": "", "workers": 1}).check_target(loaded)
        return tuple(targets)

    def settled(self, loaded: Loaded) -> Self:
        """The same, where `clients` at its default gives way to the number of devices that the target says.

        Raises:
            ParameterError: what the target and the other parameters say does not go together.
        """
        count = loaded.target.devices.count
        given_way = count is not None and self.clients == type(self).model_fields["clients"].default
        settled = self.model_copy(update={"clients": count}) if given_way else self
        loaded.check_clients(settled.clients)
        settled.check_target(loaded)
        return settled

    def check_target(self, loaded: Loaded) -> None:
        """Makes sure that a target's server is known, may be asked, and can be started as it is to be.

        Raises:
            ParameterError: why not, and what helps.
        """
        target = loaded.target
        if self.target != HELLO and not (self.server_url or target.url or target.app or target.command):
            raise ParameterError(
                f"target={self.target!r} names no server: add a line app, command or url to {loaded.lines.shown}, or set "
                "server_url."
            )
        asked = {"url": "" if self.server_url else target.url, "metrics_url": target.metrics_url}
        for key, url in asked.items():
            if url and not is_loopback(url) and not self.allow_remote:
                raise ParameterError(
                    f"{loaded.lines.at((key,))}: {url} is not on this machine: a load generator must not be pointed at "
                    "strangers by a slip; set allow_remote=True if that server is yours."
                )
        if self.workers > 1 and self.target != HELLO and not target.app:
            raise ParameterError(
                f"workers={self.workers} with target={self.target!r}, which has no app: how many processes serve is for "
                "its own command or start to say; leave workers out."
            )

    def check_server(self) -> None:
        """Makes sure that the server to be started can run here. A record may tell of one that can not.

        Raises:
            ParameterError: why it cannot, and what helps.
        """
        if self.run_dir or self.server_url or self.target != HELLO:
            return
        asked = [one for one in self.systems if not (one.target or one.url)]
        for name, workers in {(one.server or self.server, one.workers or self.workers): None for one in asked}:
            self._check_system(name, workers)

    def _check_system(self, name: str, workers: int) -> None:
        system = catalogue.SYSTEMS[name]
        if self.workload not in system.workloads:
            raise ParameterError(
                f"server={name!r} has no workload={self.workload!r}: those that have it are "
                f"{listed(catalogue.offering(self.workload))}."
            )
        if obstacle := catalogue.obstacle(system, workers=workers, workload=self.workload, clients=self.clients):
            raise ParameterError(f"server={name!r} cannot run here: {obstacle}.")

    @model_validator(mode="before")
    @classmethod
    def _of_rows(cls, given: Any) -> Any:
        """`target=database` is the other way to say `workload=database`."""
        if isinstance(given, dict) and given.get("target") == hello.DATABASE:
            return given | {"target": HELLO, "workload": "database"}
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        together.check(self, self.parts.level)
        return self

    @property
    def measured(self) -> str:
        """What is measured: a system of the catalogue, or else a target by its name or path."""
        return self.server if self.target == HELLO else self.target

    @property
    def window_s(self) -> float:
        """Length of the measured window in seconds."""
        return self.minutes * 60

    @property
    def parts(self) -> part.Parts:
        """The same, by what it is about; a room is handed the part that it needs."""
        return part.Parts(
            part.Server(
                self.target,
                self.server,
                self.workload,
                self.status_bytes,
                self.bulk_bytes,
                self.workers,
                self.server_url,
                self.allow_remote,
            ),
            part.Load(
                self.clients,
                self.interval_ms / 1000,
                weights(self.ratio),
                self.warmup_s,
                self.window_s,
                self.phase,
                self.pacing,
                self.seed,
                self.keep_alive,
                self.timeout_s,
            ),
            part.Engine(self.engine, self.generators, self.dask_scheduler, read_list(self.source_addresses)),
            part.Level(self.slo_status_p99_ms, self.slo_bulk_p99_ms, self.slo_failure_pct, self.slo_devices_pct),
            part.Output(
                self.results_dir,
                self.run_id,
                self.run_dir,
                self.sample_ms,
                self.compare_to,
                self.margin_pct,
                self.strict,
            ),
        )

    @property
    def plan(self) -> Plan:
        """The polls that this scenario asks for; of another target than hello its file is read for it.

        Raises:
            ParameterError: that file is not there, or not right.
        """
        if self._asked_before is not None:
            return self._divided(replace(self._asked_before, systems=1, **self._load))
        if self.target != HELLO:
            return self.plan_of(self.load_target())
        status, bulk = weights(self.ratio)
        return self._divided(Plan.of_ratio(status_weight=status, bulk_weight=bulk, **self._load))

    def plan_of(self, loaded: Loaded) -> Plan:
        """The polls of a target that was read.

        Raises:
            ParameterError: its jitter is longer than an interval.
        """
        return self._divided(planning.plan(loaded.target, **self._load))

    def knowing(self, plan: Plan | None) -> Self:
        """The same, of a time when its target asked as in this plan: the file is not read for it any more.

        Args:
            plan: of a record; None leaves all as it is.
        """
        same = self.model_copy()
        same._asked_before = plan or self._asked_before
        return same

    @property
    def _load(self) -> dict[str, Any]:
        """What a plan is told besides how often each endpoint is polled."""
        return {
            "clients": self.clients,
            "interval_s": self.interval_ms / 1000,
            "phase": self.phase,
            "pacing": self.pacing,
            "seed": self.seed,
            "warmup_s": self.warmup_s,
            "window_s": self.window_s,
        }

    def _divided(self, plan: Plan) -> Plan:
        """The same for as many servers as are polled."""
        count = len(self.systems)
        if count == 1:
            return plan
        rounds = _piece_rounds(plan.shortest_s, self.window_s)
        return replace(plan, systems=count, halves=self.beside_split == "halves", piece_rounds=rounds)

    @property
    def body_bytes(self) -> dict[str, int]:
        """Bytes of a right answer, by endpoint."""
        return {"status": self.status_bytes, "bulk": self.bulk_bytes}

    @property
    def secrets(self) -> dict[str, str]:
        """Environment variables for a process that gets this scenario as text, which has no password."""
        password = catalogue.database_url.parse(self.database_url).password if self.database_url else ""
        of_redis = urlsplit(self.redis_url).password
        said = {"PGPASSWORD": password, "REDISCLI_AUTH": unquote(of_redis) if of_redis else ""}
        return {name: value for name, value in said.items() if value}

    @property
    def unused(self) -> set[str]:
        """Parameters that say nothing here. They came later: what was asked before must not seem to be another question."""
        unused = set() if self.workload == "database" else set(_OF_A_DATABASE)
        unused |= set() if self.device else {"device"}
        unused |= set() if self.beside else {"beside", "beside_split"}
        unused |= set() if self.variant else {"variant"}
        return unused | ({"target"} if self.target == HELLO else set(together.OF_HELLO))

    @property
    def short_hash(self) -> str:
        """Eight hex digits that differ where what is measured differs; names and places do not count."""
        elsewhere = {"results_dir", "run_id", "run_dir", "compare_to", "margin_pct", "dask_scheduler", "strict", "redis_url"}
        elsewhere.add("source_addresses")
        elsewhere |= {name for name in type(self).model_fields if name.startswith("slo_")}
        asked = self.model_dump(exclude=elsewhere | self.unused | {"database_url"})
        if self.workload == "database":
            asked["database"] = "postgresql" if self.database_url else "sqlite"
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def _piece_rounds(shortest_s: float, window_s: float) -> int:
    """How many intervals a piece has: two seconds of them, less where the window would have fewer than twenty pieces."""
    return max(1, min(round(_PIECE_S / shortest_s), int(window_s / shortest_s / _PIECES)))
