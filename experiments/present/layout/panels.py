"""Panels: small charts above one another that share the time axis, each with its own unit and legend.

Knows places and sizes; knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from experiments.present.template import template

_GAP_PX, _TOP_PX, _BOTTOM_PX = 46, 36, 52
_LEGEND_PX, _LETTER_PX, _SAMPLE_PX = 130, 6.6, 38
"""Least width of the legends, width of a letter in them, and of the piece of line before a name."""


@dataclass(frozen=True)
class Panel:
    """One small chart: what it is called, its unit, what is drawn in it."""

    title: str
    """What is drawn, shown above the panel."""
    unit: str
    """Title of the y axis."""
    traces: Sequence[go.Scatter | go.Bar | go.Heatmap]
    axis: dict[str, Any] = field(default_factory=dict)
    """Further settings of the y axis."""
    height: int = 150
    """Height of the plotting area in pixels."""


def stack(panels: Sequence[Panel], *, x: dict[str, Any], x_title: str, **layout: Any) -> go.Figure:
    """A figure of panels above one another with one x axis.

    Args:
        x: further settings of the x axis.
        layout: further settings of the figure.
    """
    inner = sum(panel.height for panel in panels) + _GAP_PX * (len(panels) - 1)
    figure = go.Figure(layout={"template": template()})
    top = inner
    for place, panel in enumerate(panels, start=1):
        _add(figure, panel, place, (top - panel.height) / inner, top / inner)
        top -= panel.height + _GAP_PX
    last = "" if len(panels) == 1 else str(len(panels))
    figure.update_layout(
        xaxis={**x, "anchor": f"y{last}", "title": {"text": x_title}},
        height=inner + _TOP_PX + _BOTTOM_PX,
        showlegend=True,
        margin={"t": _TOP_PX, "b": _BOTTOM_PX, "r": _legend_px(panels)},
        **layout,
    )
    return figure


def _legend_px(panels: Sequence[Panel]) -> int:
    """Room beside the panels for their legends: more where names are long."""
    names = [trace.name or "" for panel in panels for trace in panel.traces if trace.showlegend is not False]
    return max(_LEGEND_PX, round(_SAMPLE_PX + _LETTER_PX * max(map(len, names), default=0)))


def _add(figure: go.Figure, panel: Panel, place: int, low: float, high: float) -> None:
    """Draws one panel between two heights, given as parts of the figure."""
    number = "" if place == 1 else str(place)
    low, high = round(max(0.0, low), 5), round(min(1.0, high), 5)
    for trace in panel.traces:
        trace.update(xaxis="x", yaxis=f"y{number}")
        if trace.type != "heatmap":
            trace.update(legend=f"legend{number}")
        figure.add_trace(trace)
    axis = {"domain": [low, high], "title": {"text": panel.unit}, **panel.axis}
    figure.update_layout(
        {
            f"yaxis{number}": axis,
            f"legend{number}": {"x": 1.01, "xanchor": "left", "y": high, "yanchor": "top"},
        }
    )
    figure.add_annotation(
        text=panel.title,
        x=0,
        xref="paper",
        xanchor="left",
        y=high,
        yref="paper",
        yanchor="bottom",
        yshift=4,
        showarrow=False,
        font={"size": 13},
    )
