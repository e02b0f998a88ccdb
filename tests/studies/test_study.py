"""One study over made-up cells: budget, groups, interrupt, going on, and showing again."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.studies.cells import Cell, Outcome
from experiments.studies.cells.folder import Folder
from experiments.studies.study import Groups, Study, each
from tests.studies.cells.made_up_cells import MadeUpCells, cell, leave_record
from tests.studies.made_up_study import study

THREE = [cell(f"clients-{number}_1", clients=number) for number in (5, 6, 7)]


def kind(**leave: Any) -> type[MadeUpCells]:
    """Made-up cells that leave behind what they are told to, and say what was begun."""

    class Told(MadeUpCells):
        begun_here: list[str] = []  # noqa: RUF012

        def __init__(self, folder: Folder, **options: Any) -> None:
            super().__init__(folder, leave=leave, **options)
            self.begun = self.begun_here

    return Told


def states(came: list[Outcome]) -> list[str]:
    return [one.status for one in came]


def test_nothing_is_begun_that_would_not_end_in_time(tmp_path: Path) -> None:
    """The budget is held; what was done before counts all the same."""
    study(tmp_path, kind()).run(each(THREE[:1]))
    late = kind()
    came = study(tmp_path, late, max_hours=1 / 3600).run(each(THREE))
    assert late.begun_here == []  # type: ignore[attr-defined]
    assert states(came) == ["done", "not measured", "not measured"]
    assert "max_hours" in came[1].why


def test_a_group_is_measured_whole_or_not_at_all(tmp_path: Path) -> None:
    """One cell of 13.5 s would fit into 20 s, two do not; it is said how much was lacking."""
    one = study(tmp_path, kind(), max_hours=20 / 3600)
    assert one.run(Groups([THREE[:2]])) == []
    assert one.late is not None
    assert one.late.needs_s == pytest.approx(27)
    assert states(one.run(each(THREE[:1]))) == ["done"]


def test_stages_share_what_was_learnt_of_time_and_the_rest_between_cells(tmp_path: Path) -> None:
    """The second stage foretells by the cells of the first, and is told to those who follow it alone."""
    one = study(tmp_path, kind(), max_hours=20 / 3600)
    first, second = list[str](), list[str]()
    one.run(each(THREE[:1]), lambda progress: first.append(progress.phase))
    # Two cells would not fit by the usual overhead of 10 s; that of made-up cells is none.
    assert states(one.run(Groups([THREE[1:]]), lambda progress: second.append(progress.phase))) == ["done"] * 2
    assert (first.count("done"), second.count("done")) == (1, 2)


def test_an_interrupt_ends_all_stages_and_leaves_the_folder_free(tmp_path: Path) -> None:
    """What came before it is kept; a later stage only finds what lies there, and the next start goes on."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    one = study(tmp_path, kind(**{THREE[1].name: interrupt}))
    assert states(one.run(each(THREE))) == ["done"]
    assert one.interrupted
    assert states(one.run(each(THREE))) == ["done", "not measured", "not measured"]
    assert states(study(tmp_path, kind()).run(each(THREE))) == ["done"] * 3


def test_a_strategy_sees_what_came_and_decides(tmp_path: Path) -> None:
    """One that repeats a load until a run is valid stops at the second, after an unfinished first."""

    class UntilValid:
        def next(self, came: list[Outcome]) -> list[Cell]:
            return [] if came and came[-1].verdict == "valid" else [THREE[len(came)]]

    leave = {THREE[0].name: lambda one, place: leave_record(one, place, killed_at=1.0)}
    came = study(tmp_path, kind(**leave)).run(UntilValid())
    assert states(came) == ["unfinished", "done"]


def test_a_study_that_is_shown_neither_measures_nor_needs_a_folder_that_can_be_written(tmp_path: Path) -> None:
    """It finds what lies there by the same strategy, and leaves no lock."""
    study(tmp_path / "it", kind()).run(each(THREE[:2]))
    before = sorted((tmp_path / "it").rglob("*"))
    asked = study(tmp_path / "it", None).asked
    assert states(Study(asked, shown=tmp_path / "it").run(each(THREE))) == ["done", "done", "not measured"]
    assert sorted((tmp_path / "it").rglob("*")) == before


def test_a_folder_belongs_to_one_study(tmp_path: Path) -> None:
    """Another plan is refused, and so is a second start at the same time."""
    study(tmp_path, kind()).run(each([]))
    plan = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(plan | {"clients": [6]}))
    with pytest.raises(ParameterError, match=r"clients was \[6\], now it is \[5\]"):
        study(tmp_path, kind()).run(each([]))
