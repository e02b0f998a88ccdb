"""A sweep from its parameters to its page, with made-up cells: refusal, resume, what is shown, what `strict` fails."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from experiments.errors import ParameterError, RecordError, VerdictError
from experiments.record import reading, store
from experiments.studies import study
from experiments.studies.cells import CellProgress
from experiments.studies.cells.folder import Folder
from experiments.studies.sweep.grid import Planned
from experiments.studies.sweep.page import Sweep
from experiments.studies.sweep.params import Own
from server import catalogue
from tests.studies.cells.made_up_cells import MadeUpCells
from tests.studies.sweep.made_up_sweep import ASKED, busy, made_up_sweep, of_no_use, slow
from tests.support.made_up import damage_facts


class Counted(MadeUpCells):
    """Made-up cells as `Sweep` opens them; counts what was begun."""

    begun_in_all: ClassVar[list[str]] = []

    def __init__(self, folder: Folder, **options: Any) -> None:
        super().__init__(folder, **options)
        self.begun = Counted.begun_in_all


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the cells that were begun; none of them really runs."""
    monkeypatch.setattr(study, "Cells", Counted)
    monkeypatch.setattr(Counted, "begun_in_all", [])
    return Counted.begun_in_all


def silent(progress: CellProgress) -> None:
    """Shows nothing."""


def sweep(tmp_path: Path, **changes: Any) -> Sweep:
    return Sweep.of({**ASKED, "results_dir": str(tmp_path), "sweep_id": "it", "cool_down_s": 0, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clients": "[]"}, "lacks a value"),
        ({"cleints": "[5]"}, "did you mean 'clients'"),
        ({"minutes": 0}, "minutes=0"),
        ({"cool_down_s": -1}, "cool_down_s=-1: a number from 0"),
        ({"max_hours": "soon"}, "max_hours='soon'"),
        ({"max_hours": float("nan")}, "max_hours=nan"),
        ({"repeats": 0}, "repeats=0"),
        ({"sweep_id": "../elsewhere"}, "no path"),
        ({"strict": "maybe"}, "True or False"),
        ({"slo_status_p99_ms": "[1, 2]"}, "slo_status_p99_ms"),
        ({"margin_pct": -1}, "at least 0"),
        ({"results_dir": None}, "results_dir=None: a text is needed"),
        ({"sweep_id": 1000.0}, "sweep_id=1000.0: a text is needed.*-r instead of -p"),
        ({"sweep_dir": True}, "sweep_dir=True: a text is needed"),
        ({"compare_to": None}, "compare_to=None: a text is needed"),
        ({"server": None}, "server=None: a text is needed"),
        ({"minutes": True}, "minutes=True: a number is needed"),
        ({"interval_ms": [True, 100]}, "interval_ms=True: a number is needed"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_written(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """The error says what is allowed, and no folder was made."""
    with pytest.raises(ParameterError, match=says):
        sweep(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []


def test_folders_of_digits_are_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """papermill makes numbers of them, and they are taken back."""
    monkeypatch.chdir(tmp_path)
    assert sweep(tmp_path, results_dir=2026, sweep_id=20261125).study.folder.path == Path("2026/20261125")
    with pytest.raises(RecordError, match="20261125"):
        sweep(tmp_path, compare_to=20261125)


def test_a_name_that_papermill_injected_must_be_a_parameter() -> None:
    """A typing error is not ignored here either."""
    cells = ["# Parameters\nrepeatss = 3"]
    with pytest.raises(ParameterError, match="did you mean 'repeats'"):
        Sweep.from_notebook({**dict.fromkeys(Own.names()), "In": cells})


def test_nothing_is_there_to_show_or_to_compare_with(tmp_path: Path) -> None:
    """Both are said at once, not after an hour of measuring."""
    with pytest.raises(RecordError, match="not a folder of cells"):
        sweep(tmp_path, sweep_dir=str(tmp_path))
    with pytest.raises(RecordError, match="no finished run"):
        sweep(tmp_path, compare_to=str(tmp_path))


def test_a_sweep_is_measured_once_and_goes_on_with_what_is_missing(tmp_path: Path, begun: list[str]) -> None:
    """The same again begins nothing; without one record it begins that cell."""
    page = sweep(tmp_path, repeats=2).measure(silent)
    assert len(begun) == 8
    assert {cell.state for cell in page.cells} == {"valid"}
    begun.clear()
    name = page.cells[3].name
    (tmp_path / "it" / "cells" / name / name / "run.json").unlink()
    again = sweep(tmp_path, repeats="2").measure(silent)
    assert begun == [name]
    assert [cell.name for cell in again.cells] == [cell.name for cell in page.cells]


def test_a_folder_of_another_grid_is_refused_with_the_difference(tmp_path: Path, begun: list[str]) -> None:
    """The sentence says what was asked before and now; another service level is no other grid."""
    sweep(tmp_path).measure(silent)
    begun.clear()
    sweep(tmp_path, slo_status_p99_ms=5).measure(silent)
    for changes, says in (
        ({"clients": "[20, 60]"}, r"clients was \[20, 40\], now it is \[20, 60\]"),
        ({"minutes": 0.2}, "minutes was 0.1, now it is 0.2"),
        ({"workers": 2}, "workers was not asked, now it is 2"),
        ({"repeats": 2}, "repeats was 1, now it is 2"),
    ):
        with pytest.raises(ParameterError, match=says):
            sweep(tmp_path, **changes).measure(silent)
    assert begun == []


def test_what_does_not_fit_the_budget_is_marked_and_said_beforehand(tmp_path: Path, begun: list[str]) -> None:
    """A grid of thousands of cells says how long it would take, and measures what fits."""
    large = {"clients": list(range(1, 41)), "interval_ms": list(range(100, 150)), "minutes": 1}
    asked = sweep(tmp_path, **large, max_hours=0.01)
    shown = repr(asked.asked())
    assert "2,000" in shown
    assert "more than max_hours=0.01" in shown
    page = sweep(tmp_path, max_hours=0.001).measure(silent)
    assert begun == []
    assert {cell.state for cell in page.cells} == {"not measured"}
    assert "0 of 4 cells may be believed" in repr(page.verdict())


def test_an_interrupt_shows_what_there_is(tmp_path: Path, begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The other cells of the notebook then run; what is missing is marked."""

    async def second_is_interrupted(self: Counted, cell: Any, place: Path) -> None:
        if self.begun:
            raise KeyboardInterrupt
        await MadeUpCells._execute(self, cell, place)

    monkeypatch.setattr(Counted, "_execute", second_is_interrupted)
    page = sweep(tmp_path).measure(silent)
    assert sorted(cell.state for cell in page.cells) == ["not measured", "not measured", "unfinished", "valid"]
    assert "Interrupted; the same with sweep_id='it' goes on" in repr(page.verdict())


def test_an_earlier_sweep_is_shown_without_measuring(tmp_path: Path, begun: list[str]) -> None:
    """The folder alone says what was asked, whatever the parameters of now are, and nothing in it changes."""
    made_up_sweep(tmp_path / "earlier")
    before = sorted(path for path in (tmp_path / "earlier").rglob("*"))
    page = sweep(tmp_path, clients="[1, 2, 3]", sweep_dir=str(tmp_path / "earlier")).measure(silent)
    assert begun == []
    assert [(cell.at["clients"], cell.at["interval_ms"]) for cell in page.cells] == [
        (20, 250),
        (20, 500),
        (40, 250),
        (40, 500),
    ]
    assert "Nothing was measured now" in repr(page.verdict())
    assert sorted(path for path in (tmp_path / "earlier").rglob("*")) == before


def test_a_sweep_is_shown_where_its_system_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started, so nothing must be there; to measure the same is refused."""
    made_up_sweep(tmp_path / "earlier", ASKED | {"server": "[falcon, falcon-granian]", "clients": "[5]"})
    monkeypatch.setattr(catalogue, "obstacle", lambda system, **_: "it is not installed: make servers")
    page = Sweep.of({"sweep_dir": str(tmp_path / "earlier")}).measure(silent)
    assert [cell.state for cell in page.cells] == ["valid"] * 4
    with pytest.raises(ParameterError, match="cannot run here: it is not installed"):
        sweep(tmp_path, server="[falcon, falcon-granian]")


def test_a_closed_loop_is_labelled(tmp_path: Path) -> None:
    """It hides delay by design, so nobody may take it for the other kind."""
    for pacing in ("fixed", "after"):
        made_up_sweep(tmp_path / pacing, ASKED | {"pacing": pacing, "clients": "[5]"})
        page = Sweep.of({"sweep_dir": str(tmp_path / pacing)}).measure(silent)
        assert ("Closed loop" in repr(page.verdict())) == (pacing == "after")


def test_links_lead_to_reports_from_the_folder_of_the_sweep(tmp_path: Path) -> None:
    """Relative, so that the folder can be moved, sent or opened without the web."""
    page = made_up_sweep(tmp_path).measure(silent)
    links = [cell.report for cell in page.cells]
    assert links[0] == "cells/clients-20_interval_ms-250_1/report.html"
    assert all((tmp_path / link).is_file() for link in links)
    assert all(f'href="{link}"' in page.table().content for link in links)


def no_use_of_forty(planned: Planned) -> dict[str, Any]:
    return of_no_use(planned) if planned.at["clients"] == 40 else busy(planned)


@pytest.mark.parametrize(
    ("how", "asked", "says"),
    [
        (busy, {}, None),
        (busy, {"slo_status_p99_ms": 1000}, None),
        (busy, {"slo_status_p99_ms": 0.01}, "service level is missed: response p99 of A"),
        (no_use_of_forty, {}, r"cells without figures.*\(invalid\)"),
        (lambda planned: None, {}, r"cells without figures.*\(not measured\)"),
    ],
)
def test_strict_fails_a_sweep_that_deserves_it(tmp_path: Path, how: Any, asked: dict[str, float], says: str | None) -> None:
    """Missed levels and cells without figures raise; a sound sweep passes, and without `strict` all pass."""
    long = ASKED | {"minutes": 0.3}
    made_up_sweep(tmp_path, long, how=how)
    Sweep.of(asked | {"sweep_dir": str(tmp_path)}).measure(silent).enforce()
    page = Sweep.of(asked | {"sweep_dir": str(tmp_path), "strict": True}).measure(silent)
    if says is None:
        page.enforce()
    else:
        with pytest.raises(VerdictError, match=says):
            page.enforce()


def test_strict_fails_a_sweep_that_has_become_worse(tmp_path: Path) -> None:
    """Worse beyond the margin; what cannot be told apart passes."""
    for name, base_s in (("then", 0.001), ("same", 0.00101), ("slow", 0.002)):
        made_up_sweep(
            tmp_path / name, repeats=3, how=lambda planned, base_s=base_s: {"server": slow(base_s, planned.repeat)}
        )

    def page(name: str) -> Any:
        asked = {"sweep_dir": str(tmp_path / name), "compare_to": str(tmp_path / "then"), "strict": True}
        return Sweep.of(asked).measure(silent)

    page("same").enforce()
    with pytest.raises(VerdictError, match=r"worse than .*then by more than 10 %: A response p50"):
        page("slow").enforce()
    assert "regression" in repr(page("slow").changes())


def test_strict_does_not_compare_across_environments(tmp_path: Path) -> None:
    """It is said before anything is measured, and what differs is named."""
    made_up_sweep(tmp_path / "then")
    with pytest.raises(ParameterError, match=r"environment is not the same .*cpu_model was an imagined processor"):
        sweep(tmp_path, compare_to=str(tmp_path / "then"), strict=True)
    sweep(tmp_path, compare_to=str(tmp_path / "then"))


def test_a_sweep_shown_from_another_environment_fails_under_strict(tmp_path: Path) -> None:
    """Here only the page can tell."""
    for name in ("then", "now"):
        made_up_sweep(tmp_path / name)
    for cell in sorted((tmp_path / "now" / "cells").iterdir()):
        started = json.loads((cell / cell.name / "started.json").read_text())
        started["environment"]["python"] = "3.99"
        store.write_json(cell / cell.name / "started.json", started)
        damage_facts(reading.load(cell / cell.name), lambda facts: facts["environment"].update(python="3.99"))
    asked = {"sweep_dir": str(tmp_path / "now"), "compare_to": str(tmp_path / "then"), "strict": True}
    page = Sweep.of(asked).measure(silent)
    assert "python was 3.11.7, now it is 3.99" in repr(page.changes())
    with pytest.raises(VerdictError, match="another environment"):
        page.enforce()
