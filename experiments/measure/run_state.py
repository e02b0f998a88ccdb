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
from experiments.measure.precheck import Precheck
from experiments.measure.servers.variants import Variant
from experiments.measure.watched import Watched
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
    prechecks: list[Precheck]
    """What a device asks of each server before the load."""
    fleet: Fleet | None = None
    """The machines that carry the load, where these are others."""
    database: Database | None = None
    """What the server reads and writes, where it does and is started here."""
    redis: RunRedis | None = None
    """Where the author's client counts."""
    device: str = ""
    """`module:name` of a user's class of devices; empty for none."""
    variants: list[Variant] = field(default_factory=list)
    """How each server is started."""
    started: dict[str, Any] = field(default_factory=dict)
    """What is known before the load, as it stands in the record."""
    start_at: float = 0.0
    """When the measured window begins."""
    cut_short: Cut | None = None
    """Why the window closed early, if so."""
    stop_at: float | None = None
    """When it did."""
    servers: list[Watched] = field(default_factory=list)
    """What is polled; the first is what the run is about."""
    sources: tuple[str, ...] = ()
    """The local addresses that devices connect from; empty where the system chooses."""

    @cached_property
    def plan(self) -> Plan:
        """The polls that are asked for; made once, since a target's file may be gone or another by the end."""
        return paced(self.scenario.plan_of(self.prechecks[0].loaded), self.device)

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
