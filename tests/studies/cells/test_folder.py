"""The state of a cell is what lies in its folder; a folder belongs to one plan and one process."""

import json
from pathlib import Path

import polars as pl
import pytest

from experiments.errors import ParameterError
from experiments.record import reading
from experiments.record.state import Cut, CutKind
from experiments.studies.cells import Cell
from experiments.studies.cells.folder import Folder
from tests.studies.cells.made_up_cells import SHORT, cell, leave_failure, leave_record
from tests.support.made_up import damage_facts, damage_rows, made_up

PLAN = {"clients": [5, 10], "repeats": 2}


def prepared(tmp_path: Path, asked: Cell) -> tuple[Folder, Path]:
    """A folder with an empty place for this cell."""
    folder = Folder(tmp_path)
    folder.place(asked).mkdir(parents=True)
    return folder, folder.place(asked)


@pytest.mark.parametrize("name", ["", "../elsewhere", "a/b", ".hidden", "ü", "x" * 101, "a\n"])
def test_a_cell_is_named_like_a_folder(name: str) -> None:
    """No name leads out of the sweep's folder."""
    with pytest.raises(ParameterError, match="no path"):
        Cell(name, SHORT)


def test_a_sealed_record_makes_a_cell_done(tmp_path: Path) -> None:
    """Its record, its verdict and its report are there; a summary is made where there was none."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place)
    outcome = folder.outcome(cell())
    assert (outcome.status, outcome.why, outcome.verdict) == ("done", "", "valid")
    assert outcome.believed
    assert outcome.report == place / "report.html"
    assert outcome.summary is not None
    assert outcome.summary["endpoints"]["status"]["planned"] == 5 * 12


def test_a_cell_whose_turn_has_not_come_is_not_measured(tmp_path: Path) -> None:
    """Nothing lies there, and nothing is made up."""
    outcome = Folder(tmp_path).outcome(cell())
    assert (outcome.status, outcome.summary, outcome.verdict, outcome.believed) == ("not measured", None, None, False)


def test_a_record_without_a_seal_is_unfinished(tmp_path: Path) -> None:
    """What a killed run left is kept on disk, and does not count as measured."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place, killed_at=1.0)
    assert folder.outcome(cell()).status == "unfinished"


def test_a_run_that_the_experimenter_interrupted_is_unfinished(tmp_path: Path) -> None:
    """It was sealed, but it is not what the sweep asked for."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place, cut_short_at=1.0)
    damage_facts(reading.load(place / cell().name), lambda facts: facts.update(Cut(CutKind.INTERRUPTED).facts()))
    assert folder.outcome(cell()).status == "unfinished"


def test_a_run_that_was_cut_short_for_another_reason_is_a_result(tmp_path: Path) -> None:
    """To measure it again would hide that; its verdict says what it is worth."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place, cut_short_at=1.0)
    lost = Cut(CutKind.GENERATOR_LOST, "generator 0 was lost")
    damage_facts(reading.load(place / cell().name), lambda facts: facts.update(lost.facts()))
    assert folder.outcome(cell()).done


def test_a_notebook_that_raised_has_failed_with_its_own_words(tmp_path: Path) -> None:
    """The sentence of the error is the reason."""
    folder, place = prepared(tmp_path, cell())
    leave_failure(cell(), place)
    outcome = folder.outcome(cell())
    assert (outcome.status, outcome.why) == ("failed", "ServerStartError: no room")


def test_a_process_that_ended_without_a_word_has_failed(tmp_path: Path) -> None:
    """What is known of its end is the reason, unless the notebook has said one."""
    folder, place = prepared(tmp_path, cell())
    folder.tell_failure(cell(), "its process ended with code -9")
    assert folder.outcome(cell()).why == "its process ended with code -9"
    leave_failure(cell(), place)
    assert folder.outcome(cell()).why == "ServerStartError: no room"


def test_word_of_a_failure_does_not_touch_a_cell_that_is_done(tmp_path: Path) -> None:
    """A notebook may break after its record was sealed; the record counts."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place)
    folder.tell_failure(cell(), "its process ended with code 1")
    assert folder.outcome(cell()).done
    assert not (place / "failed.json").exists()


DAMAGES = {
    "run.json cut off": lambda run: (run / "run.json").write_text('{"schema_ver'),
    "run.json of another kind": lambda run: (run / "run.json").write_text("{}"),
    "started.json missing": lambda run: (run / "started.json").unlink(),
    "rows altered": lambda run: damage_rows(reading.load(run), lambda rows: rows.with_columns(pl.col("done_s") * 0.5)),
    "a part missing": lambda run: (run / "requests" / "part-0-0.parquet").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_record_that_is_not_as_it_was_sealed_is_damaged(tmp_path: Path, damage: str) -> None:
    """However it came about; the reason is given."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place)
    DAMAGES[damage](place / cell().name)
    outcome = folder.outcome(cell())
    assert (outcome.status, outcome.record) == ("damaged", None)
    assert outcome.why


def test_a_record_of_another_question_is_no_answer(tmp_path: Path) -> None:
    """A folder that was copied to the place of another cell is noticed."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(clients=6), place)
    assert folder.outcome(cell()).why == "its record answers another question"


def test_a_summary_that_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    """The record is what counts; figures can be worked out from it at any time."""
    folder, place = prepared(tmp_path, cell())
    leave_record(cell(), place)
    (place / cell().name / "summary.json").write_text("{")
    assert folder.outcome(cell()).verdict == "valid"


def test_an_attempt_that_does_not_count_is_kept_aside(tmp_path: Path) -> None:
    """Each under a number of its own, and the journal says why."""
    folder = Folder(tmp_path)
    for _ in range(3):
        (folder.clear(cell(), "it was killed") / "run.log").write_text("the log")
    assert sorted(path.name for path in (tmp_path / "aside").iterdir()) == ["clients-5_1-1", "clients-5_1-2"]
    assert (tmp_path / "aside" / "clients-5_1-1" / "run.log").read_text() == "the log"
    assert [event["why"] for event in folder.journal.events()] == ["it was killed"] * 2


def test_a_folder_is_gone_on_with_for_the_same_plan(tmp_path: Path) -> None:
    """A tuple and a list are the same once written."""
    Folder(tmp_path).begin(PLAN).close()
    Folder(tmp_path).begin({"clients": (5, 10), "repeats": 2}).close()


def test_a_folder_of_another_plan_is_refused_with_the_difference(tmp_path: Path) -> None:
    """Every difference is named, also a name that only one of the two has."""
    Folder(tmp_path).begin(PLAN).close()
    with pytest.raises(ParameterError) as caught:
        Folder(tmp_path).begin({"clients": [5, 20], "repeats": 2, "workers": [1]})
    assert "clients was [5, 10], now it is [5, 20]; workers was not asked, now it is [1]" in str(caught.value)
    assert json.loads((tmp_path / "plan.json").read_text()) == PLAN


def test_a_folder_is_open_to_one_process_at_a_time(tmp_path: Path) -> None:
    """Two that measure at the same time would spoil each other's figures."""
    lock = Folder(tmp_path).begin(PLAN)
    with pytest.raises(ParameterError, match="another process"):
        Folder(tmp_path).begin(PLAN)
    lock.close()
    Folder(tmp_path).begin(PLAN).close()


def test_the_folder_of_a_single_run_is_refused(tmp_path: Path) -> None:
    """Cells do not go into somebody's record."""
    record = made_up(tmp_path, SHORT)
    with pytest.raises(ParameterError, match="a single run"):
        Folder(record.path).begin(PLAN)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Its name is taken by a file."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(ParameterError, match="cannot be written"):
        Folder(tmp_path / "taken").begin(PLAN)
