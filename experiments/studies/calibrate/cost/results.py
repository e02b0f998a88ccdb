"""What came of it, and the file in which it is kept for other pages to quote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from experiments.analyse.instrument import Cost, Memory, Step
from experiments.measure.host import fingerprint
from experiments.record import store

FILE = "cost.json"
"""In the folder of the calibration."""
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Results:
    """All of part 4."""

    costs: Sequence[Cost] = ()
    memory: Sequence[Memory] = ()
    steps: Sequence[Step] = ()
    skipped: dict[str, str] = field(default_factory=dict)
    """Contender or load -> why it was not measured."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of the tools and servers, as they say them."""

    @property
    def carries(self) -> dict[str, float]:
        """Engine -> most polls/s that one generator carried with little lag."""
        held: dict[str, float] = {}
        for step in self.steps:
            if step.held:
                held[step.engine] = max(held.get(step.engine, 0.0), step.polls_per_s)
        return held

    @classmethod
    def kept(cls, folder: Path) -> Self | None:
        """What `keep` wrote; None where there is none that can be read."""
        try:
            found = json.loads((folder / FILE).read_text())
            memory = [{name: one[name] for name in one if name != "bytes_per_device"} for one in found["memory"]]
            costs, steps = [Cost(**one) for one in found["costs"]], [Step(**one) for one in found["steps"]]
            return cls(costs, [Memory(**one) for one in memory], steps, found["skipped"], found.get("versions", {}))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, folder: Path) -> None:
        """Writes everything, so that other pages can quote it."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "machine": fingerprint.identity(),
            "costs": [asdict(cost) for cost in self.costs],
            "memory": [asdict(one) | {"bytes_per_device": one.bytes_per_device} for one in self.memory],
            "steps": [asdict(step) for step in self.steps],
            "carries": self.carries,
            "skipped": self.skipped,
            "versions": self.versions,
        }
        store.write_json(folder / FILE, content)
