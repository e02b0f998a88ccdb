"""The question: every parameter of a run, checked and frozen.

Parameters carry their unit in the name and may be in milliseconds or minutes; this is the one place where they become the
seconds that everything else uses. A wrong value raises `ParameterError` before anything starts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from experiments import parts as part
from experiments.addresses import is_here, is_loopback, read_list
from experiments.errors import ParameterError
from experiments.parameters import CREDENTIALS, Parameters, built, given, listed, nearest
from experiments.schedule import Pacing, Phase, Plan
from experiments.target import hello, loading, planning
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded
from server import catalogue

Engine = Literal["httpx", "epoll", "httpx-stock", "threads"]
OWN_ENGINES = ("httpx", "epoll")
"""Engines whose connections are the lab's own: they take their times at the socket, and count what they do there."""

_IN_PROCESS_LIMIT = 200
"""Most devices that a notebook's own kernel (generators=0) may drive: its loop also serves Jupyter."""

ENGINES: tuple[str, ...] = get_args(Engine)
"""Names of all engines."""

CALIBRATED = tuple(name for name in ENGINES if name != "threads")
"""Engines that the calibration tries. `threads` is the author's client, there to be measured and not to be relied on."""

_THREADS_LIMIT = 2000
"""Most devices that one generator may drive with a thread each: far beyond what one interpreter carries."""

_SERVER_URL = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)

_DASK_SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(?P<port>[0-9]{1,5})", re.IGNORECASE | re.ASCII)

_REDIS_URL = re.compile(
    r"(redis://([^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?(/[0-9]{1,4})?|unix://([^/@\s]*@)?/\S+)",
    re.IGNORECASE | re.ASCII,
)

_OF_HELLO = ("server", "workload", "ratio", "status_bytes", "bulk_bytes")
"""Parameters that say something of the article's two endpoints alone; of another target its file says it."""

_OF_A_DATABASE = {"workload", "database_url", "db_delay_ms", "db_connections"}

_RATIO_ADVICE = (
    'write it as quoted text, like ratio: "10:1" (YAML reads an unquoted 10:1 as the number 601), '
    "two whole numbers A:B of which at least one is above zero"
)


class Scenario(Parameters):
    """What is asked of a run. Field descriptions give the unit; defaults are those of `notebooks/run.ipynb`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    target: str = Field(HELLO, description="what is asked: a name in params/targets/, or the path of such a file")
    server: str = Field("falcon", description="name of the server under test, from server/catalogue.py")
    workload: catalogue.Workload = Field("static", description="static (constant bytes) or database (rows)")
    database_url: str = Field(
        "", repr=False, description="postgresql://user:password@host:port/name; empty: an SQLite of the run's own"
    )
    db_delay_ms: float = Field(0.0, ge=0, le=60_000, description="ms that each request waits within its database work")
    db_connections: int = Field(8, ge=1, le=1000, description="database connections of each worker, at most")
    clients: int = Field(500, ge=1, le=1_000_000, description="devices active at the same time")
    interval_ms: float = Field(500.0, ge=1, le=86_400_000, description="ms between a device's rounds")
    minutes: float = Field(10.0, gt=0, le=7 * 24 * 60, description="minutes measured, after the warm-up")
    ratio: str = Field("10:1", description="polls of A (status) : polls of B (bulk)")
    status_bytes: int = Field(100, ge=0, le=2**30, description="bytes that A answers")
    bulk_bytes: int = Field(204_800, ge=0, le=2**30, description="bytes that B answers")
    workers: int = Field(1, ge=1, le=256, description="worker processes of the server")
    warmup_s: float = Field(5.0, ge=0, le=3600, description="seconds of load before the measured window")
    phase: Phase = Field("random", description="random, spread or together: where devices stand in the interval")
    pacing: Pacing = Field("fixed", description="fixed (by the clock) or after (an interval after each answer)")
    keep_alive: bool = Field(True, description="one connection per device; False: a connection per request")
    timeout_s: float = Field(30.0, ge=0.01, le=3600, description="seconds until an unanswered poll has failed")
    engine: Engine = Field(
        "httpx", description="httpx (lean), epoll (fast), httpx-stock (httpx's own) or threads (the author's client)"
    )
    redis_url: str = Field(
        "", repr=False, description="redis://host:port or unix:///socket that threads count in; empty: one of the run's own"
    )
    generators: int = Field(1, ge=0, le=256, description="generator processes; 0: in this kernel")
    dask_scheduler: str = Field(
        "", description="tcp://host:port of a Dask scheduler: generators on its workers; empty: here"
    )
    source_addresses: str = Field(
        "", description="local addresses that devices connect from, 192.0.2.4-192.0.2.7; empty: chosen by the lab"
    )
    seed: int = Field(1, ge=0, le=2**63 - 1, description="chooses the random phases")
    sample_ms: float = Field(500.0, ge=50, le=60_000, description="ms between two samples of resource use")
    results_dir: str = Field("", description="where run directories are made; empty: the project's results/")
    run_id: str = Field("", description="name of this run's directory; empty: made from time and scenario")
    run_dir: str = Field("", description="show this earlier run instead of measuring")
    server_url: str = Field("", description="measure this running server instead of starting one")
    allow_remote: bool = Field(False, description="server_url, database_url and redis_url may lead off this machine")
    slo_status_p99_ms: float = Field(0.0, ge=0, description="service level: response p99 of A; 0: none")
    slo_bulk_p99_ms: float = Field(0.0, ge=0, description="service level: response p99 of B; 0: none")
    slo_failure_pct: float = Field(100.0, ge=0, le=100, description="service level: failed polls; 100: none")
    slo_devices_pct: float = Field(0.0, ge=0, le=100, description="service level: devices that must each keep it; 0: none")
    compare_to: str = Field("", description="earlier run or sweep to compare with")
    margin_pct: float = Field(10.0, ge=0, le=1000, description="percent; what is worse by more is a regression")
    strict: bool = Field(False, description="fail if invalid, a service level is missed, or worse than compare_to")

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
        named = catalogue.DEVICE_HEADER if self.workload == "database" else ""
        return hello.loaded(
            shares=_weights(self.ratio), body_bytes=(self.status_bytes, self.bulk_bytes), device_header=named
        )

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
        system = catalogue.SYSTEMS[self.server]
        if self.workload not in system.workloads:
            raise ParameterError(
                f"server={self.server!r} has no workload={self.workload!r}: those that have it are "
                f"{listed(catalogue.offering(self.workload))}."
            )
        if obstacle := catalogue.obstacle(system, workers=self.workers, workload=self.workload, clients=self.clients):
            raise ParameterError(f"server={self.server!r} cannot run here: {obstacle}.")

    @field_validator("server")
    @classmethod
    def _known_server(cls, value: str) -> str:
        if value not in catalogue.SYSTEMS:
            offered = [name for name, system in catalogue.SYSTEMS.items() if system.comparison != "instrument"]
            meant = nearest(value, offered) or nearest(value, catalogue.SYSTEMS)
            raise ValueError(f"there is no such server{meant or ';'} known are {listed(offered)}")
        return value

    @field_validator("ratio", mode="before")
    @classmethod
    def _exact_ratio(cls, value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(r"\s*[0-9]{1,6}\s*:\s*[0-9]{1,6}\s*", value):
            raise ValueError(_RATIO_ADVICE)
        if not any(_weights(value)):
            raise ValueError(_RATIO_ADVICE)
        return "".join(value.split())

    @field_validator("run_id")
    @classmethod
    def _one_folder(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
            raise ValueError("letters, digits, dot, dash and underscore are allowed, at most 100, no path")
        return value

    @field_validator("server_url")
    @classmethod
    def _plain_http(cls, value: str) -> str:
        match = _SERVER_URL.fullmatch(value)
        if value and (match is None or not 0 < int(match["port"] or 80) < 2**16):
            raise ValueError("give scheme, host and port only, like http://127.0.0.1:8000")
        return value.rstrip("/")

    @field_validator("target")
    @classmethod
    def _named_target(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name a target of params/targets/, like 'hello', or the path of a file")
        return value.strip()

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value:
            catalogue.database_url.parse(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not _REDIS_URL.fullmatch(value):
            raise ValueError("give it like redis://127.0.0.1:6379 or unix:///run/redis.sock")
        return value

    @model_serializer(mode="wrap")
    def _without_password(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Whatever is written, shown or handed on as text has no password; `dict(scenario)` has it."""
        dumped: dict[str, Any] = dump(self)
        if url := dumped.get("database_url"):
            dumped["database_url"] = catalogue.database_url.parse(url).shown
        if url := dumped.get("redis_url"):
            dumped["redis_url"] = CREDENTIALS.sub("", url)
        return dumped

    @field_validator("source_addresses")
    @classmethod
    def _addresses(cls, value: str) -> str:
        read_list(value)
        return "".join(value.split())

    @field_validator("dask_scheduler")
    @classmethod
    def _scheduler(cls, value: str) -> str:
        match = _DASK_SCHEDULER.fullmatch(value)
        if value and (match is None or not 0 < int(match["port"]) < 2**16):
            raise ValueError("give the address that `dask scheduler` shows, like tcp://192.0.2.1:8786")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.server_url and not is_loopback(self.server_url):
            self._refuse_stranger("server_url", self.server_url, "server")
        self._check_of_hello()
        self._check_database()
        self._check_threads()
        self._check_sources()
        if self.generators == 0 and self.dask_scheduler:
            raise ValueError(
                f"dask_scheduler={self.dask_scheduler!r} with generators=0: say how many of its workers are to drive "
                "devices, like generators=2"
            )
        if self.slo_devices_pct and self.target == HELLO and not self.parts.level.has_limits:
            raise ValueError(
                f"slo_devices_pct={self.slo_devices_pct:g} without a limit that each device must keep: set "
                "slo_status_p99_ms, slo_bulk_p99_ms or slo_failure_pct as well"
            )
        if self.generators == 0 and self.clients > _IN_PROCESS_LIMIT:
            raise ValueError(
                f"clients={self.clients} with generators=0: this kernel may drive at most {_IN_PROCESS_LIMIT} devices "
                "itself; use generators=1 for more"
            )
        return self

    def _check_of_hello(self) -> None:
        away = [name for name in _OF_HELLO if getattr(self, name) != type(self).model_fields[name].default]
        if away and self.target != HELLO:
            raise ValueError(
                f"{away[0]}={getattr(self, away[0])!r} with target={self.target!r}: that is for the target {HELLO!r} to "
                f"have; leave {listed(away)} out, the target's file says it"
            )

    def _check_database(self) -> None:
        told = ("database_url", "db_delay_ms", "db_connections")
        asked = [name for name in told if getattr(self, name) != type(self).model_fields[name].default]
        if asked and self.workload != "database":
            raise ValueError(f"{asked[0]} with workload={self.workload!r}, which has no database: set workload='database'")
        if not self.database_url:
            return
        address = catalogue.database_url.parse(self.database_url)
        if self.server_url:
            raise ValueError(f"database_url with server_url={self.server_url!r}: that server brings its own database")
        if not (address.host.startswith("/") or is_here(address.host)):
            self._refuse_stranger("database_url", address.shown, "database")

    def _check_threads(self) -> None:
        if self.engine != "threads":
            if self.redis_url:
                raise ValueError(f"redis_url with engine={self.engine!r}, which counts nothing there: set engine='threads'")
            return
        if self.pacing != "after" or self.keep_alive:
            raise ValueError(
                "engine='threads' sleeps after each answer and opens a connection per request: "
                "set pacing='after' and keep_alive=False as well"
            )
        if self.generators == 0 or self.dask_scheduler:
            raise ValueError("engine='threads' needs processes of its own on this machine: set generators=1 or more")
        if self.clients > _THREADS_LIMIT * self.generators:
            raise ValueError(
                f"clients={self.clients} with engine='threads' and generators={self.generators}: each is a thread, and a "
                f"generator may have {_THREADS_LIMIT} at most; ask for more generators, fewer clients or engine='epoll'"
            )
        host = urlsplit(self.redis_url).hostname
        if host and not (self.redis_url.startswith("unix:") or is_here(host)):
            self._refuse_stranger("redis_url", CREDENTIALS.sub("", self.redis_url), "Redis")

    def _check_sources(self) -> None:
        if not self.source_addresses:
            return
        if self.engine not in OWN_ENGINES:
            raise ValueError(
                f"source_addresses with engine={self.engine!r}, whose connections are not the lab's own: leave it out, or "
                "use engine='epoll' or 'httpx'"
            )
        if self.dask_scheduler:
            raise ValueError("source_addresses with dask_scheduler: they would be of one machine; leave it out")

    def _refuse_stranger(self, name: str, shown: str, what: str) -> None:
        if not self.allow_remote:
            raise ValueError(
                f"{name}={shown!r} is not on this machine: a load generator must not be pointed at strangers by a slip; "
                f"set allow_remote=True if that {what} is yours"
            )

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
                _weights(self.ratio),
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
        if self.target != HELLO:
            return self.plan_of(self.load_target())
        status, bulk = _weights(self.ratio)
        return Plan.of_ratio(
            clients=self.clients,
            interval_s=self.interval_ms / 1000,
            status_weight=status,
            bulk_weight=bulk,
            phase=self.phase,
            pacing=self.pacing,
            seed=self.seed,
            warmup_s=self.warmup_s,
            window_s=self.window_s,
        )

    def plan_of(self, loaded: Loaded) -> Plan:
        """The polls of a target that was read.

        Raises:
            ParameterError: its jitter is longer than an interval.
        """
        return planning.plan(
            loaded.target,
            clients=self.clients,
            interval_s=self.interval_ms / 1000,
            phase=self.phase,
            pacing=self.pacing,
            seed=self.seed,
            warmup_s=self.warmup_s,
            window_s=self.window_s,
        )

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
        return unused | ({"target"} if self.target == HELLO else set(_OF_HELLO))

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


def _weights(ratio: str) -> tuple[int, int]:
    status, bulk = ratio.split(":")
    return int(status), int(bulk)

