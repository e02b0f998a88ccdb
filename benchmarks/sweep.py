"""Prints what it costs to read and show a sweep: 60 cells of 60,000 polls, beside what that is meant to cost.

    python -m benchmarks.sweep            about a minute; nothing is measured, the cells are made up

One run is made up, and copied to every cell of the grid, since reading it costs the same whatever it says.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from IPython.core.interactiveshell import InteractiveShell

from experiments.measure.host import memory
from experiments.present.exporter import LabReportExporter
from experiments.studies.cells.folder import Folder
from experiments.studies.sweep.grid import Grid
from experiments.studies.sweep.page import Sweep
from tests.present.notebooks import executed, notebook
from tests.studies.cells.made_up_cells import leave_record

_ASKED = {"clients": "[500, 501, 502, 503]", "interval_ms": "[500, 501, 502]", "minutes": 0.909, "warmup_s": 0.5}
_REPEATS = 5


def main() -> None:
    """Makes the folder, and has a process of its own read it."""
    if len(sys.argv) > 1:
        return _read(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        polls = _make(Path(folder))
        print(f"60 cells of {polls:,} polls")
        subprocess.run([sys.executable, "-m", "benchmarks.sweep", folder], check=True)
    return None


def _make(folder: Path) -> int:
    """Fills the folder; returns the polls of a cell."""
    grid = Grid.of(_ASKED, repeats=_REPEATS, shuffle_seed=1)
    Folder(folder).begin(grid.plan()).close()
    first, *others = grid.cells
    source = folder / "cells" / first.cell.name
    source.mkdir(parents=True)
    leave_record(first.cell, source)
    record = Folder(folder).outcome(first.cell).record
    assert record is not None
    for planned in others:
        place = folder / "cells" / planned.cell.name
        shutil.copytree(source, place)
        (place / first.cell.name).rename(place / planned.cell.name)
        for name in ("started.json", "run.json"):
            path = place / planned.cell.name / name
            facts = json.loads(path.read_text()) | {"run_id": planned.cell.name}
            facts["scenario"] = planned.cell.scenario.model_dump()
            path.write_text(json.dumps(facts))
    return record.rows.count


def _read(folder: Path) -> None:
    InteractiveShell.instance()
    began, before = time.monotonic(), _peak_mb()
    page = Sweep.of({"slo_status_p99_ms": 5.0, "sweep_dir": str(folder)}).measure()
    shows = (
        *(page.verdict, lambda: page.response("p95"), lambda: page.response("p99"), page.kept, page.costs),
        *(page.growth, page.spreads, page.table, page.changes, page.provenance),
    )
    cells = [executed(show) for show in shows]
    took = time.monotonic() - began
    written, _ = LabReportExporter().from_notebook_node(nbformat.from_dict(notebook(*cells)))
    print(f"analysis and charts  {took:.1f} s  (target <= 10 s)")
    print(f"memory, peak         {_peak_mb():.0f} MB, of which {before:.0f} MB before it began  (target <= 1,000 MB)")
    print(f"the sweep's HTML     {len(written.encode()) / 1e6:.2f} MB  (target <= 6 MB)")


def _peak_mb() -> float:
    return (memory.peak_rss_bytes() or 0) / 1e6


if __name__ == "__main__":
    main()
