"""What people see of a comparison: sentences from the data, every system, nothing empty, nothing unescaped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from experiments.present.chart import Chart
from experiments.present.exporter import LabReportExporter
from experiments.present.html import Markup
from experiments.studies.compare import rows
from experiments.studies.compare import text as words
from experiments.studies.compare.runs import Comparison
from experiments.studies.compare.sections import ComparePage, Pieces
from tests.present.notebooks import executed, notebook
from tests.studies.compare.made_up_comparison import comparison

SECTIONS: list[Callable[[ComparePage], object]] = [
    *(
        ComparePage.answer,
        ComparePage.ratios,
        ComparePage.table,
        ComparePage.times,
        ComparePage.costs,
        ComparePage.capacity,
        ComparePage.serial,
        ComparePage.serial_words,
    ),
    *(ComparePage.three_clients, ComparePage.fairness, ComparePage.wrong, ComparePage.systems, ComparePage.provenance),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Five blocks, with a few records."""
    return comparison(tmp_path_factory.mktemp("made"), records=True)


def test_the_answer_counts_who_needs_less_and_more(made: Comparison) -> None:
    """Systems that cannot be told apart are named, and what was not asked for is said as well."""
    static, database, room = words.answer(made)
    assert "Falcon ASGI needed 2" in static
    assert "3 needed less" in static
    assert "3 more" in static
    assert "1 cannot be told apart (starlette)" in static
    assert database == "The database workload was not asked for."
    assert "Capacity was not searched" in room
    assert "lab-valid" in ComparePage(made).answer().content
    assert "from 5 blocks of runs" in ComparePage(made).answer().content


def test_what_is_said_of_databases_is_of_postgresql_where_it_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has its own heading, and only where nothing else was measured."""
    monkeypatch.setattr("experiments.studies.compare.params.check_databases", lambda scenarios: None)
    asked = {"workloads": "static,database", "database_url": "postgresql://127.0.0.1/nowhere"}
    both = comparison(tmp_path, **asked)
    assert words.answer(both)[1].startswith("Database on PostgreSQL")
    alone = comparison(tmp_path, **asked | {"database_url": ""})
    assert words.answer(alone)[1].startswith("Database on SQLite")


def test_few_blocks_are_called_provisional(tmp_path: Path) -> None:
    """In the answer, in the banner's colour, and by hollow marks."""
    few = comparison(tmp_path, blocks=2)
    assert "provisional with fewer than 5 blocks" in words.answer(few)[0]
    assert "lab-suspect" in ComparePage(few).answer().content
    (chart,) = ComparePage(few).ratios().shown
    assert isinstance(chart, Chart)
    symbols = {symbol for trace in chart.content()["data"] for symbol in trace["marker"]["symbol"]}
    assert {"circle-open", "square-open", "diamond-open", "x-open", "star"} == symbols
    assert "provisional" in chart.caption


def test_every_kind_has_a_marker_and_a_colour_of_its_own(made: Comparison) -> None:
    """So that neither is needed to know the other; the chart's words hold the ratios."""
    (chart,) = ComparePage(made).ratios().shown
    assert isinstance(chart, Chart)
    drawn = chart.content()["data"]
    assert len({trace["marker"]["line"]["color"] for trace in drawn}) == len(drawn) == 5
    assert len({trace["marker"]["symbol"][0] for trace in drawn}) == 5
    assert "nginx, static files 0.1" in chart.label


def test_all_that_was_asked_for_is_there(made: Comparison) -> None:
    """Measured, invalid with why, or skipped with why."""
    shown, missing = rows.ranking(made, made.asked.first), rows.missing(made, made.asked.first)
    assert len(shown) - 1 + len(missing) == len(made.asked.systems)
    states = {title: (state, why) for title, state, why in missing}
    assert states["Tornado, its own server"] == ("skipped", "tornado is not installed")
    assert states["Falcon ASGI, SQLAlchemy's ORM on uvicorn"][0] == "skipped"
    assert states["Litestar on uvicorn"][0] == "not measured"


def test_what_logs_and_reasons_say_is_text(made: Comparison) -> None:
    """Neither a script nor an image of a log reaches the page."""
    shown = ComparePage(made).systems().content + ComparePage(made).table().content
    assert "<script>alert" not in shown
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert 'href="cells/' in shown


def test_memory_of_connections_is_what_more_of_them_took(made: Comparison) -> None:
    """40 MB with 1,100 connections and about 30 with 100: about 10 MB for a thousand."""
    falcon = next(row for row in rows.costs(made) if row["title"] == "Falcon ASGI on uvicorn")
    assert falcon["per_1000_mb"] == pytest.approx(10, abs=5)
    nginx = next(row for row in rows.costs(made) if row["title"] == "nginx, static files")
    assert nginx["per_1000_mb"] is None
    assert nginx["lines"] is None


def test_one_after_another_is_seen_beside_side_by_side(made: Comparison) -> None:
    """Channels' eighth device waits 1.6 s, that of the others 0.2 s."""
    waits = {row["title"]: row["times"] for row in rows.serial(made)}
    assert waits["Django + Channels on uvicorn"] == pytest.approx([200 * n for n in range(1, 9)], abs=1)
    assert waits["Django ASGI on uvicorn"] == pytest.approx([200] * 8, abs=1)
    chart = ComparePage(made).serial()
    assert isinstance(chart, Chart)
    assert "last after 1,600 ms. All database work of a worker" in repr(ComparePage(made).serial_words())


def test_what_was_the_clients_own_is_said_first(made: Comparison) -> None:
    """Of 4 ms that the author's client reported 3 were its own; each run has its report."""
    answer, chart, table, counts, reports = ComparePage(made).three_clients().shown
    assert isinstance(answer, Markup)
    assert "Of the 4.00 ms (median of A) that the author" in answer.content
    assert "reported, 3.00 ms were its own" in answer.content
    assert isinstance(chart, Chart)
    assert [trace["name"].split(", ")[0] for trace in chart.content()["data"]][:2] == ["threads", "httpx-stock"]
    for piece in (table, counts):
        assert isinstance(piece, Markup)
        assert piece.content.count("<tr") == 6
    assert isinstance(reports, Markup)
    assert 'href="cells/three-clients_threads/report.html"' in reports.content


def test_without_runs_every_section_says_so(made: Comparison) -> None:
    """No section is empty, breaks, or draws an empty chart."""
    nothing = replace(made, runs=[], clients={})
    for section in SECTIONS:
        shown = section(ComparePage(nothing))
        for piece in shown.shown if isinstance(shown, Pieces) else [shown]:
            assert isinstance(piece, Markup)
    assert "Falcon ASGI has no run that counts" in words.answer(nothing)[0]
    assert "lab-invalid" in ComparePage(nothing).answer().content
    assert "too small" in ComparePage(nothing).wrong().content


def test_the_report_is_one_file_that_asks_nothing_of_the_web(made: Comparison) -> None:
    """Every section in it, four charts, below 6 MB."""
    cells = [executed(lambda section=section: section(ComparePage(made))) for section in SECTIONS]  # type: ignore[misc]
    written, _ = LabReportExporter().from_notebook_node(nbformat.from_dict(notebook(*cells)))  # type: ignore[no-untyped-call]
    assert written.count('class="lab-plot"') == 4
    assert len(written) < 6e6
    assert 'src="http' not in written
