"""Cells of an earlier start, which are only looked at: nothing is measured, made or written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.studies.cells.cell import Cell, Outcome
from experiments.studies.cells.folder import Folder
from experiments.studies.cells.session import Cells


class Kept(Cells):
    """Stands in for `Cells`, so the folder need not be this machine's own, nor its systems be installed here."""

    def __init__(self, folder: str | Path, plan: Mapping[str, Any], **_: object) -> None:
        self.folder = Folder(Path(folder))

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def expect(self, cells: object) -> None:
        """None will be measured."""

    def measure(self, cell: Cell) -> Outcome:
        """What lies there."""
        return self.folder.outcome(cell)
