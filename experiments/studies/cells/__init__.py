"""Many cells: each `run.ipynb` executed by papermill in a process of its own, one at a time, kept in one folder.

    outcome = Cells(folder).measure(Cell("clients-500_1", scenario))   # or what lies there of an earlier start

A cell is done by its own sealed record and by nothing else, so what was killed goes on where it was.

    cell.py        a cell, and what came of it
    folder.py      where everything of it lies, and what can be seen there
    journal.py     what happened
    conditions.py  under what cells are measured: machine, versions, code
    session.py     one after the other
    execute.py     the program that one is
"""

from experiments.studies.cells.cell import Cell, Outcome
from experiments.studies.cells.session import CellProgress, Cells

__all__ = ["Cell", "CellProgress", "Cells", "Outcome"]
