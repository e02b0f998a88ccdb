"""capacity.ipynb as people run it: by papermill on a real server, refused, and gone on with. Counts only, no speeds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]


def papermill(tmp_path: Path, **parameters: Any) -> subprocess.CompletedProcess[str]:
    """Runs the notebook on the smoke parameters, in a folder that is not the project's."""
    notebook, params = PROJECT / "notebooks" / "capacity.ipynb", PROJECT / "params" / "capacity.smoke.yaml"
    words = [sys.executable, "-m", "papermill", str(notebook), str(tmp_path / "out.ipynb"), "-k", "python3"]
    words += ["-f", str(params), "--log-output", "--no-progress-bar"]
    for name, value in {"results_dir": tmp_path, "capacity_id": "it", **parameters}.items():
        words += ["-p", name, str(value)]
    return subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170)


def cells_begun(folder: Path) -> list[str]:
    """The cells that were measured, from the journal."""
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [event["cell"] for event in events if event["event"] == "begun"]


def test_a_real_search_is_foretold_measured_and_gone_on_with(tmp_path: Path) -> None:
    """It ends with a finding, said in a sentence; started again, everything is there and nothing is measured.

    Which finding depends on what else the machine does: a hindered generator is no evidence.
    """
    first = papermill(tmp_path)
    assert first.returncode == 0, first.stdout
    begun = cells_begun(tmp_path / "it")
    assert len(begun) == len(set(begun))
    assert "1-workers_60-devices_1" in begun
    found = json.loads((tmp_path / "it" / "capacity.json").read_text())
    assert found["1"]["how"] in ("largest holds", "smallest misses", "no evidence")
    shown = json.dumps([cell.get("outputs", []) for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells])
    assert "60 devices at 100 ms on 1 worker" in shown
    again = papermill(tmp_path)
    assert again.returncode == 0, again.stdout
    assert cells_begun(tmp_path / "it") == begun


def test_a_search_that_cannot_tell_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """papermill fails with the sentence, and no folder is made."""
    refused = papermill(tmp_path, smallest=10)
    assert refused.returncode == 1
    assert "too few for a p99" in refused.stdout
    assert not (tmp_path / "it").exists()
