"""What several clients report of the same server: one percentile curve each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.three_clients import Client
from experiments.present import findings
from experiments.present.axes import HOVER_MS, percentile_layout, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import number, significant
from experiments.present.palette import BLUE, GREEN, GREY, ORANGE, RED, SKY
from experiments.present.template import template

_LOOKS = {
    "threads": (RED, "solid"),
    "httpx-stock": (ORANGE, "dash"),
    "httpx": (SKY, "dot"),
    "epoll": (BLUE, "solid"),
    "epoll, fixed": (GREEN, "dashdot"),
}


def reported(clients: Sequence[Client]) -> Chart | None:
    """A line per client: which share of its polls of A it reported as done within which latency."""
    drawn = [one for one in clients if one.curve.height]
    if not drawn:
        return None
    values = [1000 * value for one in drawn for value in one.curve["value_s"]]
    figure = go.Figure([_line(one) for one in drawn], layout={"template": template(), "height": 430})
    figure.update_layout(
        hovermode="closest",
        showlegend=True,
        xaxis=percentile_layout(
            (one.curve["tail"][-1] for one in drawn), "share of the polls of A that were done within the time, %"
        ),
        yaxis={**spread_layout(values), "title": {"text": "reported latency (sent to done), ms"}},
        legend={"x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"},
        margin={"r": 200},
    )
    return Chart(
        figure,
        finding=findings.sentence(f"99 % of its polls were done, says {', '.join(map(_said, drawn))}"),
        label="Latency in ms that each client reported of endpoint A, by percentile.",
        caption="Go up from a percentage to a line: so many polls were, by that client's own watch, done within that time. "
        "The server is the same and so is the load that was asked for; where the lines part, what lies between them was the "
        "client's.",
    )


def _said(client: Client) -> str:
    """What a client reports of 99 % of its polls, or of as many as it has figures for."""
    last = client.curve.filter(pl.col("percent") <= 99).tail(1)
    found = last if last.height else client.curve.head(1)
    return f"{client.name}, within {number(1000 * float(found['value_s'][0]))} ms"


def _line(client: Client) -> go.Scatter:
    colour, dash = _LOOKS.get(client.name, (GREY, "longdash"))
    return go.Scatter(
        x=[round(math.log10(tail), 4) for tail in client.curve["tail"]],
        y=[significant(1000 * value, 4) for value in client.curve["value_s"]],
        name=f"{client.name}, {number(client.polls_per_s)} polls/s",
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2.2},
        hovertemplate=HOVER_MS,
    )
