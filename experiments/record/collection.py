"""The sealed records that lie at a place: of one run, or of the cells of a sweep or a search.

<run>/run.json                          one record
<folder>/cells/<cell>/<cell>/run.json   one a cell; what was set aside does not count
"""

from __future__ import annotations

from pathlib import Path

from experiments.errors import RecordError
from experiments.record import reading
from experiments.record.reading import Record


def collect(place: str | Path) -> list[Record]:
    """Opens every sealed record at a place, in the order of their names.

    Args:
        place: a run directory, a folder of cells, or the name of either in the project's `results/`.

    Raises:
        RecordError: there is none.
    """
    path = located(place)
    if (path / "started.json").is_file():
        records = [reading.load(path)]
    else:
        records = [reading.load(run) for cell in sorted((path / "cells").glob("*")) if (run := cell / cell.name).is_dir()]
    sealed = [record for record in records if record.finished]
    if not sealed:
        raise RecordError(f"{path} holds no finished run: name the folder of a run, or of a sweep with measured cells.")
    return sealed


def located(place: str | Path) -> Path:
    """The folder of this name, here or in the project's `results/`."""
    return reading.find(place).resolve()
