"""What a scenario is made of: the part of it that each room needs. Values only, as `Scenario` has checked them.

A flat scenario in, by `Scenario.parts`; times are in seconds here. Knows nobody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """What is measured."""

    target: str
    """Name or path of the file that says what is asked; `hello` for the article's two endpoints."""
    name: str
    """Of the catalogue; it counts for the target `hello` alone."""
    workload: str
    status_bytes: int
    bulk_bytes: int
    workers: int
    url: str
    """Of a server that runs already; empty for one that is started."""
    allow_remote: bool
    """Whether what leads off this machine may be asked."""

    @property
    def is_hello(self) -> bool:
        """Whether the article's two endpoints are asked, and so a server of the catalogue."""
        return self.target == "hello"


@dataclass(frozen=True)
class Load:
    """How much is asked, and how."""

    clients: int
    interval_s: float
    ratio: tuple[int, int]
    """Polls of A, polls of B; of the target `hello` alone."""
    warmup_s: float
    window_s: float
    phase: str
    pacing: str
    seed: int
    keep_alive: bool
    timeout_s: float

    @property
    def lasting_s(self) -> float:
        """From the first poll to the last answer that is waited for."""
        return self.warmup_s + self.window_s + self.timeout_s


@dataclass(frozen=True)
class Engine:
    """Who asks."""

    name: str
    generators: int
    dask_scheduler: str
    source_addresses: tuple[str, ...]
    """Local ones that devices connect from; empty where the lab chooses."""

    @property
    def processes(self) -> int:
        """How many processes carry load, this one included where it does."""
        return max(1, self.generators)

    @property
    def on_other_machines(self) -> bool:
        """Whether the load comes from workers of a cluster."""
        return bool(self.dask_scheduler)


@dataclass(frozen=True)
class Level:
    """The service level; what is asked of nobody is 0, or 100 of failures."""

    status_p99_ms: float
    bulk_p99_ms: float
    failure_pct: float
    devices_pct: float

    @property
    def has_limits(self) -> bool:
        """Whether there is a limit that each device could keep."""
        return bool(self.status_p99_ms or self.bulk_p99_ms or self.failure_pct < 100)


@dataclass(frozen=True)
class Output:
    """Where the record goes, and what is made of it."""

    results_dir: str
    run_id: str
    run_dir: str
    sample_ms: float
    compare_to: str
    margin_pct: float
    strict: bool


@dataclass(frozen=True)
class Parts:
    """All of them."""

    server: Server
    load: Load
    engine: Engine
    level: Level
    output: Output
