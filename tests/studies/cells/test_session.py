"""Cells one after the other: what is done is not measured again, and no cell stops the others."""

import json
from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.studies.cells import CellProgress, Outcome
from experiments.studies.cells.folder import Folder
from tests.studies.cells.made_up_cells import Leave, MadeUpCells, bench, cell, leave_failure, leave_nothing, leave_record

THREE = [cell(f"clients-{number}_1", clients=number) for number in (5, 6, 7)]


def start(tmp_path: Path, leave: dict[str, Leave] | None = None) -> tuple[list[Outcome], list[str]]:
    """One start of a sweep of three cells: what came of them, and which were begun."""
    cells = bench(tmp_path, leave=leave)
    return [cells.measure(one) for one in THREE], cells.begun


def test_cells_are_measured_once(tmp_path: Path) -> None:
    """Started again, a sweep finds everything done and begins nothing."""
    first, begun = start(tmp_path)
    assert [outcome.status for outcome in first] == ["done"] * 3
    assert begun == [one.name for one in THREE]
    again, begun = start(tmp_path)
    assert [outcome.verdict for outcome in again] == [outcome.verdict for outcome in first]
    assert begun == []


@pytest.mark.parametrize("leave", [leave_failure, leave_nothing, lambda one, place: leave_record(one, place, killed_at=1.0)])
def test_a_cell_without_a_record_does_not_stop_the_rest_and_is_tried_again(tmp_path: Path, leave: Leave) -> None:
    """It is marked; the next start measures it, and keeps the attempt."""
    outcomes, _ = start(tmp_path, {THREE[1].name: leave})
    assert [outcome.done for outcome in outcomes] == [True, False, True]
    assert outcomes[1].why
    outcomes, begun = start(tmp_path)
    assert [outcome.done for outcome in outcomes] == [True] * 3
    assert begun == [THREE[1].name]
    assert (tmp_path / "aside" / f"{THREE[1].name}-1").is_dir()


def test_a_damaged_cell_is_measured_again_and_the_old_one_kept(tmp_path: Path) -> None:
    """The damaged record is set aside as it is."""
    start(tmp_path)
    name = THREE[2].name
    (tmp_path / "cells" / name / name / "run.json").write_text("{")
    outcomes, begun = start(tmp_path)
    assert [outcome.done for outcome in outcomes] == [True] * 3
    assert begun == [name]
    assert (tmp_path / "aside" / f"{name}-1" / name / "run.json").read_text() == "{"


def test_progress_counts_all_cells_and_foretells_the_end(tmp_path: Path) -> None:
    """Cells of an earlier start count as done; what remains shrinks to nothing."""
    start(tmp_path, {THREE[1].name: leave_failure, THREE[2].name: leave_failure})
    seen: list[CellProgress] = []
    cells = bench(tmp_path, on_progress=seen.append)
    cells.expect(THREE)
    for one in THREE:
        cells.measure(one)
    done = [progress for progress in seen if progress.phase == "done"]
    assert [(progress.number, progress.total) for progress in done] == [(2, 3), (3, 3)]
    assert [progress.last and progress.last.cell.name for progress in done] == [one.name for one in THREE[1:]]
    assert done[0].remaining_s > done[1].remaining_s == 0


def test_the_time_a_cell_takes_is_foretold_from_those_before(tmp_path: Path) -> None:
    """Load is known; what comes on top is guessed until one has been measured."""
    cells = bench(tmp_path)
    guessed = cells.expected_s(THREE[0])
    assert guessed > THREE[0].load_s
    cells.measure(THREE[0])
    assert cells.expected_s(THREE[1]) < guessed


def test_an_interrupt_leaves_the_cell_unfinished(tmp_path: Path) -> None:
    """KeyboardInterrupt goes on to the caller, and the folder does not count the cell as done."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    cells = bench(tmp_path, leave={THREE[1].name: interrupt})
    cells.measure(THREE[0])
    with pytest.raises(KeyboardInterrupt):
        cells.measure(THREE[1])
    assert cells.folder.outcome(THREE[1]).status == "unfinished"


def test_a_password_reaches_a_cell_by_its_environment_alone(tmp_path: Path) -> None:
    """A command is seen by all users of a machine, and a cell's notebook is kept."""
    asked = cell(workload="database", database_url="postgresql://joe:s%40cret@127.0.0.1/lab")
    command = " ".join(bench(tmp_path).command(asked, tmp_path / "place"))
    assert "postgresql://joe@127.0.0.1:5432/lab" in command
    assert "cret" not in command
    assert asked.scenario.secrets == {"PGPASSWORD": "s@cret"}


def test_a_cell_asks_what_its_scenario_asks_and_where_results_go(tmp_path: Path) -> None:
    """Nothing that the sweep alone may say reaches the cell: neither `strict` nor an earlier run."""
    asked = cell(strict=True, run_dir="elsewhere", results_dir="elsewhere", run_id="other", ratio="5:1")
    *_, parameters = bench(tmp_path).command(asked, tmp_path / "place")
    assert json.loads(parameters) == {
        "clients": 5,
        "interval_ms": 250,
        "minutes": 0.05,
        "warmup_s": 0.5,
        "ratio": "5:1",
        "results_dir": str(tmp_path / "place"),
        "run_id": asked.name,
    }


def test_a_cell_quotes_the_certificate_of_calibration(tmp_path: Path) -> None:
    """It lies beside the sweep, where the runs of its cells would not look."""
    (tmp_path / "calibration.json").write_text('{"passed": true}')
    cells = bench(tmp_path / "sweep")
    cells.measure(THREE[0])
    assert (cells.folder.place(THREE[0]) / "calibration.json").read_text() == '{"passed": true}'


def test_without_the_notebook_there_are_no_cells(tmp_path: Path) -> None:
    """An installed lab has no notebooks; it says so before it makes a folder."""
    with pytest.raises(ParameterError, match="checkout"):
        MadeUpCells(Folder(tmp_path / "sweep"), notebook=tmp_path / "run.ipynb")
    assert not (tmp_path / "sweep").exists()
