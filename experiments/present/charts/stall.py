"""One stall, poll by poll, as latency and as response see it: what coordinated omission hides."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from experiments.present import findings
from experiments.present.axes import HOVER_MS, TimeAxis, milliseconds
from experiments.present.chart import Chart
from experiments.present.format import count, plural
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLUE, ORANGE

_KINDS = (
    ("latency", "latency: from sent to done", ORANGE, "cross"),
    ("response", "response: from due to done", BLUE, "circle-open"),
)


def _found(polls: pl.DataFrame) -> str:
    response, latency = _slow(polls, "response"), _slow(polls, "latency")
    seen = f"by response {count(response)} of {plural(polls.height, 'poll')} took longer than {_SLOW_MS} ms"
    return f"{seen}, by latency {count(latency)}"


_SLOW_MS = 100


def _slow(polls: pl.DataFrame, kind: str) -> int:
    return int((polls[f"{kind}_s"] * 1000 > _SLOW_MS).sum())


def seen_twice(polls: pl.DataFrame, window_s: float) -> Chart:
    """Both times of every poll, over when it was due.

    Args:
        polls: prepared polls of a run against a server that stalled once.
        window_s: length of the measured window.
    """
    time = TimeAxis(window_s)
    x = time.values(polls["due_s"])
    traces = [
        go.Scatter(
            x=x,
            y=milliseconds(polls[f"{kind}_s"]),
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 6},
            hovertemplate=HOVER_MS,
        )
        for kind, name, colour, symbol in _KINDS
    ]
    panel = Panel("each poll, by when it was due", "time of a poll, ms", traces, {"rangemode": "tozero"}, height=320)
    figure = stack([panel], x=time.layout(), x_title=time.title)
    return Chart(
        figure,
        finding=findings.sentence(_found(polls)),
        label="Latency and response of every poll around a server stall, in ms, by when the poll was due.",
        caption="While the server stands still, a device has one poll under way: latency shows that one. The polls that "
        "came due behind it waited too, and only response says so.",
    )
