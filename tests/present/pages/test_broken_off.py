"""The page of a notebook that was not run to its end."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from experiments.present.exporter import LabReportExporter
from experiments.present.pages.broken_off import mended
from experiments.record.reading import Record
from tests.present.notebooks import failed, stream, v4

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "run.ipynb"
LONG_AGO, LATER = "2020-11-25T12:00:00+00:00", "2099-11-25T12:00:00+00:00"
FIRST = 6
"""Code cells up to the one that measures, with the parameters that papermill injects."""


def broken(printed: str = "", last: NotebookNode | None = None, **papermill: object) -> NotebookNode:
    """`run.ipynb` as papermill leaves it when its kernel ends while it measures."""
    nb = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    nb.cells.insert(0, v4.new_code_cell("# Parameters", metadata={"tags": ["injected-parameters"]}))
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code[:FIRST], 1):
        cell.execution_count = number
    code[FIRST - 1].outputs = (last or stream(printed)).outputs
    nb.metadata["papermill"] = {"start_time": LONG_AGO, "end_time": LONG_AGO, "parameters": {}} | papermill
    return nb


def exported(nb: NotebookNode) -> str:
    return str(LabReportExporter().from_notebook_node(nb)[0])


@pytest.fixture
def unfinished(record: Record, tmp_path: Path) -> Path:
    """The record of a run that was killed."""
    shutil.copytree(record.path, tmp_path / "it")
    for name in ("run.json", "summary.json", "clients.parquet"):
        (tmp_path / "it" / name).unlink(missing_ok=True)
    return tmp_path / "it"


def starting(run: Path) -> str:
    return f"12:00:00Z  starting the server and the generators; the record is written to {run}\n12:00:02Z  warming up\n"


def test_a_page_says_that_the_notebook_broke_off_and_shows_the_record(unfinished: Path) -> None:
    """Killed without a word: the reason stands on top, and every section that the record can tell is there."""
    report = exported(broken(starting(unfinished)))
    assert report.index("<h1") < report.index("The notebook was not run to its end") < report.index("Service level:")
    assert "18 steps of this notebook were not reached" in report
    assert "The kernel ended without a word" in report
    assert f"the run had written until then, {unfinished}: " in report
    assert report.index("Cut short after") < report.index("What came out</h2>")
    assert "response and latency in ms" in report
    assert report.count('class="lab-chart"') == 6
    assert report.count('class="lab-caption"') >= 6
    assert "What changed?" not in report  # compare_to was never asked


def test_a_run_killed_before_its_first_rows_has_a_page_too(unfinished: Path) -> None:
    """The record holds no poll: it is said, and nothing is made up."""
    for part in (unfinished / "requests").iterdir():
        part.unlink()
    report = exported(broken(starting(unfinished)))
    assert "0 polls" in report
    assert "Traceback" not in report


def test_a_record_is_found_by_the_parameters_where_the_log_is_lost(unfinished: Path) -> None:
    """papermill saves what a cell printed every half minute only."""
    nb = broken(parameters={"results_dir": str(unfinished.parent), "run_id": "it"}, end_time=None)
    report = exported(nb)
    assert "papermill was ended before it could say why" in report
    assert "Not reached" not in report


def test_a_record_of_that_name_from_before_is_not_taken_for_this_one(unfinished: Path) -> None:
    """A name that is in use is refused, and its figures are another run's."""
    asked = {"results_dir": str(unfinished.parent), "run_id": "it"}
    report = exported(broken(parameters=asked, start_time=LATER, end_time=None))
    assert str(unfinished) not in report
    assert "Not reached: May it be believed?" in report


def test_without_a_record_nothing_looks_like_a_result(tmp_path: Path) -> None:
    """Sections that nobody measured are named on top, and left out below."""
    for printed in ("", starting(tmp_path / "gone")):
        report = exported(broken(printed))
        assert report.count("What came out") == 1
        assert report.index("<h1") < report.index("Not reached: May it be believed?; What came out; ")
    assert "is not a run directory" in report


def test_an_error_is_told_in_its_own_words_and_the_rest_is_left_out() -> None:
    """A refused parameter leaves no empty sections."""
    report = exported(broken(last=failed("ParameterError", "clients=0: it must be at least 1")))
    assert "Refused before anything started" in report
    assert "clients=0: it must be at least 1" in report
    assert "What to do now:" in report
    assert "without a word" not in report
    assert report.count("What came out") == 1


@pytest.mark.parametrize("name", ["sweep_id", "capacity_id", "compare_id"])
def test_many_cells_are_gone_on_with(name: str) -> None:
    """The page of a sweep, a search or a comparison says how."""
    _, said = mended(broken(parameters={name: "007"}))
    assert f"started again with {name}='007' it goes on where it was" in said[1]


def test_a_notebook_that_came_to_its_end_is_left_as_it_is() -> None:
    """One whose last cells show nothing, and one that nobody ran, are not taken for broken off."""
    nb = broken()
    never = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for number, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
    for one in (nb, never):
        assert mended(one) == (one, [])
