"""What positive and negative controls have in common: the load, and where records go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiments.record.reading import Record
from experiments.scenario import Scenario

SECONDS = 8.0
"""Measured in each run: for the longest of the lies, and for the shares of the rarest failures."""


@dataclass(frozen=True)
class Fixture:
    """What all cases share."""

    results_dir: Path
    honest: Record
    """A positive control, to make corrupted copies of."""

    def scenario(self, **changes: object) -> Scenario:
        """The default load for some seconds, changed."""
        return load(self.results_dir, **changes)


def load(results_dir: Path, **changes: object) -> Scenario:
    """The default load for some seconds, changed; its record goes to that folder."""
    asked = {"minutes": SECONDS / 60, "warmup_s": 2.0, "timeout_s": 5.0, "results_dir": str(results_dir)}
    return Scenario.from_parameters(asked | changes)
