"""CPU per poll of the lab's engines and of tools that are not ours, a panel a load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import plotly.graph_objects as go

from experiments.analyse.instrument import Compared
from experiments.present import findings
from experiments.present.axes import spread_layout
from experiments.present.chart import Chart
from experiments.present.format import number
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLUE, ORANGE

_ROW_PX = 30
_WORDS = {
    "random": "endpoint A, random phases",
    "together": "endpoint A, all devices in step",
    "mix": "A and B 10:1, random phases",
    "unpaced": "endpoint A, as fast as it is answered",
}


def cpu_per_poll(compared: Sequence[Compared], ours: Sequence[str]) -> Chart:
    """A dot a contender, with a whisker from the cheapest to the dearest round.

    Args:
        compared: by load; the cheapest first.
        ours: contenders that are engines of this lab.
    """
    panels = [
        _panel(list(group), ours, f"{_WORDS.get(load, load)}, against {target}")
        for (load, target), group in groupby(compared, key=lambda one: (one.load, one.target))
    ]
    ends = [end for one in compared for end in (one.cpu_us_per_poll.low, one.cpu_us_per_poll.high)]
    _name_once(trace for panel in panels for trace in panel.traces)
    figure = stack(
        panels,
        x=spread_layout(ends, floor=1.0),
        x_title="CPU per poll (user + system), µs",
        hovermode="closest",
    )
    return Chart(
        figure,
        finding=findings.sentence(*_cheapest(compared, ours)),
        label="CPU per poll in µs of every load generator, by load, with the lowest and highest round.",
        caption="Further left is cheaper. Dots are medians, whiskers reach from the cheapest to the dearest round. Compare "
        "within a panel only: devices in step come in batches, which cost every generator less.",
    )


def _cheapest(compared: Sequence[Compared], ours: Sequence[str]) -> list[str]:
    """Of the first load, the cheapest of the lab's engines beside the cheapest of the other tools."""
    load, target = compared[0].load, compared[0].target
    group = [one for one in compared if (one.load, one.target) == (load, target)]
    kinds = [[one for one in group if (one.contender in ours) is own] for own in (True, False)]
    best = [min(kind, key=lambda one: one.cpu_us_per_poll.median) for kind in kinds if kind]
    said = ", ".join(f"{one.contender} {number(one.cpu_us_per_poll.median)} µs" for one in best)
    return [f"{_WORDS.get(load, load)}, against {target}: {said} a poll"]


def _name_once(traces: Iterable[go.Scatter]) -> None:
    """Every panel has the same kinds: the first that shows one names it."""
    named: set[str] = set()
    for trace in traces:
        trace.showlegend = trace.name not in named
        named.add(trace.name)


def _panel(group: Sequence[Compared], ours: Sequence[str], title: str) -> Panel:
    kinds = (
        ("this lab's engines", BLUE, "circle", [one for one in group if one.contender in ours]),
        ("other tools", ORANGE, "diamond", [one for one in group if one.contender not in ours]),
    )
    traces = [_dots(name, colour, symbol, some) for name, colour, symbol, some in kinds if some]
    names = [one.contender for one in group]
    edges = [-0.7, len(names) - 0.3]
    axis = {"type": "category", "categoryorder": "array", "categoryarray": names[::-1], "range": edges, "ticks": ""}
    return Panel(title, "", traces, axis, height=_ROW_PX * len(names))


def _dots(name: str, colour: str, symbol: str, group: Sequence[Compared]) -> go.Scatter:
    costs = [one.cpu_us_per_poll for one in group]
    return go.Scatter(
        x=[cost.median for cost in costs],
        y=[one.contender for one in group],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [cost.high - cost.median for cost in costs],
            "arrayminus": [cost.median - cost.low for cost in costs],
            "thickness": 1.5,
        },
        text=[number(cost.median) for cost in costs],
        textposition="top center",
        cliponaxis=False,
        name=name,
        mode="markers+text",
        marker={"color": colour, "symbol": symbol, "size": 10},
        hovertemplate="%{y}: %{x:,.3~r} µs per poll",
    )
