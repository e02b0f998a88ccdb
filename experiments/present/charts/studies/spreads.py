"""How response times are spread, at every point of a sweep: small multiples of percentile curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.points import Point
from experiments.analyse.targets.naming import ARTICLE, titles
from experiments.present import findings
from experiments.present.axes import percentile_layout, spread_layout
from experiments.present.chart import Chart
from experiments.present.charts.studies.grid import MOST_FACETS, X
from experiments.present.format import number, plain_value, plural, significant
from experiments.present.layout.facets import GAP_PX, Facet, tile

_MOST_BESIDE = 3
"""Endpoints in a row."""
_LINE_PX = 18
"""Height of the second line of a title."""
_SHADES = ("#9ECAE1", "#6BAED6", "#4292C6", "#2171B5", "#08519C", "#08306B", "#041A3A")
"""Light to dark with the number of clients, so that their order is seen in grey as well."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def multiples(points: Sequence[Point], names: Sequence[str] = ARTICLE) -> Chart | None:
    """A row for each combination of everything but clients, the endpoints side by side, a line for each number of clients.

    Args:
        names: the endpoints, in the target's order; of more than find room, the first ones.
    """
    called, names = titles(names), names[:_MOST_BESIDE]
    rows = [group for group in _rows(points) if any(_drawable(point, name) for point in group[1] for name in names)]
    shown = rows[: MOST_FACETS // len(names)]
    drawn = [point for _, group in shown for point in group]
    endpoints = [name for name in names if any(_drawable(point, name) for point in drawn)]
    if not endpoints:
        return None
    clients = sorted({point.at[X] for point in points})
    hidden = f" The first {len(names)} of {len(called)} endpoints." if len(called) > len(names) else ""
    left_out = f" {plural(len(rows) - len(shown), 'further row')} would follow: see the cells' own reports."
    return Chart(
        tile(
            _facets(shown, {name: called[name] for name in endpoints}, clients),
            columns=len(endpoints),
            height=200,
            gap=GAP_PX + (_LINE_PX if len(endpoints) > 2 else 0),
            hovermode="closest",
            legend={"title": {"text": "clients"}, "x": 1.01, "y": 1},
        ),
        finding=findings.sentence(*(_ends(drawn, name, called[name]) for name in endpoints[:2])),
        label="Response time in ms by percentile, a small chart for each interval and endpoint, a line for each number of "
        "clients.",
        caption="Go up from a percentage to a line: so many polls were done within that time; the darker the line, the more "
        "clients. The polls of all repeats together; every chart has the same scales. A line ends where ten polls are "
        "left, or where polls without an answer leave open how long it took."
        f"{left_out if len(rows) > len(shown) else ''}{hidden}",
    )


def _ends(points: Sequence[Point], endpoint: str, title: str) -> str:
    """The highest percentile that all points reach, where it is shortest and where it is longest."""
    curves = [(point, point.curves[endpoint].filter(~pl.col("censored"))) for point in points if _drawable(point, endpoint)]
    percent = min(float(curve["percent"][-1]) for _, curve in curves)
    at = [(float(curve.filter(pl.col("percent") <= percent)["value_s"][-1]), point) for point, curve in curves]
    (low, least), (high, most) = min(at, key=lambda one: one[0]), max(at, key=lambda one: one[0])
    of = f"{significant(percent, 4):.10g} % of {title}"
    if least is most:
        return f"{of} took at most {number(1000 * high)} ms"
    return f"{of} took at most {number(1000 * low)} ms ({_named(least)}) to {number(1000 * high)} ms ({_named(most)})"


def _named(point: Point) -> str:
    return ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items())


def _rows(points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        name = ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items() if axis != X)
        groups.setdefault(name, []).append(point)
    return list(groups.items())


def _facets(rows: Sequence[tuple[str, list[Point]]], endpoints: Mapping[str, str], clients: Sequence[Any]) -> list[Facet]:
    """A small chart for each row and endpoint, all with the same scales; the legend names each line once.

    Args:
        endpoints: with what people call them.
    """
    drawn = [point for _, group in rows for point in group]
    curves = [frame for point in drawn for name, frame in point.curves.items() if name in endpoints]
    values = [1000 * value for frame in curves for value in frame["value_s"]]
    axes = {endpoint: _axis(drawn, endpoint, narrow=len(endpoints) > 2) for endpoint in endpoints}
    y = {**spread_layout(values), "title": {"text": "response, ms"}}
    # Beside one another there is no room for a long name and a long combination on one line.
    between = ", " if len(endpoints) < 3 else "<br>"
    facets = [
        Facet(f"<b>{called}</b>{between}{name}", _lines(endpoint, group, clients), axes[endpoint], y)
        for name, group in rows
        for endpoint, called in endpoints.items()
    ]
    for trace in {trace.name: trace for facet in reversed(facets) for trace in facet.traces}.values():
        trace.update(showlegend=True)
    return facets


def _lines(endpoint: str, group: Sequence[Point], clients: Sequence[Any]) -> list[go.Scatter]:
    return [
        _line(point.curves[endpoint], clients.index(point.at[X]), len(clients), point.at[X])
        for point in group
        if _drawable(point, endpoint)
    ]


def _axis(points: Sequence[Point], endpoint: str, *, narrow: bool) -> dict[str, Any]:
    """Percentages, as far as any curve of the endpoint goes; without that of half, where labels would overlap."""
    tails = [point.curves[endpoint]["tail"][-1] for point in points if _drawable(point, endpoint)]
    axis = percentile_layout(tails, "polls done within the time", small=True)
    if not narrow:
        return axis
    ticks = [tick for tick in zip(axis["tickvals"], axis["ticktext"], strict=True) if tick[1] != "50 %"]
    return {**axis, "tickvals": [at for at, _ in ticks], "ticktext": [text for _, text in ticks], "tickangle": 0}


def _drawable(point: Point, endpoint: str) -> bool:
    return endpoint in point.curves and point.curves[endpoint].height > 0 and not point.curves[endpoint]["censored"][0]


def _line(curve: pl.DataFrame, place: int, count: int, clients: Any) -> go.Scatter:
    """Every third point of the curve will do in a small chart; it ends where times are only known to be longer."""
    curve = curve.filter(~pl.col("censored"))
    thin = pl.concat([curve.gather_every(3), curve.tail(1)]).unique(maintain_order=True)
    shade = _SHADES[round(place * (len(_SHADES) - 1) / max(1, count - 1))]
    return go.Scatter(
        x=[round(math.log10(tail), 4) for tail in thin["tail"]],
        y=[significant(1000 * value, 4) for value in thin["value_s"]],
        text=[f"{significant(percent, 6):.10g} %" for percent in thin["percent"]],
        name=plain_value(clients),
        legendgroup=plain_value(clients),
        showlegend=False,
        mode="lines",
        line={"color": shade, "width": 2, "dash": _DASHES[place % len(_DASHES)]},
        hovertemplate=f"{plain_value(clients)} clients: %{{text}} within %{{y:,.3~r}} ms<extra></extra>",
    )
