"""Cells as they really run: papermill in a process of its own, killed in the middle, gone on with. Counts, never speeds."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.studies.cells import Cell, Cells, execute
from experiments.studies.cells.folder import Folder
from tests.notebooks.test_run_notebook import wait_for
from tests.studies.cells.made_up_cells import cell
from tests.support.processes import descendants, still_alive

pytestmark = pytest.mark.slow

SMOKE: dict[str, Any] = {
    "clients": 10,
    "interval_ms": 200,
    "minutes": 0.03,
    "warmup_s": 0.2,
    "timeout_s": 5,
    "sample_ms": 100,
}

PROGRAM = """
import json, sys
from pathlib import Path
from experiments.studies.cells import Cell, Cells, execute
from experiments.studies.cells.folder import Folder
from experiments.scenario import Scenario
folder = Folder(Path(sys.argv[1]))
with folder.begin({"is": "a test"}):
    cells = Cells(folder, cool_down_s=0)
    for name, asked in json.loads(sys.argv[2]).items():
        print(name, cells.measure(Cell(name, Scenario(**asked))).status, flush=True)
"""


def start(folder: Path, asked: dict[str, dict[str, Any]]) -> subprocess.Popen[str]:
    """A process that measures these cells."""
    words = [sys.executable, "-c", PROGRAM, str(folder), json.dumps(asked)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def first_part(folder: Path, name: str) -> Callable[[], bool]:
    return lambda: any((folder / "cells" / name / name / "requests").glob("part-*.parquet"))


def test_a_cell_leaves_its_record_notebook_report_and_log(tmp_path: Path) -> None:
    """A cell that cannot work is marked with the notebook's own words, and the next one is measured."""
    bad, good = Cell("bad", cell(**SMOKE, server_url="http://127.0.0.1:1").scenario), Cell("good", cell(**SMOKE).scenario)
    cells = Cells(Folder(tmp_path), cool_down_s=0)
    outcomes = [cells.measure(one) for one in (bad, good)]
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert outcomes[0].why.startswith("ServerStartError: nothing answers at http://127.0.0.1:1")
    assert outcomes[1].record is not None
    totals, plan = outcomes[1].record.facts["totals"], good.scenario.plan
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert totals["planned"] == sum(sum(plan.planned(client).values()) for client in range(plan.clients))
    for outcome in outcomes:
        assert outcome.report is not None
        assert "</html>" in outcome.report.read_text()
        assert "Executing Cell" in (tmp_path / "cells" / outcome.cell.name / "run.log").read_text()


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_sweep_that_was_ended_leaves_no_process_and_goes_on(tmp_path: Path, how: str) -> None:
    """Ten seconds later nothing is left; started again, it measures what has no whole record, and that alone."""
    asked = {"one": SMOKE, "two": SMOKE | {"minutes": 5}}
    process = start(tmp_path, asked)
    wait_for(first_part(tmp_path, "two"))
    family = descendants(process.pid)
    assert len(family) >= 6, "the sweep, a guard, papermill, a kernel, the server and a generator"
    process.send_signal(signal.Signals[how])
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert still_alive(family) == []
    assert output.splitlines()[0] == "one done"
    assert Folder(tmp_path).outcome(Cell("two", cell(**asked["two"]).scenario)).status == "unfinished"
    sealed = (tmp_path / "cells" / "one" / "one" / "run.json").read_bytes()

    process = start(tmp_path, asked)
    wait_for(lambda: (tmp_path / "aside" / "two-1").is_dir())
    wait_for(first_part(tmp_path, "two"))
    process.kill()
    output, _ = process.communicate(timeout=30)
    assert output.splitlines() == ["one done"]
    assert (tmp_path / "cells" / "one" / "one" / "run.json").read_bytes() == sealed


@pytest.mark.parametrize(("whom", "says"), [("-P", "its process ended with code -9"), ("-I", "its process was lost")])
def test_a_cell_whose_process_or_guard_is_killed_has_failed(tmp_path: Path, whom: str, says: str) -> None:
    """The sweep goes on without it, and nothing of it is left."""
    process = start(tmp_path, {"one": SMOKE | {"minutes": 5}, "two": SMOKE})
    wait_for(first_part(tmp_path, "one"))
    family = descendants(process.pid)[1:]
    next(one for one in family if execute.__file__ in one.cmdline() and one.cmdline()[1] == whom).kill()
    output, _ = process.communicate(timeout=60)
    assert output.splitlines() == ["one failed", "two done"]
    assert still_alive(family) == []
    assert json.loads((tmp_path / "cells" / "one" / "failed.json").read_text())["why"].startswith(says)


def test_a_folder_that_was_killed_is_free_at_once(tmp_path: Path) -> None:
    """The lock goes with its process, however it ends, although the cell's own processes take a moment longer."""
    process = start(tmp_path, {"one": SMOKE | {"minutes": 5}})
    wait_for(first_part(tmp_path, "one"))
    family = descendants(process.pid)
    process.kill()
    process.wait()
    began = time.monotonic()
    Folder(tmp_path).begin({"is": "a test"}).close()
    assert time.monotonic() - began < 5
    process.communicate()
    assert still_alive(family) == []
