"""The report that is made of a notebook."""

import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from experiments.present.exporter import LabReportExporter
from experiments.present.html import embedded
from experiments.present.live.view import ROLE
from experiments.present.pages.run import Page
from tests.present.conftest import HOSTILE
from tests.present.notebooks import executed, failed, notebook, stream, v4


def exported(*cells: NotebookNode) -> str:
    """The report of a notebook of these cells."""
    return str(LabReportExporter().from_notebook_node(notebook(*cells))[0])


def test_a_report_has_prose_and_outputs_but_no_code(page: Page) -> None:
    """Nobody who reads a report has to read Python."""
    report = exported(executed(page.headline), v4.new_markdown_cell("**Prose** stays."))
    assert "<strong>Prose</strong> stays." in report
    assert "response and latency in ms" in report
    assert "secret_source" not in report
    assert "In&nbsp;[" not in report


def test_the_title_is_the_first_heading() -> None:
    """The browser's tab names the question, without marks of emphasis."""
    assert "<title>How does this server do?</title>" in exported()


def test_the_verdict_stands_under_the_title(page: Page) -> None:
    """A cell tagged `verdict` moves up, wherever it is in the notebook."""
    report = exported(v4.new_markdown_cell("Before."), executed(page.verdict, tags=["verdict"]))
    assert report.index("<h1>Falcon 4.4.0: 40 devices every 250 ms</h1>") < report.index("Measurement:")
    assert report.index("Measurement:") < report.index("The question.") < report.index("Before.")
    assert report.count("<h1") == 1
    assert "<title>Falcon 4.4.0: 40 devices every 250 ms</title>" in report


def test_cells_move_only_after_they_were_executed(page: Page) -> None:
    """With --execute nbconvert runs the cells in the order of the notebook, the verdict where it stands."""
    seen: list[str] = []

    def execute(nb: NotebookNode, resources: dict[str, object]) -> tuple[NotebookNode, dict[str, object]]:
        seen.extend(cell.source for cell in nb.cells)
        nb.cells[-1].outputs = executed(page.verdict).outputs
        return nb, resources

    verdict = v4.new_code_cell("page.verdict()", metadata={"tags": ["verdict"]})
    exporter = LabReportExporter(preprocessors=[execute])
    report = str(exporter.from_notebook_node(notebook(v4.new_markdown_cell("Before."), verdict))[0])
    assert seen[1:] == ["Before.", "page.verdict()"]
    assert report.index("Measurement:") < report.index("Before.")


def test_every_chart_is_drawn_from_its_own_data(page: Page) -> None:
    """Charts come from plotly's mimetype, with label and caption; not from the fallback that needs the web."""
    report = exported(executed(page.percentiles), executed(page.device_map))
    assert len(re.findall(r'<figure class="lab-chart" aria-label="[^"]{20,}">', report)) == 2
    assert report.count('class="lab-finding"') == 2
    assert report.count('id="plotly-gz"') == 1
    assert "cdn.plot.ly" not in report


def test_a_report_without_charts_carries_no_library() -> None:
    """A notebook that shows no chart makes a small page."""
    report = exported(stream("done"))
    assert "plotly" not in report
    assert len(report) < 20_000


def test_the_library_of_tables_is_there_once(page: Page) -> None:
    """Two tables of devices share one copy of 0.9 MB."""
    report = exported(executed(page.clients), executed(page.clients))
    assert report.count("<!--once:itables-->") == 1
    assert report.count("new ITable(") == 2


@pytest.mark.parametrize("in_jupyterlab", [False, True])
def test_styles_are_in_the_report_once(page: Page, monkeypatch: pytest.MonkeyPatch, in_jupyterlab: bool) -> None:
    """A notebook that papermill executed holds none; those that JupyterLab needs are not said again."""
    monkeypatch.setattr("experiments.present.html.in_jupyterlab", lambda: in_jupyterlab)
    cells = [executed(page.headline), executed(page.verdict)]
    assert ["<style>" in output.data["text/html"] for cell in cells for output in cell.outputs] == [in_jupyterlab] * 2
    assert exported(*cells).count(".lab-banner{") == 1


def test_equal_notebooks_have_equal_outputs(page: Page) -> None:
    """Of the same record the same outputs come, to the letter."""
    names = ("verdict", "headline", "percentiles", "device_map", "clients")
    one, other = ([executed(getattr(page, name)).outputs for name in names] for _ in range(2))
    assert one == other


def test_data_cannot_break_out_of_its_script() -> None:
    """A closing tag in a name ends nothing, and the data is the same when it is read."""
    assert "<" not in embedded({"name": f"</script>{HOSTILE}&"})
    chart = {"data": [{"name": f"</script>{HOSTILE}"}], "layout": {"meta": {"label": f'"{HOSTILE}'}}}
    output = v4.new_output("display_data", data={"application/vnd.plotly.v1+json": chart})
    report = exported(v4.new_code_cell("", outputs=[output]))
    assert HOSTILE not in report
    assert "&quot;&lt;script&gt;" in report


def test_a_failed_notebook_says_so_on_top() -> None:
    """The error is a sentence at the top and where it happened; the traceback is folded away."""
    report = exported(v4.new_markdown_cell("Before."), failed("VerdictError", f"invalid {HOSTILE}"))
    assert report.index("<h1") < report.index("strict says") < report.index("invalid &lt;script&gt;alert(1)&lt;/script&gt;")
    assert report.index("What to do now:") < report.index("Before.") < report.index("The notebook stopped here")
    assert HOSTILE not in report
    assert report.index("<details") < report.index("secret_line")
    assert "\x1b" not in report


def test_remarks_of_papermill_about_code_are_left_out() -> None:
    """papermill's own banner points at a cell that a report does not show."""
    remark = v4.new_markdown_cell("An Exception was encountered", metadata={"tags": ["papermill-error-cell-tag"]})
    assert "An Exception was" not in exported(remark)


def test_progress_is_folded_away_or_left_out() -> None:
    """Lines of a log are there for those who ask; the live view of JupyterLab is not."""
    picture = v4.new_output("display_data", data={"text/html": "half way"}, metadata=ROLE)
    report = exported(stream("12:00:00Z one\n12:00:05Z <b>two</b>\n"), v4.new_code_cell("", outputs=[picture]))
    assert "Log of this step, 2 lines" in report
    assert "&lt;b&gt;two" in report
    assert "half way" not in report


def test_a_log_is_one_piece() -> None:
    """papermill keeps each line as an output of its own; a report folds them away together."""
    cell = stream("one\n")
    cell.outputs += stream("two\n").outputs + stream("three\n").outputs
    report = exported(cell, stream("alone"))
    assert re.findall(r"Log of this step, \d+ \w+", report) == ["Log of this step, 3 lines", "Log of this step, 1 line"]


def test_the_notebook_itself_is_left_alone(page: Page) -> None:
    """Exporting changes nothing that could be saved."""
    before = notebook(stream("one"), executed(page.verdict, tags=["verdict"]))
    copy = nbformat.from_dict(before)
    LabReportExporter().from_notebook_node(before)
    assert before == copy


def test_a_report_needs_no_address(page: Page) -> None:
    """Nothing is loaded from the web: no script, style, image or import."""
    report = exported(executed(page.verdict), executed(page.clients), executed(page.percentiles))
    assert re.findall(r"""src=["']?https?://|<link|@import|import\s*\(?["']https?://""", report) == []


def test_a_real_report_is_small_and_made_fast(page: Page) -> None:
    """Everything that the page of a run has fits into four megabytes."""
    names = ("response_over_time", "percentiles", "outcomes_over_time", "server_over_time", "generator_over_time")
    cells = [executed(getattr(page, name)) for name in (*names, "device_map", "clients", "provenance")]
    began = time.perf_counter()
    report = exported(*cells)
    assert len(report.encode()) < 4_000_000
    assert time.perf_counter() - began < 30  # no speed, only that nothing is parsed twice and over again


@pytest.mark.slow
def test_nbconvert_makes_the_report_from_the_command_line(tmp_path: Path, page: Page) -> None:
    """`nbconvert --to` finds template and assets from any folder."""
    path = tmp_path / "out.ipynb"
    nbformat.write(notebook(executed(page.percentiles)), path)
    exporter = "experiments.present.exporter.LabReportExporter"
    command = [sys.executable, "-m", "nbconvert", "--to", exporter, "--output", "report", str(path)]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, cwd=root, capture_output=True, timeout=60)
    assert "lab-chart" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_nbconvert_executes_the_notebook_and_makes_the_report(tmp_path: Path, page: Page) -> None:
    """One command for both: the verdict is worked out where it stands, and shown on top."""
    source = nbformat.read(Path(__file__).parents[2] / "notebooks" / "run.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    parameters = next(cell for cell in source.cells if "parameters" in cell.metadata.get("tags", []))
    parameters.source = parameters.source.replace('run_dir: str = ""', f"run_dir: str = {str(page.record.path)!r}")
    nbformat.write(source, tmp_path / "run.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "lab_report", "--output", "report"]
    subprocess.run([*command, str(tmp_path / "run.ipynb")], check=True, capture_output=True, timeout=120)
    report = (tmp_path / "report.html").read_text()
    assert report.index("Measurement:") < report.index("The question</h2>")
    assert "not run to its end" not in report
