"""Each parameter of a run: its unit, its default, and what it alone may be.

Parameters carry their unit in the name. Names and values in -> checked values, or pydantic's complaints, of which
`parameters.built` makes sentences. What goes together is `together`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from experiments import beside
from experiments.beside import Split, System
from experiments.parameters import CREDENTIALS, Parameters, listed, nearest
from experiments.scenario.addresses import DASK_SCHEDULER, REDIS_URL, SERVER_URL, read_list
from experiments.scenario.engines import Engine
from experiments.schedule import Pacing, Phase
from experiments.target.hello import NAME as HELLO
from server import catalogue

_RATIO_ADVICE = (
    'write it as quoted text, like ratio: "10:1" (YAML reads an unquoted 10:1 as the number 601), '
    "two whole numbers A:B of which at least one is above zero"
)


class Fields(Parameters):
    """Field descriptions give the unit; defaults are those of `notebooks/run.ipynb`."""

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
    device: str = Field(
        "", description="class of devices, module:Class or file.py:Class; empty: devices do what the target's file says"
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
    compare_to: str = Field("", description="earlier run or sweep to compare with, or latest")
    margin_pct: float = Field(10.0, ge=0, le=1000, description="percent; what is worse by more is a regression")
    variant: str = Field(
        "", description="how the server differs: git:REV, falcon==4.1, workers=N, loop=asyncio, NAME=value; empty: not"
    )
    beside: str = Field(
        "", description="further servers polled in turns: a name, a target file, a URL, or how they differ; empty: none"
    )
    beside_split: Split = Field("halves", description="halves (each server has its turn in the interval) or mixed")
    strict: bool = Field(False, description="fail if invalid, a service level is missed, or worse than compare_to")

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
        if not any(weights(value)):
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
        match = SERVER_URL.fullmatch(value)
        if value and (match is None or not 0 < int(match["port"] or 80) < 2**16):
            raise ValueError("give scheme, host and port only, like http://127.0.0.1:8000")
        return value.rstrip("/")

    @field_validator("target")
    @classmethod
    def _named_target(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name a target of params/targets/, like 'hello', or the path of a file")
        return value.strip()

    @field_validator("device")
    @classmethod
    def _named_class(cls, value: str) -> str:
        place, _, name = value.rpartition(":")
        if value and not (name.isidentifier() and (place.endswith(".py") or re.fullmatch(r"[\w.]+", place))):
            raise ValueError("give a class in a module or a file, like my_devices:Sensor or ./my_devices.py:Sensor")
        # Whoever makes the devices may have been started in another folder.
        return f"{Path(place).expanduser().absolute()}:{name}" if place.endswith(".py") else value

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value:
            catalogue.database_url.parse(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not REDIS_URL.fullmatch(value):
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
        match = DASK_SCHEDULER.fullmatch(value)
        if value and (match is None or not 0 < int(match["port"]) < 2**16):
            raise ValueError("give the address that `dask scheduler` shows, like tcp://192.0.2.1:8786")
        return value

    @property
    def systems(self) -> tuple[System, ...]:
        """What is said of each server that is polled, the run's own first.

        Raises:
            ParameterError: something that cannot be said of a server.
        """
        own = beside.read(self.variant, ()) if self.variant else System()
        return (own, *beside.several(self.beside, catalogue.SYSTEMS))

    def away_from_default(self, names: Iterable[str]) -> list[str]:
        """Those of these parameters that were given another value than the default."""
        return [name for name in names if getattr(self, name) != type(self).model_fields[name].default]


def weights(ratio: str) -> tuple[int, int]:
    """Polls of (A, B), of a ratio as it is written."""
    status, bulk = ratio.split(":")
    return int(status), int(bulk)
