"""Systems beside one another: a row per system, so that twenty of them can still be read.

Plain rows -> charts. Marker and colour say the same: what a system is beside Falcon. A hollow marker has no interval yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from experiments.present import findings
from experiments.present.axes import log_ticks, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import count, number, plain, significant
from experiments.present.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE
from experiments.present.template import template

Row = Mapping[str, Any]

LOOKS = {
    "falcon": ("Falcon", "star", BLACK),
    "framework": ("framework: same server, loop and parser", "circle", BLUE),
    "stack": ("stack: a server of its own", "square", ORANGE),
    "ceiling": ("ceiling: no framework", "diamond", GREEN),
    "own": ("of your own", "circle", BLUE),
    "again": ("held against itself", "x", PURPLE),
}
"""What a system is -> its name, marker and colour."""
_LINES = (
    ("solid", "circle", ORANGE),
    ("dash", "square", BLUE),
    ("dot", "diamond", BLACK),
    ("dashdot", "x", GREEN),
    ("longdash", "star", PURPLE),
)
"""Dash, marker and colour of the lines of a chart, one after the other."""
_ROW_PX, _AROUND_PX = 25, 76


def ratios(rows: Sequence[Row], *, load: str, where: str, beside: str = "Falcon", over: str = "the blocks") -> Chart | None:
    """CPU per request as a ratio to that of one of them.

    Args:
        rows: a system each: title, kind (a key of `LOOKS`), ratio, low, high (None: provisional), value in µs, verdict.
        load: in the finding, since there is a chart a load.
        where: the load with all that belongs to it, for those who cannot see the chart.
        beside: what people call the one that all are held against.
        over: that of which a ratio is the mean.
    """
    drawn = [row for row in rows if row["ratio"] is not None]
    if len(drawn) < 2:
        return None
    figure = _figure(len(drawn), legend_px=62)
    for kind, (name, symbol, colour) in LOOKS.items():
        if own := [row for row in drawn if row["kind"] == kind]:
            figure.add_trace(_dots(own, beside if kind == "falcon" else name, symbol, colour))
    ends = [end for row in drawn for end in (row["ratio"], row["low"], row["high"]) if end]
    figure.add_vline(x=1, line={"color": BLACK, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis=_log(ends, f"CPU per request ÷ that of {beside} (logarithmic; left of 1: less)"))
    figure.update_layout(yaxis=_names(drawn))
    provisional = any(row["low"] is None for row in drawn if row["kind"] != "falcon")
    hollow = " A hollow mark is provisional: too little was measured for an interval." if provisional else ""
    said = "; ".join(f"{row['title']} {number(row['ratio'])}" for row in drawn)
    return Chart(
        figure,
        finding=findings.sentence(_cheapest(drawn, load, beside)),
        label=f"CPU per request as a ratio to that of {beside}, {where}: {said}.",
        caption=f"Geometric mean over {over}, with its 95 % interval; an interval is of this system alone, what may be "
        f"claimed of all together is in the table. The dotted line is {beside}; a grey mark cannot be told apart from it."
        f"{hollow}",
    )


def _told_apart(row: Row) -> bool:
    """Whether the interval of a ratio leaves Falcon out; a mark without an interval claims nothing."""
    return bool(row["low"]) and not row["low"] <= 1 <= row["high"]


def _cheapest(rows: Sequence[Row], load: str, beside: str) -> str:
    """Who needs least and who most, and of how many nobody can say that they differ from it."""
    others = sorted((row for row in rows if row["kind"] not in ("falcon", "again")), key=lambda row: float(row["ratio"]))
    if not others:
        return f"{load}: {beside} beside itself"
    alike = sum(not _told_apart(row) for row in others)
    least, most = others[0], others[-1]
    ends = [
        f"{row['title']} needs {number(row['ratio'])} times the CPU of {beside}"
        for row in {id(r): r for r in (least, most)}.values()
    ]
    told = f"; {count(alike)} of {count(len(others))} cannot be told apart from it" if alike else ""
    return f"{load}: {', '.join(ends)}{told}"


def _fastest(rows: Sequence[Row], of: str, load: str) -> str:
    fastest, slowest = rows[-1], rows[0]
    said = f"{load}: half the polls of {of} are answered within {number(fastest['p50'])} ms by {fastest['title']}"
    return said if len(rows) == 1 else f"{said}, within {number(slowest['p50'])} ms by {slowest['title']}"


def _last(rows: Sequence[Row]) -> str:
    return ", ".join(f"{number(row['times'][-1])} ms by {row['title']}" for row in rows)


def _dots(rows: Sequence[Row], name: str, symbol: str, colour: str) -> go.Scatter:
    hollow = {"circle": "circle-open", "square": "square-open", "diamond": "diamond-open", "x": "x-open"}
    return go.Scatter(
        x=[significant(row["ratio"], 4) for row in rows],
        y=[row["title"] for row in rows],
        name=name,
        mode="markers",
        marker={
            "symbol": [symbol if row["low"] else hollow.get(symbol, symbol) for row in rows],
            "color": [colour if _told_apart(row) or row["kind"] == "falcon" else GREY for row in rows],
            "size": 11,
            "line": {"width": 1.5, "color": colour},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [significant(row["high"] - row["ratio"]) if row["high"] else 0 for row in rows],
            "arrayminus": [significant(row["ratio"] - row["low"]) if row["low"] else 0 for row in rows],
            "color": colour,
            "thickness": 1.8,
            "width": 4,
        },
        text=[f"{number(row['value'])} µs; {row['verdict']}" for row in rows],
        hovertemplate="%{y}: × %{x:,.3~r}, %{text}<extra></extra>",
    )


def times(rows: Sequence[Row], *, of: str = "A", load: str, where: str) -> Chart | None:
    """Response p50 and p95 of an endpoint at equal load: two marks per system, joined.

    Args:
        rows: a system each: title, p50, p95 in ms, None if unsupported.
        of: what the endpoint is called.
        load: in the finding.
        where: the load with all that belongs to it.
    """
    drawn = sorted((row for row in rows if row["p50"] is not None), key=lambda row: -row["p50"])
    if not drawn:
        return None
    figure = _figure(len(drawn))
    figure.add_traces([_joined(row) for row in drawn if row["p95"] is not None])
    figure.add_traces([_percentile(drawn, "p50", "circle", BLUE), _percentile(drawn, "p95", "diamond", ORANGE)])
    values = [row[key] for row in drawn for key in ("p50", "p95") if row[key] is not None]
    axis = spread_layout(values)
    scale = " (logarithmic)" if axis.get("type") == "log" else ""
    figure.update_layout(xaxis={**axis, "title": {"text": f"response, ms{scale}"}}, yaxis=_names(drawn))
    said = "; ".join(f"{row['title']} {number(row['p50'])} and {number(row['p95'])}" for row in reversed(drawn))
    return Chart(
        figure,
        finding=findings.sentence(_fastest(drawn, of, load)),
        label=f"Response p50 and p95 of {of} in ms, {where}: {said}.",
        caption="Medians over the blocks; every system was asked the same polls a second. The shortest p50 is on top.",
    )


def _joined(row: Row) -> go.Scatter:
    """The line from p50 to p95 of a system."""
    return go.Scatter(
        x=[row["p50"], row["p95"]],
        y=[row["title"]] * 2,
        mode="lines",
        line={"color": "#BBBBBB", "width": 2},
        showlegend=False,
        hoverinfo="skip",
    )


def _percentile(rows: Sequence[Row], key: str, symbol: str, colour: str) -> go.Scatter:
    """The marks of one percentile."""
    own = [row for row in rows if row[key] is not None]
    return go.Scatter(
        x=[significant(row[key], 4) for row in own],
        y=[row["title"] for row in own],
        name=key,
        mode="markers",
        marker={"symbol": symbol, "color": colour, "size": 10},
        hovertemplate="%{y}: " + key + " %{x:,.3~r} ms<extra></extra>",
    )


def serial(rows: Sequence[Row], *, devices: int) -> Chart | None:
    """Response of devices that ask at the same moment, the first answered first.

    Args:
        rows: a system each: title, times in ms in order, serial (whether it is expected to answer one by one).
    """
    drawn = [row for row in rows if row["times"]]
    if not drawn:
        return None
    figure = _figure(10)
    figure.add_traces([_in_order(place, row) for place, row in enumerate(drawn)])
    most = max(max(row["times"]) for row in drawn)
    figure.update_layout(
        xaxis={"title": {"text": "devices, in the order in which they were answered"}, "dtick": max(1, devices // 16)},
        yaxis={"title": {"text": "response, ms"}, "range": [0, significant(most * 1.1, 4)]},
    )
    said = "; ".join(f"{row['title']} {number(row['times'][0])} to {number(row['times'][-1])}" for row in drawn)
    return Chart(
        figure,
        finding=findings.sentence(f"the last of {devices} devices that ask at once is answered after {_last(drawn)}"),
        label=f"Response in ms of {devices} devices that ask at once, in the order of the answers: {said}.",
        caption="The first round of the window. A level line: all are answered side by side. A rising one: each waits for "
        "the one before it.",
    )


def _in_order(place: int, row: Row) -> go.Scatter:
    """The responses of one system, in the order of its answers."""
    dash, symbol, colour = _LINES[place % len(_LINES)]
    return go.Scatter(
        x=list(range(1, len(row["times"]) + 1)),
        y=[significant(value, 4) for value in row["times"]],
        name=row["title"],
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 1.8},
        marker={"symbol": symbol, "size": max(5, 14 - 3 * place)},  # So that one is seen on top of another.
        hovertemplate="%{fullData.name}: number %{x} after %{y:,.3~r} ms<extra></extra>",
    )


def _figure(rows: int, legend_px: int = 22) -> go.Figure:
    """An empty chart of so many rows, with its legend above them."""
    return go.Figure(
        layout={
            "template": template(),
            "height": _ROW_PX * rows + _AROUND_PX + legend_px,
            "hovermode": "closest",
            "showlegend": True,
            "margin": {"t": 16 + legend_px, "b": 60, "r": 30},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"},
        }
    )


def _names(rows: Sequence[Row]) -> dict[str, Any]:
    """One row per system, the last on top; charts are read from above."""
    titles = [row["title"] for row in rows]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": titles,
        "range": [-0.6, len(titles) - 0.4],
        "tickmode": "array",
        "tickvals": titles,
    }


def _log(ends: Sequence[float], title: str) -> dict[str, Any]:
    low, high = math.log10(min(*ends, 0.95) * 0.93), math.log10(max(*ends, 1.05) * 1.07)
    if high - low < 0.5:
        ticks = [
            tick for tick in (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5) if low <= math.log10(tick) <= high
        ]
    else:
        ticks = sorted({1.0, *log_ticks(low, high)})
    return {
        "type": "log",
        "range": [round(low, 3), round(high, 3)],
        "tickvals": ticks,
        "ticktext": [plain(tick) for tick in ticks],
        "title": {"text": title},
    }
