"""What runs and sweeps come to as data: exit codes, cases, figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.summary import summarise
from experiments.present.pages.run import Page
from experiments.present.result.model import Judgement, Result
from experiments.record.schema import Outcome
from experiments.studies.sweep.page import Sweep
from tests.studies.sweep.made_up_sweep import made_up_sweep, of_no_use
from tests.support.made_up import SMALL, Answer, failing, late, made_up


def result_of(folder: Path, asked: dict[str, Any] | None = None, **made: Any) -> Result:
    """The result of a made-up run."""
    scenario = SMALL.model_copy(update=asked or {})
    return Page(made_up(folder, scenario, **made)).result().result


@pytest.mark.parametrize(
    ("level", "measurement", "worse", "exit_code"),
    [
        ("not asked", "valid", [], 0),
        ("met", "suspect", [], 0),
        ("missed", "valid", [], 1),
        ("not asked", "valid", ["p99 by 20 %"], 1),
        ("missed", "invalid", ["p99 by 20 %"], 2),
        ("cannot be said", "valid", [], 2),
        ("not asked", "invalid", [], 2),
    ],
)
def test_the_exit_code_says_what_must_be_looked_at_first(
    level: str, measurement: str, worse: list[str], exit_code: int
) -> None:
    """What cannot be relied on comes before what the server missed."""
    judged = {"service_level": Judgement(status=level), "measurement": Judgement(status=measurement)}
    made = Result(kind="run", name="it", title="", answer="", regressions=worse, **judged)
    assert made.exit_code == exit_code


def test_a_run_that_keeps_its_level_is_fine(tmp_path: Path) -> None:
    """Every limit is a case that has passed."""
    found = result_of(tmp_path, {"slo_status_p99_ms": 50, "slo_failure_pct": 1})
    levels = {case.name: case.status for case in found.cases if case.suite == "service level"}
    assert levels == {"status_response_p99_ms": "passed", "failure_pct": "passed"}
    assert (found.service_level.status, found.measurement.status, found.exit_code) == ("met", "valid", 0)


def test_a_missed_level_has_failed_and_an_invalid_check_is_an_error(tmp_path: Path) -> None:
    """The two are told apart: one is the server's doing, the other says that nothing is known."""
    missed = result_of(tmp_path / "a", {"slo_failure_pct": 1}, server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    assert [case.status for case in missed.cases if case.name == "failure_pct"] == ["failed"]
    assert missed.exit_code == 1
    invalid = result_of(tmp_path / "b", lag=late(0.3))
    assert "error" in {case.status for case in invalid.cases if case.suite == "measurement"}
    assert invalid.exit_code == 2


def test_figures_are_in_base_units_and_count_every_poll(tmp_path: Path) -> None:
    """Seconds where the summary has ms; the states of an endpoint's polls are those of the summary."""
    record = made_up(tmp_path, SMALL)
    summary, found = summarise(record), Page(record).result().result
    values = {(one.name, *sorted(one.labels.items())): one.value for one in found.figures}
    status = summary["endpoints"]["status"]
    assert values["polls", ("endpoint", "status"), ("state", "planned")] == status["planned"]
    at = "response_seconds", ("endpoint", "status"), ("quantile", "0.99")
    assert values[at] == pytest.approx(status["response_ms"]["p99"] / 1000)


def test_a_time_that_is_only_known_to_be_longer_is_marked(tmp_path: Path) -> None:
    """A reader of metrics must not take the time that polls had waited for their response."""
    scenario = SMALL.model_copy(update={"timeout_s": 0.05})
    found = Page(made_up(tmp_path, scenario, server=lambda poll: Answer(1000.0))).result().result
    assert {one.labels.get("bound") for one in found.figures if one.name == "response_seconds"} == {"lower"}


def test_a_sweep_names_its_cells_and_where_the_level_is_missed(tmp_path: Path) -> None:
    """A case a cell; the answer has the lightest and the heaviest point."""
    sweep = made_up_sweep(tmp_path / "it")
    found = sweep.measure().result().result
    assert found.kind == "sweep"
    assert found.name == "it"
    assert [case.status for case in found.cases] == ["passed"] * 4
    assert "clients=20" in found.answer
    assert "clients=40" in found.answer
    assert found.exit_code == 0
    assert len(found.tables[0].rows) == 4


def test_a_sweep_whose_level_is_missed_has_failed(tmp_path: Path) -> None:
    """Exit code 1, and a failed case a point and limit."""
    made_up_sweep(tmp_path / "it")
    sweep = Sweep.of({"sweep_dir": str(tmp_path / "it"), "slo_status_p99_ms": 0.01})
    found = sweep.measure().result().result
    assert found.service_level.status == "missed"
    assert found.exit_code == 1
    assert len([case for case in found.cases if case.status == "failed"]) >= 4


def test_a_sweep_without_a_usable_cell_is_not_measured(tmp_path: Path) -> None:
    """Exit code 2: its figures may not be used."""
    found = made_up_sweep(tmp_path / "it", how=of_no_use).measure().result().result
    assert found.measurement.status == "invalid"
    assert found.exit_code == 2
    assert found.figures == []


def test_data_of_a_result_is_json_and_comes_back_whole(tmp_path: Path) -> None:
    """What a program reads is what was meant."""
    found = result_of(tmp_path)
    told = json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
    assert told.pop("exit_code") == found.exit_code
    assert Result(**told) == found
