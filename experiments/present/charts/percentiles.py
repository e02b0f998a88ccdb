"""How long the slowest polls took: which share was done within which time, up to the last supported nine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.targets.naming import ARTICLE
from experiments.present import chart_table, findings
from experiments.present.axes import HOVER_MS, percentile_layout, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import longer, number, plain, significant
from experiments.present.html import Markup
from experiments.present.look import MOST_DRAWN, Look, left_out, looks
from experiments.present.palette import BLACK
from experiments.present.template import template


def percentile_curve(
    curves: Mapping[tuple[str, str], pl.DataFrame],
    names: Iterable[str] = ARTICLE,
    *,
    limits: Mapping[str, float] = MappingProxyType({}),
) -> Chart | None:
    """Which share of polls was done within which time, `response` and `latency` of each endpoint.

    Args:
        curves: (endpoint, kind) -> `analyse.latency.curve`; kind is response or latency.
        names: all endpoints of the run, in the target's order.
        limits: endpoint -> response time in ms that its p99 must keep.
    """
    look = looks(names)
    found = {key: frame for key, frame in curves.items() if frame.height}
    if not found:
        return None
    polled = list(dict.fromkeys(endpoint for endpoint, _ in found))
    drawn = {key: frame for key, frame in found.items() if key[0] in polled[:MOST_DRAWN]}
    figure = go.Figure(layout={"template": template(), "height": 430})
    for (endpoint, kind), frame in drawn.items():
        figure.add_traces(_parts(look[endpoint], kind, frame))
    figure.add_traces([_limit_mark(look[name], limit) for name, limit in limits.items() if limit and name in polled])
    unknown = any(frame["censored"].any() for frame in drawn.values())
    values = [value * 1000 for frame in drawn.values() for value in frame["value_s"]] + [v for v in limits.values() if v]
    figure.update_layout(
        hovermode="closest",
        xaxis=percentile_layout(
            (frame["tail"][-1] for frame in drawn.values()), "share of polls that were done within the time, %"
        ),
        yaxis={**spread_layout(values), "title": {"text": "time of a poll, ms"}},
        **_legend(len(figure.data)),
    )
    slow = [
        _reached(look[name], drawn[name, "response"], drawn.get((name, "latency")))
        for name in polled[:MOST_DRAWN]
        if (name, "response") in drawn
    ]
    return Chart(
        figure,
        finding=findings.sentence(*slow[:_MOST_TOLD]),
        table=_curve_table(drawn, look),
        label="Response and latency in ms by percentile, up to the last percentile that ten polls support.",
        caption="Go up from a percentage to the line: so many polls were done within that time. "
        "Response counts from when a poll was due, latency from when it was sent; where the two "
        "lines part, devices were still waiting for the poll before."
        f"{_BEYOND if unknown else ''}{left_out(polled)}",
    )


def _legend(lines: int) -> dict[str, Any]:
    """Beside the chart, so that it lies on no curve, and the chart as high as its legend."""
    return {
        "legend": {"x": 1.01, "y": 1, "xanchor": "left", "yanchor": "top"},
        "height": max(400, 90 + 20 * lines),
        "showlegend": True,
    }


def _limit_mark(look: Look, limit_ms: float) -> go.Scatter:
    """Where p99 of an endpoint must lie, or below."""
    return go.Scatter(
        x=[2],
        y=[limit_ms],
        name=f"{look.short} p99 limit {plain(limit_ms)} ms",
        mode="markers",
        marker={"symbol": "arrow-bar-down", "size": 13, "color": look.colour, "line": {"width": 1, "color": BLACK}},
        hovertemplate=f"99 % within {HOVER_MS}: the service level",
    )


def _reached(look: Look, response: pl.DataFrame, latency: pl.DataFrame | None) -> str:
    """`p99 of A (status) is 1.2 ms, p99.9 9.8 ms`, and where latency hides a part of it."""
    at, last = _row(response, _TOLD_PERCENT), response.tail(1)
    said = f"{_name(at)} of {look.title} is {_time(at)} ms"
    if float(last["percent"][0]) > float(at["percent"][0]):
        said += f", {_name(last)} {_time(last)} ms"
    hidden = _hidden(at, latency)
    return f"{said}; by latency alone it would be {number(hidden)} ms" if hidden is not None else said


def _row(curve: pl.DataFrame, percent: float) -> pl.DataFrame:
    """The first point that covers so many percent, or the last one there is."""
    beyond = curve.filter(pl.col("percent") >= percent - 1e-9).head(1)
    return beyond if beyond.height else curve.tail(1)


def _name(point: pl.DataFrame) -> str:
    percent = float(point["percent"][0])
    if abs(percent - _TOLD_PERCENT) < _NEAR:
        return f"p{_TOLD_PERCENT:g}"
    return f"p{significant(percent, 4 if percent < 99.9 else 5):.10g}"


def _time(point: pl.DataFrame) -> str:
    more = "more than " if point["censored"][0] else ""
    return f"{more}{number(1000 * float(point['value_s'][0]))}"


_TOLD_PERCENT, _MOST_TOLD = 99.0, 2
"""Percentile and number of endpoints that a finding speaks of."""
_NEAR = 0.05
"""A curve has no point at every percentile; one so near above goes by its name."""


def _hidden(at: pl.DataFrame, latency: pl.DataFrame | None) -> float | None:
    """What latency says of the same percentile, in ms, where that is half as much or less."""
    if latency is None or not latency.height:
        return None
    value = 1000 * float(_row(latency, float(at["percent"][0]))["value_s"][0])
    return value if findings.APART * value <= 1000 * float(at["value_s"][0]) else None


def _curve_table(drawn: Mapping[tuple[str, str], pl.DataFrame], look: Mapping[str, Look]) -> Markup:
    """A row a percentile that people ask for, a column a line."""
    asked = [p for p in _ASKED if any(frame["percent"][-1] >= p - 1e-9 for frame in drawn.values())]
    body = [[f"{p:g} %", *(_at(frame, p) for frame in drawn.values())] for p in asked]
    head = ["share of polls", *(f"{look[name].title} {kind}, ms" for name, kind in drawn)]
    return chart_table.rows(head, body, "time of a poll by percentile")


_ASKED = (50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999)


def _at(frame: pl.DataFrame, percent: float) -> str:
    found = frame.filter(pl.col("percent") >= percent - 1e-9).head(1)
    return longer(number(1000 * float(found["value_s"][0])), censored=bool(found["censored"][0])) if found.height else ""


_BEYOND = " The dotted end of a line is a lower bound: some of its polls never had an answer, and took longer than drawn."


def _parts(look: Look, kind: str, frame: pl.DataFrame) -> list[go.Scatter]:
    """The part of a line that is known, and its end that is only a bound; they meet in the last known point."""
    censored = pl.col("censored")
    known, bound = frame.filter(~censored), frame.filter(censored | censored.shift(-1, fill_value=False))
    parts = [_curve(look, kind, known, known_part=True)] if known.height else []
    return [*parts, _curve(look, kind, bound, known_part=False)] if bound.height > 1 else parts


def _curve(look: Look, kind: str, frame: pl.DataFrame, *, known_part: bool) -> go.Scatter:
    """One line; response lies below as a broad band, so that an equal latency does not hide it."""
    response = kind == "response"
    dash = look.dashes[0 if response else 1] if known_part else "dot"
    return go.Scatter(
        x=[round(math.log10(tail), 4) for tail in frame["tail"]],
        y=[significant(value * 1000, 4) for value in frame["value_s"]],
        text=[
            f"{significant(percent, 7):.10g} % within{' more than' if longer else ''}"
            for percent, longer in frame.select("percent", "censored").iter_rows()
        ],
        name=f"{look.short} {kind}{'' if known_part else ', longer than'}",
        mode="lines",
        opacity=0.45 if response else 1,
        line={
            "color": look.colour,
            "width": 6 if response else 1.8,
            "dash": dash,
        },
        hovertemplate=f"%{{text}} {HOVER_MS}",
    )
