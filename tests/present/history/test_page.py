"""The page of all results, and what history.ipynb shows."""

import json
import re
from pathlib import Path

import pytest

from experiments.errors import ParameterError, RecordError
from experiments.present.history import page
from experiments.present.history.page import History
from experiments.record.schema import Outcome
from tests.present.browser import opened
from tests.studies.sweep.made_up_sweep import made_up_sweep
from tests.support.made_up import SMALL, failing, late
from tests.support.results import kept


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs of one question, one of another, and a sweep."""
    made = tmp_path_factory.mktemp("results")
    kept(made, 1)
    kept(made, 2, server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    kept(made, 3, environment={"packages": {"falcon": "4.5.0"}})
    kept(made, 4, lag=late(0.3))
    kept(made, 5, SMALL.model_copy(update={"clients": 30}))
    made_up_sweep(made / "grid")
    (made / "20261103T100000Z-run" / "report.html").write_text("")
    return made


def test_every_result_is_a_row_the_newest_first(folder: Path) -> None:
    """With a link where there is a report, and what changed since the one before that asks the same."""
    shown = History(str(folder)).results().content
    names = re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]+)', shown)
    assert sorted(names, reverse=True)[1:] == [f"2026110{day}T100000Z-run" for day in (5, 4, 3, 2, 1)]
    assert 'href="./20261103T100000Z-run/report.html"' in shown
    assert "falcon 4.4.0 to 4.5.0" in shown


def test_results_are_filtered_by_words(folder: Path) -> None:
    """All of which they must have."""
    assert [one.kind for one in History(str(folder), "sweep").entries] == ["sweep"]
    assert len(History(str(folder), "falcon 40").entries) == 4
    assert len(History(str(folder), "falcon invalid").entries) == 1


def test_a_trend_needs_two_results_of_one_question(folder: Path) -> None:
    """A line joins those that may be believed; a dashed one stands where a version changed."""
    shown = History(str(folder)).trends().content
    assert shown.count("<h3>") == 1
    assert "(4 results)" in shown
    cpu = shown[shown.index("<b>CPU per request") :]
    points = re.search(r'<polyline points="([^"]*)"', cpu)
    assert points is not None
    assert len(points[1].split()) == 3
    assert cpu.count("<circle") == 4
    assert cpu.count("stroke-dasharray") == 2
    assert "Nothing was asked more than once" in repr(History(str(folder), "30 devices").trends())


def test_two_results_are_held_against_each_other(folder: Path) -> None:
    """By their names; what is not there is refused."""
    before, now = "20261101T100000Z-run", "20261103T100000Z-run"
    assert f"Compared with {before}." in repr(History(str(folder), "", before, now).changes())
    assert "there is nothing to compare" in repr(History(str(folder)).changes())
    with pytest.raises(RecordError, match="nowhere"):
        History(str(folder), "", before, "nowhere").changes()


def test_a_wrong_parameter_of_the_notebook_is_refused() -> None:
    """As in every other notebook."""
    with pytest.raises(ParameterError, match="did you mean 'containing'"):
        History.from_notebook({"In": ["# Parameters\ncontaning = 'x'"], "contaning": "x"})


def test_the_page_stands_without_a_script(folder: Path) -> None:
    """Table and drawings are in it, and what needs scripts is hidden; an empty folder has a page too."""
    told = page.write(folder).read_text()
    assert told.count("<svg") == 3
    assert '<div class="tools" hidden="hidden">' in told
    assert "There is no result in this folder yet." in page.page([])
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_name_is_text_wherever_it_stands(tmp_path: Path) -> None:
    """In a row, in a link, and in the data that the script reads."""
    record = kept(tmp_path, 1)
    record.path.rename(tmp_path / "<script>javascript:alert(1)")
    (tmp_path / "<script>javascript:alert(1)" / "report.html").write_text("")
    told = page.write(tmp_path).read_text()
    assert "<script>javascript" not in told
    assert 'href="./%3Cscript%3Ejavascript%3Aalert%281%29/report.html"' in told


@pytest.mark.slow
def test_any_two_are_beside_each_other_in_two_clicks(folder: Path, chromium: str, tmp_path: Path) -> None:
    """Typing leaves the rows that have the words; on a telephone only tables may be wider than the screen."""
    made = page.write(folder)
    with opened(chromium, tmp_path) as tab:
        tab.open(made)
        tab.wait_for("document.querySelectorAll('.pick').length === 6")
        tab.ask("for (const box of [...document.querySelectorAll('.pick')].slice(-2)) box.click()")
        shown = str(tab.ask("document.getElementById('beside').innerText"))
        assert "20261101T100000Z-run" in shown
        assert "failed, %" in shown
        assert "+25 points" in shown
        assert "lab report 20261102T100000Z-run compare_to=20261101T100000Z-run" in shown
        tab.ask("filter.value = 'sweep'; filter.dispatchEvent(new Event('input'))")
        assert tab.ask("document.getElementById('left').textContent") == "1 of 6 results"
        tab.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
        assert tab.ask("document.documentElement.scrollWidth <= innerWidth")
        assert tab.complaints == []
        assert json.dumps(tab.addresses).count("http") == 0
