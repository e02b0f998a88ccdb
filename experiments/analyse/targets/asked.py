"""What a run asked of its server, as its record has it.

Record -> the target's own data, without secrets. The article's two endpoints are a target too, but one of which everything
is known by the run's parameters, and was before there were targets: of it there is nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.record.reading import Record
from experiments.target.hello import NAME as HELLO


def target(record: Record) -> Mapping[str, Any] | None:
    """The target as it was recorded; None of the article's own, and of a record from before there were targets."""
    if record.started["scenario"].get("target", HELLO) == HELLO:
        return None
    found: Mapping[str, Any] | None = record.started.get("target")
    return found if found and found.get("endpoints") else None


def target_name(record: Record) -> str:
    """What the target is called."""
    return Path(record.started["scenario"].get("target", HELLO)).stem


def interval_s(record: Record) -> float:
    """The shortest interval in which a device polls."""
    return min(clock.interval_s for clock in record.plan.clocks)
