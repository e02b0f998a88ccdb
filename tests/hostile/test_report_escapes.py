"""A report shows what a server or a parameter said, and never runs it."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from experiments.errors import ServerContractError
from experiments.present.exporter import LabReportExporter
from experiments.present.pages.asked import asked
from experiments.present.pages.run import Page
from experiments.record import store
from experiments.record.reading import Record
from experiments.scenario import Scenario
from tests.present.browser import opened
from tests.present.conftest import shell
from tests.present.notebooks import executed, failed, notebook, stream
from tests.present.test_charts import CHARTS
from tests.support.made_up import damage_facts, made_up

__all__ = ["shell"]

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "</style></title></textarea><script>window.hacked = 3</script>",
    "<img src=x onerror='window.hacked = 4'>",
    '"\'><svg onload="window.hacked = 5">',
    "--><script>window.hacked = 6</script><!--",
    "<!--scripts--><!--once:itables--><script>window.hacked = 7</script><!--/once:itables-->",
    "[a](javascript:window.hacked=8) <a href='javascript:window.hacked=8'>b</a>",
    "{{ 7 * 7 }} {% raw %} $(window.hacked=9)$ `window.hacked=9` \\u003cscript>",
    "\x1b[31m<b>red</b>\x1b[0m \x1b]8;;javascript:window.hacked=10\x07link\x1b]8;;\x07",
    "two\r\nlines\n<script>\nwindow.hacked = 11\n</script>\u2028\u2029",
    "\u202egnp.exe\u202c \u2066right to left\u2069 \u200f",
    "NUL \x00<scr\x00ipt>window.hacked = 12</script> \ufeff\ufffe \x7f\x85",
    "<math><mtext></mtext><iframe srcdoc='<script>parent.hacked = 13</script>'></math>",
    "&lt;script&gt;window.hacked = 14&lt;/script&gt; &#60;script&#62;",
)
"""What a server might send, hoping that a reader's browser runs it."""

ALL = " ".join(HOSTILE)
HARMLESS = "two words"
_PAGES = ("verdict", "checks", "asked", "headline", "service_level", "costs", "clients", "provenance")
_SMALL = Scenario(clients=5, minutes=5 / 60, warmup_s=1)


def said_everywhere(text: str, folder: Path) -> Record:
    """A record in which everything that came from a server, a parameter or the machine says this."""
    record = made_up(folder, _SMALL)
    started = record.started | {"run_id": text, "started_at": text}
    started["environment"] = {name: _said(value, text) for name, value in started["environment"].items()}
    store.write_json(record.path / "started.json", started)

    def change(facts: dict[str, Any]) -> None:
        facts |= started | {"cut_short": text, "ended_at": text}
        facts["server"] |= {"name": text, "url": text, "framework": text, "framework_version": text, "died": text}
        facts["server"] |= {"command": [text, f"--{text}"], "headers": {text: {text: text}, "bulk": {"x": text}}}
        facts["server"]["exit"] = {"code": text, "how": text, "seconds": 0.1}
        facts["generator"] |= {"engine": text}
        worker = {"number": text, "on_this_machine": False, "machine": {"cpu_model": text, "cores": text}}
        clock = {"clock_offset_s": 0.0, "clock_error_s": 0.0, "clock_drift_s": None}
        facts["generator"]["instances"][0] |= {"error": text, "worker": worker, **clock}
        facts["sampler"]["error"] = text

    return damage_facts(record, change)


def _said(value: object, text: str) -> object:
    if isinstance(value, dict):
        return {text if name == "falcon" else name: _said(one, text) for name, one in value.items()}
    return text if isinstance(value, str) else value


def report(text: str, folder: Path) -> str:
    """The exported page of that record, of a log and of an error that say the same."""
    page = Page(said_everywhere(text, folder), _SMALL.model_copy(update={"run_dir": text}))
    question = _SMALL.model_copy(update=dict.fromkeys(("server", "server_url", "results_dir", "run_id"), text))
    shown: list[NotebookNode] = [executed(lambda: asked(question))]
    shown += [executed(getattr(page, name)) for name in (*_PAGES, *CHARTS)]
    error = failed(text, str(ServerContractError(text)))
    error.outputs[0].traceback += [text]
    return str(LabReportExporter().from_notebook_node(notebook(stream(text), *shown, error))[0])


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        links = [value or "" for name, value in attrs if name in ("href", "src", "srcdoc", "action") and value != "#"]
        self.elements.append((tag, *(name for name, _ in attrs), *links))


@pytest.mark.parametrize("texts", [(ALL,), pytest.param(HOSTILE, marks=pytest.mark.slow)], ids=["at once", "one by one"])
def test_hostile_text_makes_the_same_page_as_harmless_text(tmp_path: Path, texts: tuple[str, ...]) -> None:
    """Whatever is said, the page has the same elements with the same attributes, and no other."""
    harmless = Structure(report(HARMLESS, tmp_path / "harmless")).elements
    for number, text in enumerate(texts):
        assert Structure(report(text, tmp_path / str(number))).elements == harmless, text


@pytest.mark.slow
def test_a_browser_shows_hostile_text_and_runs_none_of_it(chromium: str, tmp_path: Path) -> None:
    """In Chromium every chart and table is there, the text can be read, and no script of a stranger has run."""
    path = tmp_path / "report.html"
    path.write_text(report(ALL, tmp_path), encoding="utf-8")
    with opened(chromium, tmp_path / "profile") as tab:
        tab.open(path)
        tab.wait_for("document.body.dataset.charts !== undefined")
        assert tab.ask("document.body.dataset.charts") == "drawn"
        assert tab.ask("typeof window.hacked") == "undefined"
        assert tab.ask("document.querySelectorAll('iframe, math, a[href^=javascript], img:not([src^=data])').length") == 0
        assert tab.ask("document.body.innerText.includes('<script>window.hacked = 1</script>')") is True
        assert tab.ask("document.title").endswith(": 5 devices every 500 ms")
        # Every fold is opened and pointed at, since some scripts wait for that.
        tab.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        tab.ask("document.querySelectorAll('main *').forEach((one) => one.dispatchEvent(new MouseEvent('mouseover')))")
        tab.wait_for("document.querySelectorAll('table.dataTable tbody tr').length > 0")
        assert tab.ask("typeof window.hacked") == "undefined"
        assert tab.complaints == []
        assert [one for one in tab.addresses if not one.startswith(("file:", "data:", "blob:", "about:"))] == []
