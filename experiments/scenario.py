"""The question: every parameter of a run, checked and frozen.

Parameters carry their unit in the name and may be in milliseconds or minutes; this is the one place where they become the
seconds that everything else uses. A wrong value raises `ParameterError` before anything starts.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from experiments.errors import ParameterError
from experiments.schedule import Pacing, Phase, Plan
from server import catalogue

Engine = Literal["httpx", "httpx-stock"]

_IN_PROCESS_LIMIT = 200
"""Most devices that a notebook's own kernel (generators=0) may drive: its loop also serves Jupyter."""

_SERVER_URL = re.compile(r"http://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)

_RATIO_ADVICE = (
    'write it as quoted text, like ratio: "10:1" (YAML reads an unquoted 10:1 as the number 601), '
    "two whole numbers A:B of which at least one is above zero"
)


class Scenario(BaseModel):
    """What is asked of a run. Field descriptions give the unit; defaults are those of `notebooks/run.ipynb`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    server: str = Field("falcon", description="name of the server under test, from server/catalogue.py")
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
    keep_alive: bool = Field(True, description="one connection a device; False: a connection a request")
    timeout_s: float = Field(30.0, ge=0.01, le=3600, description="seconds until an unanswered poll has failed")
    engine: Engine = Field("httpx", description="httpx (lean transport) or httpx-stock (httpx's own)")
    generators: int = Field(1, ge=0, le=256, description="generator processes; 0: in this kernel")
    seed: int = Field(1, ge=0, le=2**63 - 1, description="chooses the random phases")
    sample_ms: float = Field(500.0, ge=50, le=60_000, description="ms between two samples of resource use")
    results_dir: str = Field("", description="where run directories are made; empty: the project's results/")
    run_id: str = Field("", description="name of this run's directory; empty: made from time and scenario")
    run_dir: str = Field("", description="show this earlier run instead of measuring")
    server_url: str = Field("", description="measure this running server instead of starting one")
    allow_remote: bool = Field(False, description="server_url may lead off this machine")
    slo_status_p99_ms: float = Field(0.0, ge=0, description="service level: response p99 of A; 0: none")
    slo_bulk_p99_ms: float = Field(0.0, ge=0, description="service level: response p99 of B; 0: none")
    slo_failure_pct: float = Field(100.0, ge=0, le=100, description="service level: failed polls; 100: none")
    strict: bool = Field(False, description="fail if invalid or if the service level is missed")

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Builds the scenario from a notebook's `globals()`.

        papermill takes an unknown `-p` for a remark in its log; here it is an error. Only the cell that papermill injects
        is looked at for strangers, so that a user's own variables in JupyterLab are left alone.

        Raises:
            ParameterError: a value is not allowed, or papermill injected a name that is no parameter.
        """
        check_names(injected_names(namespace), cls.model_fields)
        return cls.from_parameters({name: namespace[name] for name in cls.model_fields if name in namespace})

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """Builds the scenario from names and values; texts that say a number or true/false are taken for it.

        Raises:
            ParameterError: one sentence for each thing that is wrong.
        """
        check_names(parameters, cls.model_fields)
        try:
            return cls(**parameters)
        except ValidationError as error:
            raise ParameterError(" ".join(_sentence(cls, item) for item in error.errors())) from None

    @field_validator("clients", "workers", "generators", "seed", "status_bytes", "bulk_bytes", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """True is no count, although Python takes it for 1."""
        if isinstance(value, bool):
            raise ValueError("a whole number is needed")
        return value

    @field_validator("server")
    @classmethod
    def _known_server(cls, value: str) -> str:
        if value not in catalogue.SYSTEMS:
            raise ValueError(f"known servers are {_listed(catalogue.SYSTEMS)}{_nearest(value, catalogue.SYSTEMS)}")
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

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.server_url and not self.allow_remote and not _is_loopback(self.server_url):
            raise ValueError(
                f"server_url={self.server_url!r} is not on this machine: a load generator must not be pointed at "
                "strangers by a slip; set allow_remote=True if that server is yours"
            )
        if self.generators == 0 and self.clients > _IN_PROCESS_LIMIT:
            raise ValueError(
                f"clients={self.clients} with generators=0: this kernel may drive at most {_IN_PROCESS_LIMIT} devices "
                "itself; use generators=1 for more"
            )
        return self

    @property
    def window_s(self) -> float:
        """Length of the measured window in seconds."""
        return self.minutes * 60

    @property
    def plan(self) -> Plan:
        """The polls that this scenario asks for."""
        status, bulk = _weights(self.ratio)
        return Plan(
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

    @property
    def body_bytes(self) -> dict[str, int]:
        """Bytes of a right answer, by endpoint."""
        return {"status": self.status_bytes, "bulk": self.bulk_bytes}

    @property
    def short_hash(self) -> str:
        """Eight hex digits that differ where what is measured differs; names and places of results do not count."""
        elsewhere = {"results_dir", "run_id", "run_dir", "strict", "slo_status_p99_ms", "slo_bulk_p99_ms", "slo_failure_pct"}
        asked = self.model_dump(exclude=elsewhere)
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def check_names(names: Iterable[str], known: Collection[str]) -> None:
    """Refuses a name that is no parameter.

    Raises:
        ParameterError: names the parameter that was probably meant.
    """
    for name in names:
        if name not in known:
            raise ParameterError(f"unknown parameter {name!r}{_nearest(name, known)}; the parameters are {_listed(known)}.")


def injected_names(namespace: Mapping[str, Any]) -> set[str]:
    """The names that papermill assigned in a notebook whose `globals()` these are.

    Its cell begins with `# Parameters`; other cells are the user's own, and are left alone.
    """
    names: set[str] = set()
    for source in namespace.get("In", ()):
        if source.lstrip().startswith("# Parameters"):
            assigned = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
            names |= {node.id for node in assigned if isinstance(node.ctx, ast.Store)}
    return names


def _weights(ratio: str) -> tuple[int, int]:
    status, bulk = ratio.split(":")
    return int(status), int(bulk)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nearest(name: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


_ADVICE: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than_equal": lambda ctx: f"it must be at least {ctx['ge']:g}",
    "greater_than": lambda ctx: f"it must be above {ctx['gt']:g}",
    "less_than_equal": lambda ctx: f"it must be at most {ctx['le']:,}",
    "int_parsing": lambda ctx: "a whole number is needed",
    "int_from_float": lambda ctx: "a whole number is needed",
    "int_type": lambda ctx: "a whole number is needed",
    "float_parsing": lambda ctx: "a number is needed",
    "float_type": lambda ctx: "a number is needed",
    "finite_number": lambda ctx: "a finite number is needed",
    "bool_parsing": lambda ctx: "True or False is needed",
    "bool_type": lambda ctx: "True or False is needed",
    "literal_error": lambda ctx: f"allowed are {ctx['expected']}",
    "value_error": lambda ctx: str(ctx["error"]),
}
"""What is allowed, by pydantic's name of the complaint."""


def _sentence(model: type[BaseModel], item: Any) -> str:
    """One sentence out of one pydantic complaint: what was given, what is allowed, what the parameter means."""
    context = item.get("ctx", {})
    advice = _ADVICE.get(item["type"])
    allowed = advice(context) if advice else str(item["msg"])
    if not item["loc"]:
        return f"{allowed}."
    name = str(item["loc"][0])
    return f"{name}={item['input']!r}: {allowed} ({model.model_fields[name].description})."
