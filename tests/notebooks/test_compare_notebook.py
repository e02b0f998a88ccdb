"""compare.ipynb as people run it: by papermill, short and real, and refused. Counts and causes, never speeds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import papermill
import pytest
import yaml

from experiments.record import reading
from experiments.studies.compare.page import Compare
from experiments.studies.compare.params import Own
from experiments.studies.compare.strategy import Course
from experiments.studies.study import Study
from tests.notebooks.test_run_notebook import assert_every_cell_shows_something, finish, outputs_text
from tests.studies.compare.made_up_systems import NOTEBOOK, asked, given

PROJECT = NOTEBOOK.parents[1]
SHORT: dict[str, Any] = {
    "systems": "falcon,bare-asgi",
    "workloads": "static",
    "loads": 20,
    "duet_minutes": 0.05,
    "blocks": 1,
    "falcon_runs": 0,
    "memory_clients": 0,
    "capacity_systems": "",
    "serial": False,
    "three_clients": 0,
    "interval_ms": 200,
    "minutes": 0.02,
    "warmup_s": 0.3,
    "cool_down_s": 0,
    "sample_ms": 100,
}


def start(tmp_path: Path, **parameters: Any) -> subprocess.Popen[str]:
    """papermill on a comparison of two duets of three seconds."""
    words = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(tmp_path / "compare.ipynb"), "-k", "python3"]
    words += ["--log-output", "--no-progress-bar"]
    for name, value in {**SHORT, "results_dir": tmp_path, "compare_id": "it", **parameters}.items():
        words += ["-p", name, str(value)]
    return subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_notebook_has_every_parameter_of_a_comparison() -> None:
    """Its parameters cell names what the study takes, and nothing that it would refuse."""
    assert set(papermill.inspect_notebook(str(NOTEBOOK))) == set(Own.names())


@pytest.mark.parametrize(("name", "minutes"), [("compare.yaml", 90), ("compare.quick.yaml", 10)])
def test_shipped_parameters_end_in_the_time_that_they_promise(name: str, minutes: float) -> None:
    """The estimate made before anything is measured lies within their own budget."""
    study = Study(asked(**yaml.safe_load((PROJECT / "params" / name).read_text())))
    estimate = Course(study).estimate
    assert estimate.fits
    assert estimate.seconds <= 60 * minutes


@pytest.mark.slow
def test_a_real_comparison_leaves_everything_in_its_folder(tmp_path: Path) -> None:
    """Every run has its record, notebook and report, the page links to them; whoever looks later sees the same answer."""
    process = start(tmp_path)
    log = finish(process)
    assert process.returncode == 0, log
    cells = sorted(path.name for path in (tmp_path / "it" / "cells").iterdir())
    assert cells == ["static-20_bare-asgi_duet", "static-20_falcon_again"]
    for cell in cells:
        totals = reading.load(tmp_path / "it" / "cells" / cell / cell).facts["totals"]
        assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    shown = outputs_text(tmp_path / "compare.ipynb")
    assert all(f"cells/{cell}/report.html" in shown for cell in cells)
    assert_every_cell_shows_something(tmp_path / "compare.ipynb", "systems: str")
    again = Compare.from_notebook(given(compare_dir=str(tmp_path / "it"))).measure()
    assert sorted(run.cell.name for run in again.comparison.runs) == cells
    # Whether such a short run may be believed is a matter of this machine; that it was measured is not.
    assert all((run.duet is not None) == run.counts == (run.why == "") for run in again.comparison.runs)
    summaries = [run.outcome.summary for run in again.comparison.runs if run.outcome.summary]
    assert sorted(one["duet"]["b"] for one in summaries) == ["bare-asgi", "falcon (2)"]
    assert json.dumps(str(again.answer()))[1:-1] in shown


@pytest.mark.slow
def test_a_mistake_ends_the_notebook_before_anything_starts(tmp_path: Path) -> None:
    """Exit code 1, one sentence with the nearest name, and no folder."""
    process = start(tmp_path, systems="falcn,bare-asgi")
    log = finish(process)
    assert process.returncode == 1
    assert "did you mean 'falcon'" in log
    assert not (tmp_path / "it").exists()
