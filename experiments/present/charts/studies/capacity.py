"""Where the edge lies: response p99 of every cell over the number of devices, beside the limit and what was foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go

from experiments.present import findings
from experiments.present.axes import from_zero, known, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import count, number, plain, significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.look import MOST_DRAWN, Look, left_out, looks
from experiments.present.palette import BLACK, BLUE, GREY, ORANGE
from experiments.present.template import template

Row = Mapping[str, Any]

_LOOKS = {
    "pass": ("pass", "circle", BLUE),
    "fail": ("fail", "x", ORANGE),
    "inconclusive": ("inconclusive", "circle-open", GREY),
}
"""What a cell shows -> its name, marker and colour."""


def edge(
    runs: Sequence[Row], limits: Mapping[str, float], foretold: Sequence[Row], found: int | None, workers: int
) -> Chart | None:
    """p99 over devices.

    Args:
        runs: a cell each: clients, shown, p99 in ms by endpoint, null if unsupported, and `longer`: the endpoints of
            which it is only a lower bound.
        limits: every endpoint, in the target's order -> ms, 0 for none.
        foretold: clients, and p99 in ms by endpoint.
        found: the most devices that hold; None if that is not known.
    """
    look = looks(limits)
    limited = [name for name, limit in limits.items() if limit > 0] or list(limits)[:1]
    panels = [
        panel
        for name in limited[:MOST_DRAWN]
        if (panel := _panel(name, look[name], runs, limits[name], foretold)) is not None
    ]
    if not panels:
        return None
    most = max(row["clients"] for row in (*runs, *foretold))
    where = "1 worker" if workers == 1 else f"{workers} workers"
    axis = spread_layout([value for panel in panels for trace in panel.traces for value in known(trace.y)])
    panels = [replace(panel, axis=axis) for panel in panels]
    figure = stack(
        panels,
        x={"range": [0, round(most * 1.05)], "tickformat": ",d"},
        x_title="devices",
        hovermode="closest",
    )
    if found:
        figure.add_vline(x=found, line={"color": BLACK, "width": 1, "dash": "dot"})
    said = f" The dotted line stands at {count(found)}, the most that held." if found else ""
    return Chart(
        figure,
        finding=findings.sentence(_held(runs, found, where), _grew(runs, limited[0], look[limited[0]])),
        label=f"Response p99 in ms of every cell over the number of devices, with {where}.",
        caption="Each mark is a cell; the level line is the service level, the thin curve what was foretold from the light "
        f"cells before any of the others was measured.{said}{_longer(runs)}{left_out(limited)}",
    )


def _held(runs: Sequence[Row], found: int | None, where: str) -> str:
    """The most that passed, and the fewest that failed."""
    failed = [row["clients"] for row in runs if row["shown"] == "fail" and row["clients"] > (found or 0)]
    beyond = f"; {count(min(failed))} are too many" if failed else "; no load that was tried is too much"
    return f"{where} held {count(found)} devices{beyond}" if found else f"{where} held no load for sure{beyond}"


def _grew(runs: Sequence[Row], endpoint: str, look: Look) -> str:
    """p99 of an endpoint at the least and at the greatest load."""
    seen = sorted((row["clients"], row[endpoint]) for row in runs if row.get(endpoint) is not None)
    if len(seen) < 2:
        return ""
    (few, fast), (many, slow) = seen[0], seen[-1]
    return f"p99 of {look.title} is {number(fast)} ms with {count(few)} devices and {number(slow)} ms with {count(many)}"


def _longer(runs: Sequence[Row]) -> str:
    unknown = any(row.get("longer") for row in runs)
    return " A hollow triangle: longer than there, since polls never had an answer." if unknown else ""


def _panel(endpoint: str, look: Look, runs: Sequence[Row], limit: float, foretold: Sequence[Row]) -> Panel | None:
    seen = {shown: [row for row in runs if row["shown"] == shown and row.get(endpoint) is not None] for shown in _LOOKS}
    curve = [row for row in foretold if row[endpoint] is not None]
    if not any(seen.values()):
        return None
    traces = [_marks(rows, endpoint, shown) for shown, rows in seen.items() if rows]
    if curve:
        traces.append(_line(curve, endpoint, look))
    if limit:
        ends = [0, max(row["clients"] for row in (*runs, *curve)) * 1.05]
        line = {"color": BLACK, "width": 1.4, "dash": "dash"}
        name = f"limit {plain(limit)} ms"
        traces.append(go.Scatter(x=ends, y=[limit, limit], mode="lines", name=name, line=line, hoverinfo="skip"))
    return Panel(f"<b>{look.title}</b>", "response p99, ms", traces, height=230)


def _marks(rows: Sequence[Row], endpoint: str, shown: str) -> go.Scatter:
    name, symbol, colour = _LOOKS[shown]
    bounds = [endpoint in row.get("longer", ()) for row in rows]
    return go.Scatter(
        x=[row["clients"] for row in rows],
        y=[significant(row[endpoint], 4) for row in rows],
        name=name,
        mode="markers",
        marker={
            "symbol": ["triangle-up-open" if bound else symbol for bound in bounds] if any(bounds) else symbol,
            "color": colour,
            "size": 9,
            "opacity": 0.8,
        },
        text=["longer than " if bound else "" for bound in bounds],
        hovertemplate="%{x:,d} devices: p99 %{text}%{y:,.3~r} ms<extra>" + name + "</extra>",
    )


def _line(rows: Sequence[Row], endpoint: str, look: Look) -> go.Scatter:
    return go.Scatter(
        x=[row["clients"] for row in rows],
        y=[significant(row[endpoint], 4) for row in rows],
        name="foretold",
        mode="lines",
        line={"color": look.colour, "width": 1.4},
        hovertemplate="%{x:,d} devices: p99 %{y:,.3~r} ms<extra>foretold</extra>",
    )


def scalability(points: Sequence[tuple[int, float]], curve: Sequence[tuple[float, float]], of: str) -> Chart | None:
    """Throughput over what works side by side, and the law through it.

    Args:
        points: (N, polls a second).
        curve: the same of the fitted law; empty where there is none.
        of: what N counts.
    """
    if not points:
        return None
    figure = go.Figure(layout={"template": template(), "height": 340})
    figure.add_trace(_measured(points))
    if curve:
        figure.add_trace(_law(curve))
    figure.update_layout(
        hovermode="closest",
        showlegend=True,
        xaxis={"title": {"text": of}, "rangemode": "tozero"},
        yaxis={"title": {"text": "polls answered, 1/s"}, **from_zero([rate for _, rate in (*points, *curve)])},
    )
    return Chart(
        figure,
        finding=findings.sentence(_scales(points, of)),
        label=f"Polls answered a second over the number of {of}, measured, and the Universal Scalability Law through them.",
        caption="The curve is the Universal Scalability Law through the marks, where these identify it.",
    )


def _scales(points: Sequence[tuple[int, float]], of: str) -> str:
    """Throughput with the fewest and with the most of them."""
    (few, slow), (many, fast) = min(points), max(points)
    if few == many:
        return f"{number(slow)} polls/s with {count(few)} {of}"
    ends = f"{number(slow)} polls/s with {count(few)} {of}, {number(fast)} with {count(many)}"
    return f"{ends}: {number(fast / slow)} times as many"


def _measured(points: Sequence[tuple[int, float]]) -> go.Scatter:
    return go.Scatter(
        x=[n for n, _ in points],
        y=[significant(rate, 4) for _, rate in points],
        mode="markers",
        name="measured",
        marker={"color": BLUE, "size": 9},
        hovertemplate="%{x}: %{y:,.0f} polls/s<extra>measured</extra>",
    )


def _law(curve: Sequence[tuple[float, float]]) -> go.Scatter:
    xs, ys = [round(n, 3) for n, _ in curve], [significant(rate, 4) for _, rate in curve]
    return go.Scatter(x=xs, y=ys, mode="lines", name="law", line={"color": ORANGE, "width": 1.6}, hoverinfo="skip")
