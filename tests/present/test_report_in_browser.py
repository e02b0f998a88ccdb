"""The report in a Chromium without a network, as somebody opens it who got it by mail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbconvert.exporters.html import HTMLExporter

from experiments.present.exporter import LabReportExporter
from experiments.present.pages.run import Page
from tests.present.browser import Tab, opened
from tests.present.notebooks import executed, notebook, stream
from tests.present.test_charts import CHARTS
from tests.support.made_up import SMALL, Answer, Poll, made_up

pytestmark = pytest.mark.slow

TABLES = ("verdict", "checks", "headline", "service_level", "costs", "provenance")


def written(page: Page, path: Path) -> Path:
    """The report with everything that a page has."""
    cells = [executed(getattr(page, name)) for name in (*TABLES, *CHARTS, "clients")]
    report, _ = LabReportExporter().from_notebook_node(notebook(stream("12:00:00Z starting\n"), *cells))
    path.write_text(report, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(chromium: str, page: Page, shell: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """The report of half a minute, open and drawn."""
    folder = tmp_path_factory.mktemp("report")
    with opened(chromium, folder / "profile") as made:
        made.open(written(page, folder / "report.html"))
        made.wait_for("document.body.dataset.charts !== undefined")
        made.wait_for("document.querySelectorAll('table.dataTable tbody tr').length > 0")
        yield made


def column(tab: Tab, number: int) -> list[str]:
    """The cells of a column of the table of devices, as they are seen."""
    rows = "[...document.querySelectorAll('.dt-container table.dataTable tbody tr')]"
    texts: Any = tab.ask(f"{rows}.map((row) => row.cells[{number}].textContent)")
    return list(texts)


def test_every_chart_is_drawn(tab: Tab) -> None:
    """Each chart has its lines, and each is as wide as the page."""
    assert tab.ask("document.body.dataset.charts") == "drawn"
    drawn = tab.ask(
        "[...document.querySelectorAll('.lab-plot')].map((plot) => ["
        "plot.querySelectorAll('svg.main-svg').length > 0, "
        "plot.querySelectorAll('.scatterlayer .trace path, .heatmaplayer image').length > 0, "
        "plot.getBoundingClientRect().width > 1000])"
    )
    assert drawn == [[True, True, True]] * len(CHARTS)


def test_no_chart_offers_to_upload_it(tab: Tab) -> None:
    """The tool bar has a camera, and no way to a cloud."""
    buttons = tab.ask("[...document.querySelectorAll('.modebar-btn')].map((one) => one.dataset.title).join()")
    assert "PNG" in buttons
    assert "Share" not in buttons


def test_every_chart_has_its_finding_above_it(tab: Tab) -> None:
    """As text that wraps, and not a second time within the drawing; nothing of it is cut off."""
    said = tab.ask("[...document.querySelectorAll('.lab-chart > .lab-finding')].map((one) => one.textContent)")
    assert len(said) == len(CHARTS)
    assert all(text.endswith(".") for text in said)
    assert tab.ask("document.querySelectorAll('.gtitle').length") == 0
    room = tab.ask(
        "[...document.querySelectorAll('.lab-plot')].map((plot) =>"
        "plot.previousElementSibling.getBoundingClientRect().bottom <= plot.getBoundingClientRect().top)"
    )
    assert room == [True] * len(CHARTS)


def test_the_devices_sort_as_numbers(tab: Tab) -> None:
    """The worst come first; by the header of a column they sort as numbers, and not as words."""
    tab.ask("document.querySelector('.dt-container thead .dtcc-button_order').click()")
    tab.wait_for("document.querySelector('table.dataTable tbody td').textContent === '0'")
    assert column(tab, 0)[:4] == ["0", "0", "1", "1"]
    tab.ask("document.querySelector('.dt-container thead .dtcc-button_order').click()")
    tab.wait_for(f"document.querySelector('table.dataTable tbody td').textContent === '{SMALL.clients - 1}'")
    assert column(tab, 0) == [str(SMALL.clients - 1 - row // 2) for row in range(10)]


def test_a_column_can_be_filtered(tab: Tab) -> None:
    """The search of a column leaves the rows that match."""
    tab.ask("document.querySelector('.dt-container thead .dtcc-button_dropdown').click()")
    tab.ask(
        "(() => { const field = document.querySelector('.dtcc-dropdown input'); field.value = '7';"
        "field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    tab.wait_for("document.querySelectorAll('table.dataTable tbody tr').length === 2")
    assert column(tab, 0) == ["7", "7"]
    assert sorted(column(tab, 1)) == ["A (status)", "B (bulk)"]


def test_lower_bounds_sort_among_figures(chromium: str, shell: object, tmp_path: Path) -> None:
    """9.03 comes before 100, although `> 250` stands in the same column."""

    def server(poll: Poll) -> Answer:
        return Answer(1e9) if poll.client == 3 else Answer(0.009 if poll.client % 2 else 0.2 - 0.04 * poll.client)

    asked = SMALL.model_copy(update={"clients": 6, "ratio": "1:0", "timeout_s": 0.25})
    with opened(chromium, tmp_path / "profile") as made:
        made.open(written(Page(made_up(tmp_path, asked, server=server)), tmp_path / "report.html"))
        made.wait_for("document.querySelectorAll('table.dataTable tbody tr').length > 0")
        heads = "[...document.querySelectorAll('.dt-container table.dataTable thead th')]"
        names = made.ask(f"{heads}.map((one) => one.textContent.trim())")
        place = next(number for number, text in enumerate(names) if text.startswith("p50, ms"))
        made.ask(f"document.querySelectorAll('.dt-container thead .dtcc-button_order')[{place}].click()")
        made.wait_for(f"document.querySelectorAll('table.dataTable tbody td')[{place}].textContent.startsWith('9')")
        seen = column(made, place)
    assert len(seen) == 6
    assert seen == sorted(seen, key=lambda text: float(text.removeprefix("> ")))
    assert seen[-1].startswith("> ")


def test_the_report_asked_nobody_and_complained_of_nothing(tab: Tab) -> None:
    """No address outside the file, no exception, nothing on the console; last, so that it covers all that was done."""
    outside = [address for address in tab.addresses if not address.startswith(("file:", "data:", "blob:", "about:"))]
    assert outside == []
    assert tab.complaints == []


@pytest.mark.parametrize("run", ["tiny", "empty"])
def test_a_run_with_little_to_show_opens_without_complaint(
    request: pytest.FixtureRequest, chromium: str, tmp_path: Path, run: str
) -> None:
    """Five devices for five seconds, or no poll at all: notes where there is nothing to draw."""
    page: Page = request.getfixturevalue(run)
    with opened(chromium, tmp_path / "profile") as made:
        made.open(written(page, tmp_path / "report.html"))
        made.wait_for("document.body.dataset.charts === 'drawn' || !document.querySelector('.lab-plot')")
        shown = made.ask("document.querySelectorAll('.lab-plot svg.main-svg, .lab-note').length")
        assert (shown > 0, made.complaints) == (True, [])


@pytest.mark.parametrize("online", [False, True])
def test_a_plain_export_has_words_and_figures_until_the_chart_is_drawn(
    chromium: str, page: Page, shell: object, tmp_path: Path, online: bool
) -> None:
    """`nbconvert --to html` knows no plotly: without the web there is a sentence, and no blank space."""
    plain, _ = HTMLExporter().from_notebook_node(notebook(executed(page.percentiles), executed(page.device_map)))
    stub = "<script>window.Plotly = {newPlot: async (place) => place.append('drawn')}</script>"
    path = tmp_path / "plain.html"
    path.write_text(plain.replace("<head>", f"<head>{stub * online}", 1), encoding="utf-8")
    with opened(chromium, tmp_path / "profile") as tab:
        tab.open(path)
        seen = "[...document.querySelectorAll('[role=figure]')].map((one) => one.innerText)"
        tab.wait_for(f"window.Plotly || ({seen}).length === 2")
        said = 'text === `drawn`' if online else 'text.includes(`stand below, as a table`)'
        tab.wait_for(f"({seen}).every((text) => {said})")
        parts = "[...document.querySelectorAll('[role=figure] %s')].map((one) => one.%s)"
        words = tab.ask(parts % ("> div:nth-child(1)", "getClientRects().length"))
        heights = tab.ask(parts % ("> div:nth-child(2)", "offsetHeight"))
    assert words == [0 if online else 1] * 2
    assert [height > 0 for height in heights] == [online] * 2
