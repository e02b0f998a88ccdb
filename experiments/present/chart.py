"""A chart as a notebook shows it: plotly's own data for JupyterLab and for our report, a page fragment for others.

The default renderer of plotly writes only its own mimetype, and `jupyter nbconvert --to html` then shows no chart at all;
the fragment (`plain_chart`) is for it. Below each chart stand how to read it and its figures as a table.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from experiments.present import chart_table
from experiments.present.html import Markup, caption
from experiments.present.plain_chart import fragment
from experiments.present.template import CONFIG, TITLE_PX

MIMETYPE = "application/vnd.plotly.v1+json"
_TITLE_LETTERS = 95
"""Of a line of the title: as many find room beside the tool bar of a chart in JupyterLab."""


@dataclass(frozen=True)
class Chart:
    """One figure, with the words that go with it."""

    figure: go.Figure
    finding: str
    """What the data show, in a sentence that is made from them: the title of the chart."""
    label: str
    """What is drawn, for those who cannot see it."""
    caption: str
    """How to read it, in one sentence."""
    table: Markup | None = None
    """Its figures; None for what can be read off the figure itself."""

    def noting(self, sentence: str) -> Chart:
        """The same, with one more sentence below it."""
        return replace(self, caption=f"{self.caption} {sentence}")

    @property
    def below(self) -> Markup:
        """What stands below the chart: how to read it, and its figures."""
        shown = [self.table] if self.table is not None else chart_table.tables(self._drawn)
        return caption(self.caption) + (chart_table.folded(*shown) if shown else Markup(""))

    def content(self) -> dict[str, Any]:
        """What plotly.js draws: data, layout (with finding and label in `meta`) and config."""
        content = self._drawn
        lines = textwrap.wrap(self.finding, _TITLE_LETTERS)
        title_px = TITLE_PX * len(lines)
        layout = content["layout"]
        margin = layout.get("margin") or {}
        layout["margin"] = {**margin, "t": margin.get("t", 24) + title_px}
        layout["height"] = layout.get("height", 450) + title_px
        layout["title"] = {"text": "<br>".join(lines)}
        layout["meta"] = {"finding": self.finding, "label": self.label, "title_px": title_px}
        return {**content, "config": CONFIG}

    @property
    def _drawn(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.figure.to_json())
        for trace in content["data"]:
            _seen(trace)
        return content

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The chart alone, in every form that somebody may want."""
        content = self.content()
        said = f"{self.finding} {self.label}"
        return {MIMETYPE: content, "text/html": fragment(content, said), "text/plain": said}

    def _ipython_display_(self) -> None:
        """Shows the chart, and below it as text what belongs to it: JupyterLab draws a figure and nothing beside it."""
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        display(self.below)  # type: ignore[no-untyped-call]


def _seen(trace: dict[str, Any]) -> None:
    """A line of points that have no neighbour has no length: they are marked, so that its legend names something seen."""
    if trace.get("type", "scatter") != "scatter" or trace.get("mode") != "lines":
        return
    known = [value is not None for value in trace.get("y") or ()]
    if not any(one and other for one, other in pairwise(known)):
        trace["mode"] = "lines+markers"
        trace["showlegend"] = trace.get("showlegend", True) and any(known)
