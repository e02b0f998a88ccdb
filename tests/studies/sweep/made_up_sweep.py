"""A sweep whose cells are made up: its folder as a real one leaves it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.runner import summarise
from experiments.studies.cells.folder import Folder
from experiments.studies.sweep.grid import Grid, Planned
from experiments.studies.sweep.page import Sweep
from tests.studies.cells.made_up_cells import leave_record
from tests.support.made_up import Costs, Server, ideal, late

ASKED: dict[str, Any] = {"clients": "[20, 40]", "interval_ms": "[250, 500]", "minutes": 0.1, "warmup_s": 0.5}

How = Callable[[Planned], Mapping[str, Any] | None]
"""Arguments for `made_up`, cell by cell; None for a cell that is not measured."""


def busy(planned: Planned) -> dict[str, Any]:
    """A server that waits longer and costs more the more it is asked; each repeat a little different."""
    load = planned.cell.scenario.plan.polls_per_s
    base = 0.0004 * (1 + load / 400) * (1 + 0.05 * planned.repeat)
    return {"server": slow(base, planned.repeat), "costs": Costs(server=min(0.95, load / 2000 + 0.02))}


def slow(base_s: float, seed: int = 1) -> Server:
    """Answers in `base_s` and half as much jitter."""
    return ideal(base_s, base_s / 2, seed)


def of_no_use(planned: Planned) -> dict[str, Any]:
    """A generator so late that the verdict is invalid."""
    return {"lag": late(0.3)}


def made_up_sweep(folder: Path, asked: Mapping[str, Any] | None = None, *, repeats: int = 1, how: How = busy) -> Sweep:
    """Fills the folder of a sweep, and opens the sweep that finds it."""
    grid = Grid.of(asked or ASKED, repeats=repeats, shuffle_seed=1)
    Folder(folder).begin(grid.plan()).close()
    for planned in grid.cells:
        options = how(planned)
        if options is None:
            continue
        place = folder / "cells" / planned.cell.name
        place.mkdir(parents=True)
        leave_record(planned.cell, place, **options)
        if (outcome := Folder(folder).outcome(planned.cell)).record:
            summarise(outcome.record)
    return Sweep.of({"sweep_dir": str(folder)})
