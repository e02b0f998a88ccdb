"""calibrate.ipynb as people run it: by papermill, in its smallest form, and shown again. Counts only, no speeds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.measure.host import fingerprint
from experiments.record import reading
from experiments.studies.calibrate import known
from tests.notebooks.test_run_notebook import assert_every_cell_shows_something, outputs_text

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]


def papermill(tmp_path: Path, name: str, **parameters: Any) -> Path:
    """Runs the notebook on the smoke parameters, in a folder that is not the project's; returns what came of it."""
    notebook, params = PROJECT / "notebooks" / "calibrate.ipynb", PROJECT / "params" / "calibrate.smoke.yaml"
    words = [sys.executable, "-m", "papermill", str(notebook), str(tmp_path / name), "-k", "python3"]
    words += ["-f", str(params), "--log-output", "--no-progress-bar"]
    for key, value in {"results_dir": tmp_path, **parameters}.items():
        words += ["-r", key, str(value)]
    done = subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170)
    assert done.returncode == 0, done.stdout
    return tmp_path / name


def tried(folder: Path) -> list[str]:
    """The cases that were begun, from the journal."""
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [event["case"] for event in events if event["event"] == "begun"]


def test_a_real_calibration_is_measured_certified_and_shown_again(tmp_path: Path) -> None:
    """Every cell shows something, the certificate counts what was tried, and who looks later changes nothing.

    Whether a trial passes depends on what else the machine does.
    """
    notebook = papermill(tmp_path, "first.ipynb", calibration_id="it")
    begun = tried(tmp_path / "it")
    planned = [case.name for case in known.cases(known.QUICK, ["fixed"], ["httpx"])]
    assert begun
    assert begun == planned[: len(begun)]
    runs = [reading.load(path.parent) for path in (tmp_path / "it").glob("*/run.json")]
    assert len(runs) == len(begun)
    for totals in (record.facts["totals"] for record in runs):
        assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    certificate = tmp_path / fingerprint.CERTIFICATE
    counts = json.loads(certificate.read_text())["parts"][known.PART]
    assert counts["passed"] + counts["failed"] == len(begun)
    assert all(name in outputs_text(notebook) for name in begun)
    assert_every_cell_shows_something(notebook, "variant: str")
    before = certificate.read_bytes()
    again = papermill(tmp_path, "again.ipynb", calibration_dir=tmp_path / "it")
    assert all(name in outputs_text(again) for name in begun)
    assert (tried(tmp_path / "it"), certificate.read_bytes()) == (begun, before)
