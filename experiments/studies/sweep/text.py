"""What must be known of a sweep before any figure is read."""

from __future__ import annotations

from experiments.studies import text
from experiments.studies.study import CellStudy
from experiments.studies.sweep.params import Asked


def notes(study: CellStudy[Asked]) -> list[str]:
    """How large it is, and what is special about it."""
    cells, points = study.asked.grid.cells, study.asked.grid.points
    said = [f"Sweep {study.folder.path.name}: {len(cells)} cells in {len(points)} points."]
    said += ["Nothing was measured now."] if study.shown else text.interrupted(study)
    if any(one.cell.scenario.pacing == "after" for one in cells):
        said.append("Closed loop (pacing after): a slow server is asked less often. Compare such cells with their like.")
    return said
