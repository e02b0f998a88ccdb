"""A server of a run: how it is made, and what is known of it while the run goes on.

A run and what is said of each of its servers in; servers that are not started yet out. Starts and ends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.beside import System
from experiments.measure.host.allowance import Allowance
from experiments.measure.host.port_owner import Owner
from experiments.measure.precheck import Precheck
from experiments.measure.servers import own
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.servers.metrics import Metrics, MetricsSampler
from experiments.measure.servers.variants import Variant
from experiments.scenario import Scenario
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded
from server import catalogue

PROJECT = Path(catalogue.__file__).parents[1]
"""Where systems of the catalogue start."""
AnyServer = ServerProcess | ExternalServer


@dataclass
class Watched:
    """One server of a run, from 0: the first is what the run is about, the others are polled beside it."""

    number: int
    name: str
    """What people call it, unlike all others of the run."""
    said: System
    precheck: Precheck
    """What a device asks of it before the load."""
    server: AnyServer
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of its answers before the load, by endpoint."""
    served_before: dict[int, int] = field(default_factory=dict)
    """Process id of a worker -> requests that it had had before the load."""
    metrics: Metrics | None = None
    """What it says of itself, where its target names a place; asked for its count of requests."""
    metrics_sampler: MetricsSampler | None = None
    """Asks for its CPU and memory, where its processes cannot be seen from here."""
    counted: list[int | None] = field(default_factory=list)
    """Its count of requests, before the load and after it."""
    listeners: list[list[int]] = field(default_factory=list)
    """The processes that listened on its port, before the load and after it."""
    died: str | None = None
    owner: Owner = field(default_factory=Owner)
    """Its processes, or why they cannot be sampled."""
    backlog: int | None = None
    """How many connections may wait for it to accept them; None where its socket is not seen."""
    allowance: Allowance | None = None
    """What the first of its processes may use; None where it cannot be seen."""

    def notice_death(self, elapsed_s: float) -> None:
        """Notes once that it ended by itself."""
        if not self.server.alive and self.died is None:
            self.died = f"the server ended by itself {elapsed_s:.1f} s after the window began"


def log_path(run_path: Path, number: int) -> Path:
    """What a server prints; the first one's is server.log."""
    return run_path / (f"server-{number}.log" if number else "server.log")


def home(scenario: Scenario, said: System, loaded: Loaded) -> Path:
    """The folder in which a server usually starts."""
    return PROJECT if (said.target or scenario.target) == HELLO else own.home(loaded)


def make(
    scenario: Scenario, said: System, *, url: str, precheck: Precheck, log: Path, polled: tuple[str, ...], variant: Variant,
    environment: Mapping[str, str] | None,
) -> AnyServer:  # fmt: skip
    """A server, not started yet.

    Args:
        url: of one that runs already; empty for none.
        environment: variables for one of the catalogue, of the run's database.

    Raises:
        ParameterError: its command cannot be read, or cannot be changed as was said.
    """
    sizes: dict[str, Any] = {"status_bytes": scenario.status_bytes, "bulk_bytes": scenario.bulk_bytes, "polled": polled}
    workers = said.workers or scenario.workers
    if (said.target or scenario.target) != HELLO:
        loaded = precheck.loaded
        if said.workers:
            loaded = replace(loaded, target=loaded.target.model_copy(update={"workers": said.workers}))
        return own.server(loaded, url=url, workers=workers, log_path=log, ready=precheck.ready, variant=variant)
    if url:
        return ExternalServer(url=url, **sizes)
    return ServerProcess(
        system=said.server or scenario.server, workers=workers, log_path=log, environment=environment, variant=variant,
        **sizes,
    )  # fmt: skip
