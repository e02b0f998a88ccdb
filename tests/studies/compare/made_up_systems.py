"""Comparisons whose cells are made up: what each system's processes would leave behind, at once and without them."""

from pathlib import Path
from typing import Any

import papermill
import yaml

from experiments.studies.cells import Cell
from experiments.studies.compare.page import measured
from experiments.studies.compare.params import Asked
from experiments.studies.compare.runs import Comparison
from experiments.studies.study import CellStudy, Study
from tests.studies.cells.made_up_cells import Leave, MadeUpCells, leave_record
from tests.support.made_up import Costs

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "compare.ipynb"
SHORT: dict[str, Any] = {
    "systems": "falcon",
    "workloads": "static",
    "loads": "20",
    "database_clients": 10,
    "duet_minutes": 0,
    "blocks": 2,
    "falcon_runs": 0,
    "memory_clients": 0,
    "capacity_systems": "",
    "serial": False,
    "three_clients": 0,
    "interval_ms": 250,
    "minutes": 0.05,
    "warmup_s": 0.5,
    "cool_down_s": 0,
    "compare_id": "it",
}


def given(**changes: Any) -> dict[str, Any]:
    """The notebook's parameters, for a comparison of a few short runs, with changes."""
    told = papermill.inspect_notebook(str(NOTEBOOK))
    return {name: yaml.safe_load(one["default"]) for name, one in told.items()} | SHORT | changes


def asked(**changes: Any) -> Asked:
    """The same, checked."""
    return Asked.from_parameters(given(**changes))


def cores(used: float) -> Leave:
    """A record of a server that used so many cores."""
    return lambda cell, place: leave_record(cell, place, costs=Costs(server=used))


class Made(MadeUpCells):
    """Each system leaves behind what it is told to; after so many cells somebody interrupts."""

    systems: dict[str, Leave]
    stop_after = 10_000
    measured: list[str]

    async def _execute(self, cell: Cell, place: Path) -> None:
        if len(type(self).measured) >= self.stop_after:
            raise KeyboardInterrupt
        type(self).measured.append(cell.name)
        self.systems.get(cell.scenario.server, leave_record)(cell, place)


def made(**changes: Any) -> type[Made]:
    """A kind of cells of its own."""
    return type("MadeHere", (Made,), {"measured": [], "systems": {}, **changes})


def study(folder: Path, kind: type[Made] | None = None, **changes: Any) -> CellStudy[Asked]:
    """A comparison in this folder."""
    return Study(asked(results_dir=str(folder), **changes), bench=kind or made())


def compared(folder: Path, kind: type[Made] | None = None, **changes: Any) -> Comparison:
    """What came of it."""
    return measured(study(folder, kind, **changes), silent, silent)


def silent(progress: object) -> None:
    """Shows no progress."""
