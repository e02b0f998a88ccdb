"""A search held against an earlier one: the capacity each found, and the loads that both measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from experiments.analyse.changes import Comparison, compare
from experiments.errors import VerdictError
from experiments.present.format import count, plural
from experiments.present.tables import changes as tables
from experiments.record import store
from experiments.record.collection import collect, located
from experiments.studies.capacity.search import Finding
from experiments.studies.capacity.strategy import Run

_FOUND = "capacity.json"
"""In the folder of a search: what it found, by workers."""

Found = Mapping[int, Finding]
"""Workers -> finding."""


def keep(folder: Path, found: Found) -> None:
    """Writes what a search found, for later ones to be held against."""
    store.write_json(folder / _FOUND, {str(workers): asdict(one) for workers, one in found.items()})


def both(compare_to: str, found: Found) -> dict[int, tuple[int, int]]:
    """Workers -> devices held before and now, where both are known."""
    path = located(compare_to) / _FOUND
    before = json.loads(path.read_text()) if path.is_file() else {}
    held = {int(workers): int(one["clients"]) for workers, one in before.items()}
    return {workers: (held[workers], one.clients) for workers, one in found.items() if held.get(workers) and one.clients}


def comparison(compare_to: str, runs: Iterable[Run]) -> Comparison:
    """The loads that both measured, point by point."""
    now = {run.cell.name: run.outcome.record for run in runs if run.outcome.record is not None}
    return compare(collect(compare_to), list(now.values()))


def enforce(compare_to: str, found: Found, runs: Iterable[Run], margin_pct: float) -> None:
    """Fails if this search is worse than the earlier one.

    Raises:
        VerdictError: fewer devices are held by more than the margin, or a figure is worse by more.
    """
    for workers, (before, now) in both(compare_to, found).items():
        if now < before * (1 - margin_pct / 100):
            raise VerdictError(
                f"strict: {count(now)} devices on {plural(workers, 'worker')}, and {count(before)} in {compare_to}; the "
                f"margin is {margin_pct:,.10g} %."
            )
    tables.enforce(comparison(compare_to, runs), compare_to, margin_pct)
