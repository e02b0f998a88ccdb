"""How figures grow over an axis of a sweep: a line through the points, and a dot for each repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.points import BELIEVED, Point, column
from experiments.analyse.targets.naming import ARTICLE, titles, together
from experiments.present import findings
from experiments.present.axes import LOG_FROM, from_zero, known, log_ticks, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import number, plain, plain_value, significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.look import MOST_DRAWN, left_out
from experiments.present.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY

MOST_LINES = 8
_STYLES = tuple(
    zip((BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK), ("solid", "dash", "dot", "dashdot") * 2, "osd^vx+", strict=False)
)
_SYMBOLS = {"o": "circle", "s": "square", "d": "diamond", "^": "triangle-up", "v": "triangle-down", "x": "x", "+": "cross"}


@dataclass(frozen=True)
class _What:
    """What one panel is about."""

    title: str
    unit: str
    column: str
    """Of the table of cells."""
    of: Callable[[Point], float | None]
    """The figure of a point."""
    bound: Callable[[Point], bool] = lambda point: False
    """Whether it is only known to be longer: polls that never had an answer leave open by how much."""


def _p99(name: str, title: str) -> _What:
    return _What(
        f"{title}, response p99",
        "ms",
        column(name, "p99_ms"),
        lambda point: point.response_ms.get(name, {}).get("p99"),
        lambda point: "p99" in point.longer.get(name, ()),
    )


_SERVER = _What("server, processor", "cores", "server_cores", lambda point: point.server["cores"])


def over(points: Sequence[Point], cells: pl.DataFrame, names: Sequence[str] = ARTICLE) -> Chart | None:
    """Response p99 of every endpoint and the server's processor, over clients (or the axis that has most values).

    Args:
        cells: `analyse.points.cells_table`.
        names: the endpoints, in the target's order.
    """
    axis = _longest_axis(points)
    if axis is None:
        return None
    lines, called = _lines(points, axis), titles(names)
    whats = [*(_p99(name, called[name]) for name in names[:MOST_DRAWN]), _SERVER]
    panels = [panel for what in whats if (panel := _panel(what, lines[:MOST_LINES], cells, axis)) is not None]
    if not panels:
        return None
    panels = _alike(panels)
    named = {trace.name: trace for panel in reversed(panels) for trace in panel.traces if trace.mode == "lines"}
    for trace in named.values():
        trace.update(showlegend=True)
    seen = sorted({point.at[axis] for point in points})
    x = _x_axis(seen)
    unit = ", ms" if axis.endswith("_ms") else ""
    figure = stack(panels, x=x, x_title=f"{axis}{unit}", hovermode="closest")
    more = f" Of {len(lines)} lines the first {MOST_LINES} are drawn." if len(lines) > MOST_LINES else ""
    return Chart(
        figure,
        finding=findings.sentence(_grew(whats[0], lines, axis), _grew(_SERVER, lines, axis)),
        label=f"Response p99 of {together(names)} in ms and the server's processor cores over {axis}; a line for each of "
        "the other parameters' values.",
        caption="Lines: the polls of all repeats together (processor: mean of the repeats). Dots: each repeat by itself; "
        f"how far they lie apart is how well the figure repeats; a hollow triangle is longer than where it stands, since "
        f"polls never had an answer. Runs that are invalid are left out.{more}{left_out(names)}",
    )


def _grew(what: _What, lines: Sequence[_Line], axis: str) -> str:
    """The figure at both ends of the line that rises most."""
    ends = []
    for name, _, group in lines:
        seen = [(point, value) for point in group if point.measured and (value := what.of(point)) is not None]
        if len(seen) > 1:
            ends.append((seen[-1][1] / (seen[0][1] or 1e-9), name, seen[0], seen[-1]))
    if not ends:
        return ""
    _, name, (few, low), (many, high) = max(ends, key=lambda end: end[0])
    of = "" if name == "all" else f" ({name})"
    more = "more than " if what.bound(many) else ""
    return (
        f"{what.title}{of}: {number(low)} {what.unit} at {axis} {plain_value(few.at[axis])}, "
        f"{more}{number(high)} {what.unit} at {plain_value(many.at[axis])}"
    )


def _longest_axis(points: Sequence[Point]) -> str | None:
    """The axis to draw over: clients where there are several, else the number that takes most values."""
    values = {axis: {point.at[axis] for point in points} for axis in points[0].at}
    numbers = {
        axis: len(found)
        for axis, found in values.items()
        if len(found) > 1 and all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
    }
    return "clients" if "clients" in numbers else max(numbers, key=lambda axis: numbers[axis], default=None)


def _lines(points: Sequence[Point], axis: str) -> list[tuple[str, dict[str, Any], list[Point]]]:
    """Name, the other axes' values, and the points in order."""
    groups: dict[tuple[Any, ...], list[Point]] = {}
    varied = [name for name in points[0].at if name != axis and len({point.at[name] for point in points}) > 1]
    for point in points:
        groups.setdefault(tuple(point.at[name] for name in varied), []).append(point)
    return [
        (
            ", ".join(f"{name} {plain_value(value)}" for name, value in zip(varied, values, strict=True)) or "all",
            dict(zip(varied, values, strict=True)),
            sorted(group, key=lambda point: point.at[axis]),
        )
        for values, group in groups.items()
    ]


_Line = tuple[str, dict[str, Any], list[Point]]


def _panel(what: _What, lines: list[_Line], cells: pl.DataFrame, axis: str) -> Panel | None:
    unit = what.unit
    traces: list[go.Scatter] = []
    believed = cells.filter(pl.col("state").is_in(BELIEVED) & pl.col(what.column).is_not_null())
    for (name, at, group), (colour, dash, symbol) in zip(lines, cycle(_STYLES), strict=False):
        own = believed.filter(*(pl.col(key) == value for key, value in at.items()))
        drawn = [(point.at[axis], None if what.bound(point) else what.of(point)) for point in group if point.measured]
        if not own.height and not any(y is not None for _, y in drawn):
            continue
        hover = f"{name}, {axis} %{{x:,}}: %{{text}}%{{y:,.3~r}} {unit}<extra></extra>"
        style = {"name": name, "legendgroup": name, "hovertemplate": hover, "showlegend": False}
        traces.append(_line(drawn, {"color": colour, "dash": dash, "width": 2}, style))
        traces.append(_dots(own, axis, what.column, {"color": colour, "size": 8, "opacity": 0.75}, _SYMBOLS[symbol], style))
    values = [value for trace in traces for value in trace.y if value is not None]
    if not values:
        return None
    return Panel(
        f"<b>{what.title}</b>", unit, traces, from_zero(values) if unit == "cores" else spread_layout(values), height=190
    )


def _alike(panels: Sequence[Panel]) -> list[Panel]:
    """With one scale for all response times, since they are compared."""
    times = known(*(trace.y for panel in panels if panel.unit == "ms" for trace in panel.traces))
    return [replace(panel, axis=spread_layout(times)) if panel.unit == "ms" else panel for panel in panels]


def _line(drawn: Sequence[tuple[Any, float | None]], line: dict[str, Any], style: dict[str, Any]) -> go.Scatter:
    """Through the points; a gap where there is no figure."""
    xs, ys = [x for x, _ in drawn], [None if y is None else significant(y, 4) for _, y in drawn]
    return go.Scatter(x=xs, y=ys, text=[""] * len(xs), mode="lines", line=line, **style)


def _dots(
    cells: pl.DataFrame, axis: str, figure: str, marker: dict[str, Any], symbol: str, style: dict[str, Any]
) -> go.Scatter:
    """One for each repeat; a hollow triangle where it is only known to be longer, which times alone can be."""
    is_time = figure.endswith("_ms")
    bounds = cells[f"{figure.removesuffix('_ms')}_censored"].to_list() if is_time else [False] * cells.height
    return go.Scatter(
        x=cells[axis].to_list(),
        y=[significant(value, 4) for value in cells[figure]],
        text=["longer than " if bound else "" for bound in bounds],
        mode="markers",
        marker={**marker, "symbol": ["triangle-up-open" if bound else symbol for bound in bounds]},
        **style,
    )


def _x_axis(seen: Sequence[float]) -> dict[str, Any]:
    """Linear, or logarithmic where the values lie far apart."""
    if seen[0] > 0 and seen[-1] / seen[0] >= LOG_FROM:
        low, high = math.log10(seen[0] * 0.9), math.log10(seen[-1] * 1.1)
        ticks = log_ticks(low, high)
        return {"type": "log", "range": [low, high], "tickvals": ticks, "ticktext": [plain(tick) for tick in ticks]}
    margin = 0.04 * (seen[-1] - seen[0])
    return {"range": [seen[0] - margin, seen[-1] + margin], "tickformat": ",~f"}
