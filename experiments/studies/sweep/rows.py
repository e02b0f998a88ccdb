"""The cells of a sweep as tables take them, in the order of the grid."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.analyse.points import Measured
from experiments.studies.cells import Outcome
from experiments.studies.sweep.grid import Grid, Planned


def measured(grid: Grid, came: Mapping[str, Outcome]) -> list[Measured]:
    """Every cell of the grid: repeats of a point follow one another.

    Args:
        came: what came of it, by name.
    """
    place = {tuple(point.values()): number for number, point in enumerate(grid.points)}
    ordered = sorted(grid.cells, key=lambda one: (place[tuple(one.at.values())], one.repeat))
    return [_row(one, came[one.cell.name]) for one in ordered]


def _row(planned: Planned, outcome: Outcome) -> Measured:
    state = outcome.verdict or outcome.status
    link = outcome.link or ""
    return Measured(planned.cell.name, planned.at, planned.repeat, state, outcome.because, outcome.record, link)
