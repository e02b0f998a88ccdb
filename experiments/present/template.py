"""How every chart looks: one plotly template, and the settings of the chart's tool bar."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from experiments.present.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,  # plotly 7 offers to upload every chart to a public cloud
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "sendChartToCloud"],
}
"""Goes with every chart, beside its data and layout."""

TITLE_PX = 24
"""Height of a line of a chart's title."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
GRID = "#E8E8E8"
INK = "#222222"


def _axis() -> dict[str, Any]:
    return {
        "gridcolor": GRID,
        "linecolor": "#999999",
        "showline": True,
        "ticks": "outside",
        "tickcolor": "#999999",
        "ticklen": 4,
        "zeroline": False,
        "automargin": True,
        "exponentformat": "none",  # else plotly writes 12k and 320m before a unit of its own
        "separatethousands": True,
        "title": {"standoff": 10, "font": {"size": 12}},
    }


def template() -> go.layout.Template:
    """The template itself; only `graph_objects`, so that neither numpy nor pandas is needed."""
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": INK},
            "title": {
                "font": {"size": 16},
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 12, "t": 12},
                "y": 1,
                "yref": "container",
                "yanchor": "top",
            },
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "colorway": [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK],
            "separators": ".,",
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "white", "font": {"size": 12}},
            "margin": {"l": 64, "r": 24, "t": 24, "b": 48},
            "legend": {"font": {"size": 12}, "bgcolor": "rgba(255,255,255,0)"},
            "modebar": {"bgcolor": "rgba(255,255,255,0)", "color": "#BBBBBB", "remove": "sendChartToCloud"},
            "xaxis": _axis(),
            "yaxis": _axis(),
        }
    )
