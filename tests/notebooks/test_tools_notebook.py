"""tools.ipynb as people run it: by papermill, in its smallest form, and shown again. Counts only, no speeds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.studies.tools import truth
from experiments.studies.tools.attempt import LEDGER, read_came
from experiments.studies.tools.catalogue import all_tools
from experiments.studies.tools.catalogue.tool import Asked
from tests.notebooks.test_run_notebook import assert_every_cell_shows_something, outputs_text

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
TOOLS, ANSWERS = ("hey", "siege", "lab-epoll"), ("fifth-503", "close-unsaid", "steady")


def papermill(tmp_path: Path, name: str, **parameters: Any) -> Path:
    """Runs the notebook on the smoke parameters, in a folder that is not the project's; returns what came of it."""
    notebook, params = PROJECT / "notebooks" / "tools.ipynb", PROJECT / "params" / "tools.smoke.yaml"
    words = [sys.executable, "-m", "papermill", str(notebook), str(tmp_path / name), "-k", "python3"]
    words += ["-f", str(params), "--log-output", "--no-progress-bar"]
    for key, value in {"results_dir": tmp_path, **parameters}.items():
        words += ["-r", key, str(value)]
    done = subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170)
    assert done.returncode == 0, done.stdout
    return tmp_path / name


def test_real_tools_are_held_against_what_the_server_saw(tmp_path: Path) -> None:
    """What a tool was answered is in the ledger, the page for the docs is written, and who looks later changes nothing."""
    known = all_tools()
    if missing := [known[name].missing for name in TOOLS if known[name].missing]:
        pytest.skip(str(missing[0]))
    notebook = papermill(tmp_path, "first.ipynb", tools_id="it")
    folder = tmp_path / "it"
    for name in TOOLS:
        for answer in ANSWERS:
            place = folder / "tools" / name / answer
            came = read_came(place)
            assert came is not None
            assert came["itself"], (name, answer)
            asked = Asked(**{**came["asked"], "folder": place})
            seen = truth.read(place / LEDGER, asked.timeout_s)
            said = known[name].read((place / "output.txt").read_text(), asked)
            assert 0 <= seen.answered - said.answered <= asked.clients, (name, answer)
            if answer == "fifth-503":
                assert seen.count // 5 - asked.clients <= seen.refused <= seen.count // 5
    written = (folder / "tools.md").read_text()
    assert all(f"| {name} |" in written for name in TOOLS)
    assert all(name in outputs_text(notebook) for name in TOOLS)
    assert_every_cell_shows_something(notebook, "tools: str")
    before = (folder / "journal.jsonl").read_text()
    again = papermill(tmp_path, "again.ipynb", tools_dir=folder)
    assert all(name in outputs_text(again) for name in TOOLS)
    assert (folder / "journal.jsonl").read_text() == before
    assert [json.loads(line)["event"] for line in before.splitlines()].count("done") == len(TOOLS)
