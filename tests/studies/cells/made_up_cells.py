"""Cells whose runs are made up: what a cell's process would leave behind, without one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from experiments.record import store
from experiments.scenario import Scenario
from experiments.studies.cells import Cell, Cells
from experiments.studies.cells.folder import Folder
from tests.present.notebooks import failed
from tests.support.made_up import damage_facts, made_up

SHORT = Scenario(clients=5, interval_ms=250, minutes=0.05, warmup_s=0.5)

Leave = Callable[[Cell, Path], None]
"""Leaves behind what a cell's process would."""


def cell(name: str = "clients-5_1", **changes: Any) -> Cell:
    """A cell that asks for the short scenario, with changes."""
    return Cell(name, Scenario.from_parameters(SHORT.model_dump() | changes))


def leave_record(cell: Cell, place: Path, **how: Any) -> None:
    """A record as `made_up` makes it, with the checksums of its parts."""
    record = made_up(place, cell.scenario.model_copy(update={"run_id": cell.name}), **how)
    if record.finished:
        sums = [store.checksum(part) for part in sorted((record.path / "requests").iterdir())]
        damage_facts(record, lambda facts: facts["generator"]["instances"][0].update(part_sha256=sums))
    (place / "report.html").write_text("<p>made up</p>")


def leave_failure(cell: Cell, place: Path) -> None:
    """An executed notebook that raised, and no record."""
    notebook = nbformat.v4.new_notebook(cells=[failed("ServerStartError", "no room")])
    nbformat.write(notebook, place / "run.ipynb")


def leave_nothing(cell: Cell, place: Path) -> None:
    """What is left after a kill before anything was written."""


class MadeUpCells(Cells):
    """Measures nothing: each cell leaves behind what it is told to, at once."""

    settle_s = 0.0

    def __init__(self, folder: Folder, *, leave: dict[str, Leave] | None = None, **options: Any) -> None:
        super().__init__(folder, **{"cool_down_s": 0.0, **options})
        self.leave = leave or {}
        self.begun: list[str] = []

    async def _execute(self, cell: Cell, place: Path) -> None:
        self.begun.append(cell.name)
        self.leave.get(cell.name, leave_record)(cell, place)


def bench(folder: Path, **options: Any) -> MadeUpCells:
    """Made-up cells in a folder that is there."""
    folder.mkdir(exist_ok=True)
    return MadeUpCells(Folder(folder), **options)
