"""Two servers beside each other: the ratio of each piece of the run, and the interval of their mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.present import findings
from experiments.present.axes import TimeAxis
from experiments.present.chart import Chart
from experiments.present.duets import table
from experiments.present.format import significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLACK, BLUE, GREY

_TICKS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.4, 2, 4)


def over_time(duets: Sequence[tuple[Mapping[str, Any], pl.DataFrame]], window_s: float) -> Chart | None:
    """The ratio of the processor time for a request, piece by piece.

    Args:
        duets: of each, what the summary says of it, and `analyse.duets.duet.series` of its processor time.
        window_s: length of the measured window.
    """
    time = TimeAxis(window_s)
    panels = [_panel(duet, series, time) for duet, series in duets if len(series)]
    if not panels:
        return None
    return Chart(
        stack(panels, x=time.layout(), x_title=time.title),
        finding=findings.sentence(*(table.sentence(duet) for duet, _ in duets[:1])),
        label="Ratio of the processor time for a request of two servers, in each piece of the run, with the interval of "
        "their mean.",
        caption="Each dot is one piece of the run, in which both servers were polled alike. The band is where the mean lies "
        "with 95 % confidence; where it holds the line at 1, the two cannot be told apart.",
    )


def _panel(duet: Mapping[str, Any], series: pl.DataFrame, time: TimeAxis) -> Panel:
    x = list(time.values((series["start_s"] + series["end_s"]) / 2))
    y = [significant(math.exp(log), 5) for log in series["log"]]
    ratio, ends = duet["cpu_ratio"], list(time.values(pl.Series([series["start_s"][0], series["end_s"][-1]])))
    traces = [
        go.Scatter(x=ends, y=[1, 1], name="equal", mode="lines", line={"color": BLACK, "width": 1}, hoverinfo="skip"),
        go.Scatter(
            x=x, y=y, name="one piece", mode="markers", marker={"color": GREY, "size": 7},
            hovertemplate="%{y:.4f}<extra></extra>",
        ),
    ]  # fmt: skip
    if ratio["low"] is not None:
        traces.insert(0, _band(ends, ratio))
        traces.append(_mean(ends, ratio))
    ticks = [tick for tick in _TICKS if min(y) / 1.1 <= tick <= max(y) * 1.1]
    return Panel(
        f"<b>{duet['b']} : {duet['a']}</b>, processor time for a request",
        "ratio",
        traces,
        {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]},
        height=220,
    )


def _band(ends: list[Any], ratio: Mapping[str, Any]) -> go.Scatter:
    low, high = ratio["low"], ratio["high"]
    return go.Scatter(
        x=[*ends, *reversed(ends)], y=[low, low, high, high], name="95 % interval", fill="toself", mode="lines",
        line={"width": 0}, fillcolor="rgba(0, 114, 178, 0.22)", hoverinfo="skip",
    )  # fmt: skip


def _mean(ends: list[Any], ratio: Mapping[str, Any]) -> go.Scatter:
    return go.Scatter(
        x=ends, y=[ratio["estimate"]] * 2, name="mean", mode="lines", line={"color": BLUE, "width": 2, "dash": "dash"},
        hovertemplate="mean %{y:.4f}<extra></extra>",
    )  # fmt: skip
