"""A notebook as one HTML file that can be sent to somebody: verdict on top, no code, every chart without the web.

Notebook in, page out; a record is opened only for a notebook that broke off (`broken_off`). plotly.js is packed once (gzip,
base64: 2 MB instead of 5) and unpacked by the reader's browser. Cells with the tag `verdict` move up, under the title.
"""

from __future__ import annotations

import base64
import gzip
import html
import re
from itertools import count
from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

from experiments.present.html import STYLES, TEMPLATES, embedded, shared_styles
from experiments.present.pages.broken_off import mended

PLOTLY = "application/vnd.plotly.v1+json"
TOP_TAG = "verdict"
_PAPERMILL_ERROR = "papermill-error-cell-tag"
"""Tag of cells that papermill adds about an error, pointing at code that a report does not show."""

NOT_REPORTED = ("progress", "result", "form")
"""Roles of outputs that are of no interest afterwards, or that say again what stands on top."""

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_ONCE = re.compile(r"<!--once:([\w-]+)-->.*?<!--/once:\1-->", re.DOTALL)
_SCRIPTS = "<!--scripts-->"


class LabReportExporter(HTMLExporter):
    """`jupyter nbconvert --to lab_report`, and "Lab_report" in the export menu of JupyterLab."""

    export_from_notebook = "Lab report (HTML)"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "lab_report"

    @default("extra_template_basedirs")
    def _default_extra_template_basedirs(self) -> list[str]:
        return [str(TEMPLATES.parent)]

    @default("exclude_anchor_links")
    def _default_exclude_anchor_links(self) -> bool:
        return True

    @property
    def default_config(self) -> Config:
        """nbconvert's own, with the chart itself preferred to its fallback."""
        config: Config = super().default_config
        config.NbConvertBase.display_data_priority.insert(0, PLOTLY)
        return config

    def from_notebook_node(  # type: ignore[override]  # as nbconvert itself overrides it
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """The page, and nbconvert's resources."""
        page = _Page()
        self.register_filter("chart_html", page.chart)
        self.register_filter("once", page.once)
        self.register_filter("error_sentence", error_sentence)
        resources = self._init_resources(resources or {})
        # PERF: past HTMLExporter, which parses the whole page again to look for images without alternative text and
        # for parts of its own layout: 0.3 s on a page of 3 MB, and there is neither here.
        content, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return content.replace(_SCRIPTS, page.scripts()), resources

    def _preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """In the report's order; after what nbconvert does to it, since --execute needs the code's own order."""
        nb, resources = super()._preprocess(nb, resources)
        errors = [error_sentence(output) for output in _errors(nb)]
        nb, broken_off = mended(nb)
        nb = arranged(nb)
        styles = shared_styles() + _asset("report.css")
        about = {"title": title_of(nb), "styles": styles, "errors": errors, "broken_off": broken_off}
        return nb, {**resources, "lab_report": about}


def arranged(nb: NotebookNode) -> NotebookNode:
    """The notebook as a report tells it: title, verdict, then everything else in its order."""
    cells = [_tidy(cell) for cell in nb.cells if _PAPERMILL_ERROR not in _tags(cell)]
    top = [cell for cell in cells if TOP_TAG in _tags(cell)]
    rest = [cell for cell in cells if TOP_TAG not in _tags(cell)]
    titled = next((place for place, cell in enumerate(rest) if _heading(cell)), -1)
    return NotebookNode({**nb, "cells": rest[: titled + 1] + top + rest[titled + 1 :]})


def _tidy(cell: NotebookNode) -> NotebookNode:
    """The cell without what only helps while the notebook is open, and with what it printed in one piece."""
    if cell.cell_type != "code":
        return cell
    outputs: list[NotebookNode] = []
    for output in cell.outputs:
        if output.get("metadata", {}).get("lab", {}).get("role") in NOT_REPORTED:
            continue
        if outputs and output.output_type == outputs[-1].output_type == "stream":
            outputs[-1] = NotebookNode({**output, "text": outputs[-1].text + output.text})
        else:
            outputs.append(output)
    return NotebookNode({**cell, "outputs": outputs})


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _heading(cell: NotebookNode) -> str:
    found = _HEADING.search(cell.source) if cell.cell_type == "markdown" else None
    return found[1] if found else ""


def title_of(nb: NotebookNode) -> str:
    """The first heading, without marks of emphasis."""
    headings = (heading for cell in nb.cells if (heading := _heading(cell)))
    return re.sub(r"[*_`]", "", next(headings, "Lab report"))


def _errors(nb: NotebookNode) -> list[NotebookNode]:
    return [
        output for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs if output.output_type == "error"
    ]


def error_sentence(output: NotebookNode) -> str:
    """What went wrong, in the words of the error itself."""
    return f"{output.ename}: {output.evalue}" if output.evalue else str(output.ename)


class _Page:
    """What a page collects while it is being written: its charts, and what it holds already."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._drawn = 0
        self._held = {STYLES}

    def chart(self, output: NotebookNode) -> str:
        """A place for a chart, and its data beside it."""
        figure = output.data[PLOTLY]
        self._drawn = number = next(self._numbers)
        layout = figure.get("layout", {})
        label = (layout.get("meta") or {}).get("label") or "chart"
        height = layout.get("height") or 450
        return (
            f'<figure class="lab-chart" aria-label="{html.escape(label)}">'
            f'<div class="lab-plot" id="chart-{number}" style="height:{height}px"></div></figure>'
            f'<script type="application/json" id="chart-{number}-data">{embedded(figure)}</script>'
        )

    def once(self, fragment: str) -> str:
        """The fragment without the libraries that the page holds already."""

        def kept(match: re.Match[str]) -> str:
            if match[1] in self._held:
                return ""
            self._held.add(match[1])
            return match[0]

        return _ONCE.sub(kept, fragment)

    def scripts(self) -> str:
        """plotly.js and what draws with it; nothing where there is no chart."""
        if not self._drawn:
            return ""
        from plotly.offline import get_plotlyjs

        packed = base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode()
        drawing = _asset("report.js")
        return f'<script type="text/plain" id="plotly-gz">{packed}</script>\n<script>{drawing}</script>'


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
