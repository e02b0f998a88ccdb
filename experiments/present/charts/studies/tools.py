"""Truth and what each tool says: a panel an answer, two dots a tool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go

from experiments.present import findings
from experiments.present.axes import spread_layout
from experiments.present.chart import Chart
from experiments.present.format import number, plural
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLUE, GREY, ORANGE
from experiments.present.told import LONGEST, Told

_ROW_PX = 22
_FLOOR_MS = 1.0


def truth_and_said(told: Sequence[Told]) -> Chart:
    """The 90th percentile of each tool beside that of the answers which the server sent to it.

    Args:
        told: grouped by answer; at least one says a time.
    """
    shown = [one for one in told if one.shown is not None and one.times[one.shown].true is not None]
    panels = [_panel(list(group)) for _, group in groupby(shown, key=lambda one: one.title)]
    for later in panels[1:]:
        for trace in later.traces:
            trace.showlegend = False
    values = [value for one in shown for value in _values(one)]
    figure = stack(
        panels,
        x=spread_layout(values, floor=_FLOOR_MS),
        x_title="p90 of an answer's time, ms (longest, where a tool has no percentiles)",
        hovermode="closest",
    )
    return Chart(
        figure,
        finding=findings.sentence(_furthest(shown)),
        label="p90 as each load tool says it beside p90 as the server saw it, by answer.",
        caption="A line from the truth (circle) to what the tool says (diamond): the longer, the wronger. Tools without a "
        "rate ask as fast as they are answered, so the truth is not the same for all. Tools that say no time are left out.",
    )


def _furthest(shown: Sequence[Told]) -> str:
    """Who is furthest from the truth, by the factor."""
    worst = max(shown, key=lambda one: abs(math.log(_values(one)[1] / _values(one)[0])))
    true, said = map(number, _values(worst))
    among = f"of {plural(len(shown), 'answer')} of tools the wrongest is that of {worst.tool}"
    return f"{among}: {said} ms where {true} ms are true ({worst.title})"


def _values(one: Told) -> list[float]:
    assert one.shown is not None
    pair = one.times[one.shown]
    return [max(_FLOOR_MS, 1000 * (value or 0.0)) for value in (pair.true, pair.said)]


def _panel(group: list[Told]) -> Panel:
    names = [f"{one.tool}{' (longest)' if one.shown == LONGEST else ''}" for one in group]
    true, said = [_values(one)[0] for one in group], [_values(one)[1] for one in group]
    between = go.Scatter(
        x=[value for pair in zip(true, said, strict=True) for value in (*pair, None)],
        y=[value for name in names for value in (name, name, None)],
        mode="lines",
        line={"color": GREY, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    hover = [f"{one.tool}: {one.sentence}" for one in group]
    dots = (
        _dots("as the server saw it", BLUE, "circle-open", names, true, hover),
        _dots("as the tool says it", ORANGE, "diamond", names, said, hover),
    )
    edges = [-0.7, len(names) - 0.3]
    axis = {"type": "category", "categoryorder": "array", "categoryarray": names[::-1], "range": edges, "ticks": ""}
    return Panel(group[0].title, "", [between, *dots], axis, height=_ROW_PX * len(names) + 10)


def _dots(name: str, colour: str, symbol: str, names: list[str], values: list[float], hover: list[str]) -> go.Scatter:
    return go.Scatter(
        x=[float(number(value).replace(",", "")) for value in values],
        y=names,
        text=hover,
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
        hovertemplate="%{x:,.3~r} ms<br>%{text}<extra></extra>",
    )
