"""How long devices waited: over the window, and poll by poll up to the last supported nine."""

from __future__ import annotations

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import polars as pl

from experiments.present.axes import TimeAxis, known, milliseconds, percentile_layout, spread_layout
from experiments.present.chart import Chart
from experiments.present.palette import ENDPOINT_COLOURS, PERCENTILES, RED
from experiments.present.panels import Panel, stack
from experiments.present.template import template
from experiments.present.words import ENDPOINTS, duration, significant


def over_time(frames: Mapping[str, pl.DataFrame], window_s: float, bins_s: Mapping[str, float]) -> Chart | None:
    """Response p50, p95 and p99 of each endpoint, by the time at which polls were due.

    Args:
        frames: endpoint -> `analyse.timeline.response_over_time`.
        window_s: length of the measured window.
        bins_s: endpoint -> length of the time over which a point is taken.
    """
    time = TimeAxis(window_s)
    panels = [_panel(name, frame, time, bins_s[name]) for name, frame in frames.items() if _drawable(frame)]
    if not panels:
        return None
    names = " and ".join(ENDPOINTS[name] for name, frame in frames.items() if _drawable(frame))
    figure = stack("How long did devices wait for an answer?", panels, x=time.layout(), x_title=time.title)
    return Chart(
        figure,
        label=f"Response time percentiles p50, p95 and p99 of {names} over the measured window, in ms.",
        caption="Response counts from the moment a poll was due, so a stall shows in every poll that it "
        "delayed; a percentile is left out where too few polls of its time support it.",
    )


def _drawable(frame: pl.DataFrame) -> bool:
    return any(frame[f"{name}_s"].drop_nulls().len() for name, _, _ in PERCENTILES)


def _panel(endpoint: str, frame: pl.DataFrame, time: TimeAxis, bin_s: float) -> Panel:
    x = time.values(frame["t_s"] + bin_s / 2)
    series = {name: milliseconds(frame[f"{name}_s"]) for name, _, _ in PERCENTILES}
    gaps = any(None in one for one in series.values() if known(one))
    traces = [
        go.Scatter(
            x=x,
            y=series[name],
            name=f"{endpoint_letter(endpoint)} {name}",
            mode="lines+markers" if gaps or len(x) <= 60 else "lines",
            line={"color": ENDPOINT_COLOURS[endpoint], "dash": dash, "width": width},
            marker={"size": 4},
            hovertemplate="%{y:.3~s} ms",
        )
        for name, dash, width in PERCENTILES
        if known(series[name])
    ]
    axis = spread_layout(known(*series.values()))
    title = f"<b>{ENDPOINTS[endpoint]}</b>, each point {duration(bin_s)}"
    return Panel(title, "response, ms", traces, axis, height=190)


def endpoint_letter(endpoint: str) -> str:
    """`A` or `B`."""
    return ENDPOINTS[endpoint].split(" ")[0]


def percentile_curve(curves: Mapping[tuple[str, str], pl.DataFrame]) -> Chart | None:
    """Which share of polls was done within which time, `response` and `latency` of each endpoint.

    Args:
        curves: (endpoint, kind) -> `analyse.latency.curve`; kind is response or latency.
    """
    drawn = {key: frame for key, frame in curves.items() if frame.height}
    if not drawn:
        return None
    figure = go.Figure(layout={"template": template(), "height": 430})
    for (endpoint, kind), frame in drawn.items():
        figure.add_trace(_curve(endpoint, kind, frame))
    values = [value * 1000 for frame in drawn.values() for value in frame["value_s"]]
    figure.update_layout(
        title={"text": "How long did the slowest polls take?"},
        hovermode="closest",
        xaxis=percentile_layout(
            (frame["tail"][-1] for frame in drawn.values()), "share of polls that were done within the time, %"
        ),
        yaxis={**spread_layout(values), "title": {"text": "time of a poll, ms"}},
        legend={"x": 0.01, "y": 0.99, "xanchor": "left", "yanchor": "top"},
    )
    return Chart(
        figure,
        label="Response and latency in ms by percentile, up to the last percentile that ten polls support.",
        caption="Go up from a percentage to the line: so many polls were done within that time. "
        "Response counts from when a poll was due, latency from when it was sent; where the two "
        "lines part, devices were still waiting for the poll before.",
    )


def _curve(endpoint: str, kind: str, frame: pl.DataFrame) -> go.Scatter:
    """One line; response lies below as a broad band, so that an equal latency does not hide it."""
    response = kind == "response"
    return go.Scatter(
        x=[round(math.log10(tail), 4) for tail in frame["tail"]],
        y=[significant(value * 1000, 4) for value in frame["value_s"]],
        text=[f"{significant(percent, 7):.10g} %" for percent in frame["percent"]],
        name=f"{endpoint_letter(endpoint)} {kind}",
        mode="lines",
        opacity=0.45 if response else 1,
        line={
            "color": ENDPOINT_COLOURS[endpoint],
            "width": 6 if response else 1.8,
            "dash": "solid" if response else "dash",
        },
        hovertemplate="%{text} within %{y:.3~s} ms",
    )


_SYMBOLS = {"status": "circle", "bulk": "diamond"}


def each_poll(polls: pl.DataFrame, window_s: float) -> Chart | None:
    """Every poll as a dot: for runs with too few polls for percentiles over time.

    Args:
        polls: `analyse.polls.prepare`.
        window_s: length of the measured window.
    """
    timed = polls.filter(pl.col("response_s") >= 0)
    if not timed.height:
        return None
    time = TimeAxis(window_s)
    traces = [_dots(timed, endpoint, time) for endpoint in ENDPOINTS]
    failed = timed.filter(pl.col("outcome") != "ok")
    if failed.height:
        traces.append(_crosses(failed, time))
    values = known(*(trace.y for trace in traces))
    panel = Panel("<b>every poll</b>", "response, ms", traces, spread_layout(values), height=300)
    figure = stack("How long did devices wait for an answer?", [panel], x=time.layout(), x_title=time.title)
    figure.update_layout(hovermode="closest")
    return Chart(
        figure,
        label="Response time in ms of every poll, by the time at which it was due.",
        caption="Each dot is one poll, placed at the time when it was due; the run is too small for "
        "percentiles over time. Response counts from that moment, so waiting for an earlier poll counts.",
    )


def _dots(polls: pl.DataFrame, endpoint: str, time: TimeAxis) -> go.Scatter:
    own = polls.filter((pl.col("endpoint") == endpoint) & (pl.col("outcome") == "ok"))
    return _marks(own, time, f"{endpoint_letter(endpoint)} answered", ENDPOINT_COLOURS[endpoint], _SYMBOLS[endpoint])


def _crosses(failed: pl.DataFrame, time: TimeAxis) -> go.Scatter:
    return _marks(failed, time, "failed or not sent", RED, "x")


def _marks(polls: pl.DataFrame, time: TimeAxis, name: str, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=time.values(polls["due_s"]),
        y=[max(value or 0.0, 0.001) for value in milliseconds(polls["response_s"])],
        text=polls["client"].to_list(),
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.75},
        hovertemplate="device %{text}: %{y:.3~s} ms",
    )
