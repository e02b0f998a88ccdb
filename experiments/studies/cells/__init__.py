"""Many cells: each `run.ipynb` executed by papermill in a process of its own, one at a time, kept in one folder.

    with Cells(folder, plan) as cells:
        outcome = cells.measure(Cell("clients-500_1", scenario))   # or what lies there of an earlier start

A cell is done by its own sealed record and by nothing else, so a planner (a grid, a search) is an ordinary loop: killed and
started again in the same folder it is given the outcomes that lie there, and goes on where it was.
"""

from experiments.studies.cells.cell import Cell, Outcome
from experiments.studies.cells.session import CellProgress, Cells

__all__ = ["Cell", "CellProgress", "Cells", "Outcome"]
