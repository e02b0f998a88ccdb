"""A run while it goes on: what was asked, when its window begins, and whether and why it closes early.

Knows instants and reasons; starts, waits for and ends nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.measure.engines.aio.own_device import paced
from experiments.measure.generators.subprocess import Generator
from experiments.measure.host.allowance import Allowance
from experiments.measure.host.port_owner import Owner
from experiments.measure.precheck import Precheck
from experiments.measure.servers.metrics import Metrics, MetricsSampler
from experiments.progress import OnProgress
from experiments.record.state import Cut
from experiments.scenario import Scenario
from experiments.schedule import Plan

if TYPE_CHECKING:
    from experiments.measure.generators.dask.cluster import Fleet
    from experiments.measure.services.database import Database
    from experiments.measure.services.redis import RunRedis

_OVERTIME_S = 15.0
"""How long after window and timeout a generator may take to write its last rows, before it counts as lost."""
_STOPPED_S = 20.0
"""The same after it was told to stop."""


@dataclass
class RunState:
    """What is known of a run while it goes on. Instants are on the monotonic clock."""

    scenario: Scenario
    path: Path
    on_progress: OnProgress
    transport: str
    precheck: Precheck
    """What a device asks before the load."""
    fleet: Fleet | None = None
    """The machines that carry the load, where these are others."""
    database: Database | None = None
    """What the server reads and writes, where it does and is started here."""
    redis: RunRedis | None = None
    """Where the author's client counts."""
    device: str = ""
    """`module:name` of a user's class of devices; empty for none."""
    started: dict[str, Any] = field(default_factory=dict)
    """What is known before the load, as it stands in the record."""
    start_at: float = 0.0
    """When the measured window begins."""
    metrics: Metrics | None = None
    """What the server says of itself, where its target names a place; asked for its count of requests."""
    metrics_sampler: MetricsSampler | None = None
    """Asks for its CPU and memory, where its processes cannot be seen from here."""
    counted: list[int | None] = field(default_factory=list)
    """Its count of requests, before the load and after it."""
    listeners: list[list[int]] = field(default_factory=list)
    """The processes that listened on its port, before the load and after it."""
    cut_short: Cut | None = None
    """Why the window closed early, if so."""
    stop_at: float | None = None
    """When it did."""
    server_died: str | None = None
    owner: Owner = field(default_factory=Owner)
    """The server's processes, or why they cannot be sampled."""
    sources: tuple[str, ...] = ()
    """The local addresses that devices connect from; empty where the system chooses."""
    backlog: int | None = None
    """How many connections may wait for the server to accept them; None where its socket is not seen."""
    allowance: Allowance | None = None
    """What the first of them may use; None where it cannot be seen."""

    @cached_property
    def plan(self) -> Plan:
        """The polls that are asked for; made once, since a target's file may be gone or another by the end."""
        return paced(self.scenario.plan_of(self.precheck.loaded), self.device)

    @property
    def deadline(self) -> float:
        """When a generator that has not ended counts as lost."""
        if self.stop_at is not None:
            return self.stop_at + _STOPPED_S
        # The last poll of the window may be the second of a round, sent when the first one's time was over.
        return self.start_at + self.scenario.window_s + 2 * self.scenario.timeout_s + _OVERTIME_S

    @property
    def window_s(self) -> float:
        """Length of the window that is really measured."""
        asked = self.scenario.window_s
        return asked if self.stop_at is None else min(asked, max(0.0, self.stop_at - self.start_at))

    def stop(self, generators: list[Generator], reason: Cut) -> None:
        """Closes the window early; the first reason stands."""
        if self.cut_short is not None:
            return
        self.cut_short = reason
        # All generators close it at the same instant, so the word must have reached all of them by then.
        self.stop_at = time.monotonic() + max(generator.notice_s for generator in generators)
        for generator in generators:
            generator.stop(self.stop_at)
