"""Reports for those who use a keyboard, a screen reader, a narrow screen, or no scripts; in a Chromium without a network."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from experiments.present.exporter import LabReportExporter, write
from tests.present.browser import Tab, opened
from tests.support.kinds import KINDS, notebook_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_RUN_AXE = (
    "axe.run({preload: false, iframes: false, resultTypes: ['violations']}).then((found) => JSON.stringify("
    "found.violations.map((one) => [one.impact, one.id, one.nodes[0].html.slice(0, 200)])))"
)
_FIRST_RESULT = "document.querySelector('.lab-answer')"
_BEFORE = f"(document.activeElement.compareDocumentPosition({_FIRST_RESULT}) & Node.DOCUMENT_POSITION_FOLLOWING) > 0"


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, which finds what keeps people out; `npm install axe-core`, or LAB_AXE says where it is."""
    place = Path(os.environ.get("LAB_AXE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not place.is_file():
        pytest.skip(f"there is no axe-core at {place}: npm install --no-save axe-core")
    return place.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tab(chromium: str, shell: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all reports."""
    with opened(chromium, tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture(scope="module")
def reports(shell: object, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> its report as one file; `folder` is that of a run as a folder."""
    folder, made = tmp_path_factory.mktemp("reports"), {}
    for kind in KINDS:
        nb = notebook_of(kind, folder / f"{kind}-results")
        made[kind] = folder / f"{kind}.html"
        made[kind].write_text(LabReportExporter().from_notebook_node(nb)[0], encoding="utf-8")
        if kind == "run":
            nbformat.write(nb, folder / "run.ipynb")  # type: ignore[no-untyped-call]
            write(folder / "run.ipynb", folder / "once.html")
            made["folder"] = folder / "once" / "index.html"
    return made


def drawn(tab: Tab, path: Path, width: int = 1280, scheme: str = "light") -> None:
    """Opens a report, and waits for its charts."""
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    tab.open(path)
    tab.wait_for("document.body.dataset.charts !== undefined || !document.querySelector('.lab-plot')")


def found_by(axe: str, tab: Tab) -> list[list[str]]:
    """What keeps people out of the page that is open: serious and critical alone."""
    tab.ask(f"{axe};0")
    answer: Any = tab.call("Runtime.evaluate", expression=_RUN_AXE, awaitPromise=True, returnByValue=True)
    return [one for one in json.loads(answer["result"]["value"]) if one[0] in ("serious", "critical")]


@pytest.mark.parametrize(
    ("kind", "width", "scheme"),
    [
        ("run", 1280, "light"),
        ("run", 390, "dark"),
        *((kind, 1280, "light") for kind in KINDS if kind != "run"),
    ],
)
def test_nothing_in_a_report_keeps_anybody_out(
    axe: str, tab: Tab, reports: dict[str, Path], kind: str, width: int, scheme: str
) -> None:
    """Names, order, contrast of 4.5 : 1, what is reached by the keyboard: nothing serious, by day, by night, and narrow."""
    drawn(tab, reports[kind], width, scheme)
    assert found_by(axe, tab) == []


def test_the_first_result_is_three_keys_away(tab: Tab, reports: dict[str, Path]) -> None:
    """A link that skips, the contents; then the answer. The tool bars of charts are no stops at all."""
    drawn(tab, reports["run"])
    stops = 0
    for _ in range(10):
        for kind in ("keyDown", "keyUp"):
            tab.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        if not tab.ask(_BEFORE):
            break
        stops += 1
    assert 1 <= stops <= 3
    assert tab.ask("document.querySelectorAll('.modebar-btn:not([tabindex=\"-1\"])').length") == 0
    assert tab.ask("document.querySelectorAll('.lab-lines summary').length") > 0  # The legends by keyboard.


@pytest.mark.parametrize("kind", ["run", "sweep"])
@pytest.mark.parametrize("width", [390, 640, 1600])
def test_no_page_is_wider_than_its_screen(tab: Tab, reports: dict[str, Path], kind: str, width: int) -> None:
    """From a telephone to a wide screen; 640 is what 200 % leave of 1,280. Only tables scroll, within themselves."""
    drawn(tab, reports[kind], width)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask("[...document.querySelectorAll('.lab-plot')].every((one) => one.scrollWidth <= one.clientWidth + 1)")


@pytest.mark.parametrize("scripts", ["", "script-src file:; "])
def test_a_folder_stands_under_a_strict_policy(tab: Tab, reports: dict[str, Path], scripts: str) -> None:
    """Without scripts text, tables and styles stand, and a chart points to its table; with those of files it is drawn."""
    page = reports["folder"].read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|<script(?! defer src=)|\son\w+=", page) == []
    policy = f"default-src 'none'; {scripts}style-src file:; img-src data:"
    strict = reports["folder"].with_name("strict.html")
    strict.write_text(page.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1))
    tab.open(strict)
    if scripts:
        tab.wait_for("document.body.dataset.charts === 'drawn'")
    plots = tab.ask("document.querySelectorAll('.lab-plot').length")
    undrawn = tab.ask("[...document.querySelectorAll('.lab-undrawn')].filter((one) => one.offsetHeight > 0).length")
    assert (plots, undrawn) == (6, 0 if scripts else 6)
    assert tab.ask("getComputedStyle(document.querySelector('.lab-box')).borderStyle") != "none"
    assert tab.ask("document.querySelectorAll('.lab-plot + *, .lab-data table').length") >= plots
    assert tab.ask("document.querySelector('h1').textContent") == "Falcon 4.4.0: 40 devices every 250 ms"


def test_on_paper_parameters_are_open_and_charts_are_whole(tab: Tab, reports: dict[str, Path]) -> None:
    """What is folded away on a screen and belongs to the question is printed; links and logs are not."""
    drawn(tab, reports["run"])
    tab.call("Emulation.setEmulatedMedia", media="print")
    hidden = "getComputedStyle(document.querySelector('.lab-skip')).display"
    inside = "getComputedStyle(document.querySelector('.lab-chart')).breakInside"
    after = "getComputedStyle(document.querySelector('.lab-prose')).breakAfter"
    seen = [tab.ask(one) for one in (hidden, inside, after)]
    tab.call("Emulation.setEmulatedMedia", media="")
    assert seen == ["none", "avoid", "avoid"]
