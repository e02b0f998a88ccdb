"""Cells of one folder are measured under the same machine, versions and code, or the folder is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.measure.host import fingerprint
from experiments.record import store
from experiments.studies.cells import conditions
from experiments.studies.cells.folder import Folder
from experiments.studies.study import each
from tests.studies.cells.made_up_cells import MadeUpCells, cell, leave_record
from tests.studies.made_up_study import study

PLAN = {"clients": [5]}


def upgraded(**packages: str) -> dict[str, Any]:
    """What this process sees after these versions were installed."""
    now = conditions.conditions(["falcon"])
    return now | {"packages": now["packages"] | packages}


def test_a_plan_says_under_what_its_cells_are_measured(tmp_path: Path) -> None:
    """Machine, versions of the lab and of the systems, and a digest of the code; what was asked is read back without."""
    study(tmp_path, MadeUpCells, systems=("falcon-granian",)).run(each([]))
    under = json.loads((tmp_path / "plan.json").read_text())["fingerprint"]
    assert under["cpu_model"] == fingerprint.fingerprint()["cpu_model"]
    assert {"falcon", "uvicorn", "granian"} <= under["packages"].keys()
    assert len(under["lab_code"]) == 16
    assert Folder(tmp_path).plan() == PLAN


def test_a_start_under_another_version_does_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what differs, and the two ways out; under the same it goes on."""
    for _ in range(2):
        study(tmp_path, MadeUpCells).run(each([cell()]))
    monkeypatch.setattr("experiments.studies.study.conditions", lambda systems: upgraded(falcon="99.0"))
    with pytest.raises(ParameterError) as caught:
        study(tmp_path, MadeUpCells).run(each([cell()]))
    assert "now it is 99.0; the two must not stand in one table" in str(caught.value)
    assert f"another sweep_id to measure anew, or show what is there with sweep_dir='{tmp_path}'." in str(caught.value)


def test_a_change_of_the_labs_own_code_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editable installation has one version while its code changes; what only reads does not count."""
    (tmp_path / "experiments" / "measure").mkdir(parents=True)
    (tmp_path / "experiments" / "analyse").mkdir()
    monkeypatch.setattr(conditions, "_ROOT", tmp_path)
    monkeypatch.setattr(conditions, "_CODE", ("experiments/measure",))

    def written(place: str, text: str) -> dict[str, Any]:
        (tmp_path / "experiments" / place).write_text(text)
        return conditions.conditions([])

    first = written("measure/device.py", "A = 1")
    assert conditions.differences(first, written("analyse/latency.py", "A = 1")) == []
    changed = conditions.differences(first, written("measure/device.py", "A = 2"))
    assert changed == ["the lab's own code that measures and serves has changed"]


def test_a_folder_of_before_is_held_to_what_its_records_say(tmp_path: Path) -> None:
    """Its plan says nothing of machine and versions; its first record does, and what neither says is no difference."""
    folder = Folder(tmp_path)
    folder.begin(PLAN).close()
    folder.begin(PLAN, upgraded(), kind="sweep").close()
    folder.place(cell()).mkdir(parents=True)
    leave_record(cell(), folder.place(cell()))
    with pytest.raises(ParameterError, match="cpu_model was an imagined processor, now it is"):
        folder.begin(PLAN, upgraded(), kind="sweep")
    started = folder.place(cell()) / cell().name / "started.json"
    facts = json.loads(started.read_text())
    store.write_json(started, facts | {"environment": fingerprint.fingerprint()})
    folder.begin(PLAN, upgraded(granian="99.0"), kind="sweep").close()


def test_a_target_that_has_changed_is_another_question(tmp_path: Path) -> None:
    """Its file, and the bodies that it names; a target that stayed as it was is none, wherever cells are measured."""
    target, body = tmp_path / "mine.yaml", tmp_path / "body.bin"
    target.write_text("app: a:b\nendpoints: {only: {request: POST /, file: body.bin}}\n")
    body.write_bytes(b"one")
    before = conditions.conditions([str(target)])
    assert conditions.differences(before, conditions.conditions([str(target)])) == []
    body.write_bytes(b"two")
    assert conditions.differences(before, conditions.conditions([str(target)])) == [f"the target {target} has changed"]
