"""Facets: small charts in rows and columns, each with axes of its own. Knows places; knows nothing of what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from experiments.present.template import template

_GAP_X, GAP_PX, _TOP_PX, _BOTTOM_PX = 0.1, 84, 52, 56


@dataclass(frozen=True)
class Facet:
    """One small chart."""

    title: str
    traces: Sequence[go.Scatter | go.Bar | go.Heatmap]
    x: dict[str, Any] = field(default_factory=dict)
    """Settings of its x axis."""
    y: dict[str, Any] = field(default_factory=dict)
    """Settings of its y axis."""


def tile(facets: Sequence[Facet], *, columns: int, height: int, gap: int = GAP_PX, **layout: Any) -> go.Figure:
    """A figure of facets, row by row.

    Args:
        columns: facets in a row.
        height: of one facet's plotting area, in pixels.
        gap: between two rows, in pixels: room for an axis and for a title of one line, unless said otherwise.
        layout: further settings of the figure.
    """
    rows = -(-len(facets) // columns)
    inner = rows * height + (rows - 1) * gap
    figure = go.Figure(layout={"template": template()})
    for place, facet in enumerate(facets):
        row, column = divmod(place, columns)
        top = 1 - row * (height + gap) / inner
        _add(figure, facet, place + 1, _across(column, columns), (max(0.0, top - height / inner), top))
    figure.update_layout(height=inner + _TOP_PX + _BOTTOM_PX, margin={"t": _TOP_PX, "b": _BOTTOM_PX}, **layout)
    return figure


def _across(column: int, columns: int) -> tuple[float, float]:
    width = (1 - _GAP_X * (columns - 1)) / columns
    left = column * (width + _GAP_X)
    return left, left + width


def _add(figure: go.Figure, facet: Facet, number: int, x: tuple[float, float], y: tuple[float, float]) -> None:
    suffix = "" if number == 1 else str(number)
    for trace in facet.traces:
        trace.update(xaxis=f"x{suffix}", yaxis=f"y{suffix}")
        figure.add_trace(trace)
    figure.update_layout(
        {
            f"xaxis{suffix}": {"domain": _rounded(x), "anchor": f"y{suffix}", **facet.x},
            f"yaxis{suffix}": {"domain": _rounded(y), "anchor": f"x{suffix}", **facet.y},
        }
    )
    figure.add_annotation(
        text=facet.title,
        **{"x": x[0], "xref": "paper", "xanchor": "left", "y": y[1], "yref": "paper", "yanchor": "bottom"},
        yshift=4,
        showarrow=False,
        font={"size": 13},
    )


def _rounded(ends: tuple[float, float]) -> list[float]:
    return [round(min(1.0, max(0.0, end)), 5) for end in ends]
