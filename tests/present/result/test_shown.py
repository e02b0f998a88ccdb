"""A result within a notebook."""

import json
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter, MarkdownExporter

from experiments.present.exporter import LabReportExporter
from experiments.present.pages.run import Page
from experiments.present.result import shown
from tests.present.notebooks import executed, notebook


def cells(page: Page) -> list[dict[str, Any]]:
    """The cells of an executed notebook that ends with its result, as its file has them."""
    made = notebook(executed(page.headline), executed(page.result))
    return list(json.loads(nbformat.writes(made))["cells"])


def test_a_notebook_carries_its_result_as_data(page: Page) -> None:
    """A reader of notebooks need not parse HTML."""
    assert shown.found(cells(page)) == page.result().result
    assert shown.found(cells(page)[:-1]) is None


def test_a_report_says_it_once(page: Page) -> None:
    """What stands on top of a report does not stand at its end again."""
    report = str(LabReportExporter().from_notebook_node(notebook(executed(page.result)))[0])
    assert page.result().result.answer not in report


def test_plain_exports_show_answer_and_tables(page: Page) -> None:
    """Whoever has no exporter of ours still reads what came out."""
    made = notebook(executed(page.headline), executed(page.result))
    for exporter in (HTMLExporter, MarkdownExporter):
        body = str(exporter().from_notebook_node(made)[0])
        assert page.result().result.answer in body
        assert "A (status)" in body
        assert "Service level" in body
