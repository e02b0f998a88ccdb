"""All results of a folder, and the newest one that may be compared with."""

import json
from pathlib import Path

import pytest

from experiments.analyse.changes import question
from experiments.analyse.history.entries import by_question, entries, lines
from experiments.analyse.history.latest import latest_before, latest_study
from experiments.present.pages.run import Page
from experiments.studies.sweep.page import Sweep
from tests.studies.sweep.made_up_sweep import made_up_sweep
from tests.support.made_up import SMALL, late
from tests.support.results import kept

OTHER_MACHINE = {"cores": 64}
OTHER_VERSION = {"packages": {"falcon": "4.5.0"}}


def test_results_are_told_in_the_order_of_time(tmp_path: Path) -> None:
    """Runs and studies, and nothing else; a link is no result of its own, and half a folder is left out."""
    kept(tmp_path, 2)
    kept(tmp_path, 1)
    made_up_sweep(tmp_path / "grid")
    (tmp_path / "latest").symlink_to("grid")
    (tmp_path / "notes").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "started.json").write_text("{")
    found = entries(tmp_path)
    assert {one.kind for one in found} == {"run", "sweep"}
    assert [one.name for one in found if one.kind == "run"] == ["20261101T100000Z-run", "20261102T100000Z-run"]
    assert len(found) == 3
    assert entries(tmp_path / "nowhere") == []


def test_an_entry_has_the_figures_of_its_summary(tmp_path: Path) -> None:
    """Where the measurement is invalid, nothing is said of the server."""
    record = kept(tmp_path, 1, SMALL.model_copy(update={"slo_status_p99_ms": 50}))
    kept(tmp_path, 2, SMALL.model_copy(update={"slo_status_p99_ms": 50}), lag=late(0.3))
    good, bad = entries(tmp_path)
    summary = record.summary()
    assert good.figures["status p99, ms"] == summary["endpoints"]["status"]["response_ms"]["p99"]
    assert good.figures["CPU per request, µs"] == summary["server"]["cpu_us_per_request"]
    assert (good.measurement, good.service_level) == ("valid", "met")
    assert (bad.measurement, bad.service_level) == ("invalid", "cannot be said")


def test_what_changed_is_told_beside_the_one_before_that_asks_the_same(tmp_path: Path) -> None:
    """Of machine and of versions."""
    kept(tmp_path, 1)
    kept(tmp_path, 2, SMALL.model_copy(update={"clients": 30}), OTHER_MACHINE)
    kept(tmp_path, 3, environment=OTHER_VERSION)
    kept(tmp_path, 4, environment=OTHER_MACHINE | OTHER_VERSION)
    changed = [said for _, said in lines(entries(tmp_path))]
    assert changed[:2] == [[], []]
    assert "falcon 4.4.0 to 4.5.0" in changed[2]
    assert changed[3] == ["cores 2 to 64"]
    assert [len(group) for group in by_question(entries(tmp_path)).values()] == [3, 1]


def test_latest_is_the_newest_earlier_run_of_the_same_question_and_machine(tmp_path: Path) -> None:
    """Left out are later ones, other loads, other hardware, and what may not be believed; another version counts."""
    kept(tmp_path, 1)
    wanted = kept(tmp_path, 2, environment=OTHER_VERSION)
    kept(tmp_path, 3, SMALL.model_copy(update={"clients": 30}))
    kept(tmp_path, 4, environment=OTHER_MACHINE)
    kept(tmp_path, 5, lag=late(0.3))
    now = kept(tmp_path, 6, SMALL.model_copy(update={"seed": 7, "slo_status_p99_ms": 50}))
    kept(tmp_path, 7)
    found = latest_before(now)
    assert found is not None
    assert found.run_id == wanted.run_id
    assert question(found) == question(now)


def test_a_run_is_compared_with_the_latest(tmp_path: Path) -> None:
    """The first one has nothing to be compared with, and says so; the second names the first."""
    first = kept(tmp_path, 1)
    asked = SMALL.model_copy(update={"compare_to": "latest"})
    assert "No earlier run beside this one" in repr(Page(first, asked).changes())
    assert Page(first, asked).result().result.cases
    second = Page(kept(tmp_path, 2), asked)
    assert f"Compared with {first.run_id}." in repr(second.changes())
    assert {case.suite for case in second.result().result.cases} == {"measurement", "change"}


@pytest.mark.parametrize(
    ("plan", "status", "found"), [({}, "valid", True), ({"repeats": 9}, "valid", False), ({}, "invalid", False)]
)
def test_a_sweep_is_compared_with_the_latest_of_its_plan(
    tmp_path: Path, plan: dict[str, int], status: str, found: bool
) -> None:
    """One of another grid, or whose cells may not be believed, is none."""
    before = tmp_path / "before"
    made_up_sweep(before)
    told = json.loads((before / "plan.json").read_text())
    (before / "plan.json").write_text(json.dumps(told | plan))
    (before / "result.json").write_text(json.dumps({"measurement": {"status": status}}))
    now = made_up_sweep(tmp_path / "now")
    assert (latest_study(now.study.folder.path, now.study.asked.plan) == before) is found
    shown = Sweep.of({"sweep_dir": str(tmp_path / "now"), "compare_to": "latest"}).measure()
    assert ("Compared with" in repr(shown.changes())) is found
