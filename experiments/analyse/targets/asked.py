"""What a run asked of its server, as its record has it.

Record -> the target's own data, without secrets. The article's two endpoints are a target too, but one of which everything
is known by the run's parameters, and was before there were targets: of it there is nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.record.reading import Record

ARTICLES = "hello"


def target(record: Record) -> Mapping[str, Any] | None:
    """The target as it was recorded; None of the article's own, and of a record from before there were targets."""
    if record.started["scenario"].get("target", ARTICLES) == ARTICLES:
        return None
    found: Mapping[str, Any] | None = record.started.get("target")
    return found if found and found.get("endpoints") else None


def target_name(record: Record) -> str:
    """What the target is called."""
    return str(record.started["scenario"].get("target", ARTICLES))
