"""A chart as a notebook shows it: plotly's own data for JupyterLab and for our report, a page fragment for others.

The default renderer of plotly writes only its own mimetype, and `jupyter nbconvert --to html` then shows no chart at all;
the fragment (`plain_chart`, which has the figures as a table) is for it.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from experiments.present.html import Markup
from experiments.present.plain_chart import fragment
from experiments.present.template import CONFIG

MIMETYPE = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class Chart:
    """One figure, with the words that go with it."""

    figure: go.Figure
    label: str
    """What it shows, for those who cannot see it."""
    caption: str
    """How to read it, in one sentence."""

    def noting(self, sentence: str) -> Chart:
        """The same, with one more sentence below it."""
        return replace(self, caption=f"{self.caption} {sentence}")

    def content(self) -> dict[str, Any]:
        """What plotly.js draws: data, layout (with the label in `meta`) and config."""
        content: dict[str, Any] = json.loads(self.figure.to_json())
        content["layout"]["meta"] = {"label": self.label}
        return {**content, "config": CONFIG}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The chart alone, in every form that somebody may want."""
        content = self.content()
        return {MIMETYPE: content, "text/html": fragment(content, self.label), "text/plain": self.label}

    def _ipython_display_(self) -> None:
        """Shows the chart, and its caption below as text: JupyterLab draws a figure and nothing beside it."""
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        display(Markup(f'<p class="lab-caption">{html.escape(self.caption)}</p>'))  # type: ignore[no-untyped-call]
