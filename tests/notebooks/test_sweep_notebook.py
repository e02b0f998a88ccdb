"""sweep.ipynb as people run it: by papermill, killed in the middle and gone on with. Counts and causes, never speeds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import yaml

from experiments.scenario import Scenario
from experiments.studies.sweep.grid import AXES, Grid
from experiments.studies.sweep.page import Sweep
from experiments.studies.sweep.params import Own
from tests.notebooks.test_run_notebook import (
    Kernel,
    assert_every_cell_shows_something,
    finish,
    kernel,
    outputs_text,
    wait_for,
)
from tests.support.processes import descendants, still_alive

__all__ = ["kernel"]

PROJECT = Path(__file__).parents[2]
NOTEBOOK = PROJECT / "notebooks" / "sweep.ipynb"


def start(tmp_path: Path, **parameters: Any) -> subprocess.Popen[str]:
    """papermill on the smoke parameters."""
    words = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(tmp_path / "sweep.ipynb"), "-k", "python3"]
    words += ["-f", str(PROJECT / "params" / "sweep.smoke.yaml"), "--log-output", "--no-progress-bar"]
    for name, value in {"results_dir": tmp_path, "sweep_id": "it", **parameters}.items():
        words += ["-p", name, str(value)]
    return subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_notebook_has_every_parameter_of_a_sweep_with_the_defaults_of_a_run() -> None:
    """Only the two axes and the length of a cell differ from what `run.ipynb` takes."""
    told = papermill.inspect_notebook(str(NOTEBOOK))
    assert set(told) == set(Own.names())
    values = {name: yaml.safe_load(one["default"].replace("None", "null")) for name, one in told.items()}
    differing = {name for name in AXES if values[name] != Scenario.model_fields[name].default}
    assert differing == {"clients", "interval_ms", "minutes"}


@pytest.mark.parametrize(("name", "cells"), [("sweep.yaml", 24), ("sweep.smoke.yaml", 2)])
def test_shipped_parameters_are_a_grid(name: str, cells: int) -> None:
    """Each file has the cells that it is meant to have, and no parameter in it is refused."""
    asked = yaml.safe_load((PROJECT / "params" / name).read_text())
    own = {key: asked.pop(key) for key in ("repeats", "cool_down_s")}
    grid = Grid.of(asked, repeats=own["repeats"], shuffle_seed=1)
    assert len(grid.cells) == cells
    Sweep.of(asked | own)


@pytest.mark.slow
def test_a_real_sweep_leaves_everything_in_its_folder(tmp_path: Path) -> None:
    """Lists come as text; every cell has its record, notebook and report, and the page links to them."""
    process = start(tmp_path, clients="[10]", interval_ms="[100, 200]")
    log = finish(process)
    assert process.returncode == 0, log
    cells = sorted(path.name for path in (tmp_path / "it" / "cells").iterdir())
    assert cells == ["clients-10_interval_ms-100_1", "clients-10_interval_ms-200_1"]
    for cell in cells:
        place = tmp_path / "it" / "cells" / cell
        assert {"run.ipynb", "report.html", "run.log", cell} <= {path.name for path in place.iterdir()}
        totals = json.loads((place / cell / "run.json").read_text())["totals"]
        assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    shown = outputs_text(tmp_path / "sweep.ipynb")
    assert all(f"cells/{cell}/report.html" in shown for cell in cells)
    assert_every_cell_shows_something(tmp_path / "sweep.ipynb")


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    """papermill and kernel die by SIGKILL: ten seconds later nothing is left; the same again measures what is missing."""
    process = start(tmp_path)
    cells = tmp_path / "it" / "cells"
    wait_for(lambda: len(list(cells.glob("*/*/run.json"))) == 1)
    wait_for(lambda: len(list(cells.glob("*/*/started.json"))) == 2)
    family = descendants(process.pid)
    kernel = next(one for one in family if "ipykernel_launcher" in " ".join(one.cmdline()) and one.ppid() == process.pid)
    os.kill(kernel.pid, signal.SIGKILL)
    process.kill()
    finish(process)
    assert still_alive(family) == []
    (done,) = cells.glob("*/*/run.json")
    before = done.read_bytes()
    process = start(tmp_path)
    log = finish(process)
    assert process.returncode == 0, log
    assert done.read_bytes() == before
    assert len(list(cells.glob("*/*/run.json"))) == 2
    assert len(list((tmp_path / "it" / "aside").iterdir())) == 1


@pytest.mark.slow
def test_an_interrupt_in_jupyterlab_shows_what_was_measured(kernel: Kernel, tmp_path: Path) -> None:
    """The cell under way ends with all its processes, and the notebook's other cells run."""
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    values = yaml.safe_load((PROJECT / "params" / "sweep.smoke.yaml").read_text())
    values |= {"results_dir": str(tmp_path), "sweep_id": "it", "minutes": 5}
    asked = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    ids = kernel.queue([sources[0], asked, *sources[1:]])
    wait_for(lambda: list(tmp_path.glob("it/cells/*/*/requests/part-*.parquet")))
    children = descendants(kernel.pid)[1:]
    assert len(children) >= 5, "a guard, papermill, a kernel, the server and a generator"
    kernel.manager.interrupt_kernel()
    replies = kernel.replies(ids)
    assert [replies[id_]["status"] for id_ in ids] == ["ok"] * len(ids)
    assert still_alive(children) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"cleints": "[5]"}, "did you mean 'clients'"),
        ({"clients": "[]"}, "the list lacks a value"),
        ({"compare_to": "nowhere"}, "holds no finished run"),
    ],
)
def test_a_mistake_ends_the_notebook_before_anything_starts(tmp_path: Path, parameters: dict[str, Any], says: str) -> None:
    """Exit code 1, one sentence, and no folder."""
    process = start(tmp_path, **parameters)
    log = finish(process)
    assert process.returncode == 1
    assert says in log
    assert not (tmp_path / "it").exists()
