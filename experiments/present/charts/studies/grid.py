"""Maps of a sweep's points: clients across, interval up, one map a figure and a combination of the other axes.

A point of which no repeat may be believed is hatched and named; it never has a colour, since a colour is a figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import variance
from typing import Any

import plotly.graph_objects as go

from experiments.analyse.points import Point
from experiments.analyse.student import t975
from experiments.present import findings
from experiments.present.axes import LOG_FROM
from experiments.present.chart import Chart
from experiments.present.charts.heatmap import COLOURS
from experiments.present.format import longer, number, plain_value, plural
from experiments.present.layout.facets import Facet, tile
from experiments.present.palette import BLACK, GREY

X, Y = "clients", "interval_ms"
MOST_FACETS = 12
_WORST = ("not measured", "unfinished", "damaged", "failed", "invalid")
"""What a point without a figure is called: the last of these that one of its cells is."""


@dataclass(frozen=True)
class Figure:
    """One figure of a point."""

    title: str
    """With its unit."""
    of: Callable[[Point], float | None]
    repeats: Callable[[Point], Sequence[float]] = lambda point: ()
    """The figure of each repeat by itself, from which it is known which differences can be told apart."""
    longer: Callable[[Point], bool] = lambda point: False
    """Whether it is only a lower bound."""
    digits: int = 3
    scale: str = ""
    """Figures of the same scale are compared by their colours, so they share one; empty for one of its own."""


def maps(question: str, points: Sequence[Point], figures: Sequence[Figure], caption: str) -> Chart | None:
    """One map a figure; None where no point has any of them.

    Args:
        question: what the maps together answer.
        caption: how to read it; what hatching and stars mean is added.
    """
    known = [figure for figure in figures if any(figure.of(point) is not None for point in points)]
    drawn = known[:MOST_FACETS]
    if not drawn:
        return None
    groups = others(points)
    scales = {
        figure.title: _scale([one for one in drawn if one.scale and one.scale == figure.scale] or [figure], points)
        for figure in drawn
    }
    shown = groups[: MOST_FACETS // len(drawn)]
    facets = [_facet(figure, group, name, points, scales[figure.title]) for name, group in shown for figure in drawn]
    hidden = len(groups) - MOST_FACETS // len(drawn)
    left_out = f" {plural(hidden, 'further combination')} of other parameters: see the table." if hidden > 0 else ""
    if len(known) > len(drawn):
        left_out += f" The first {len(drawn)} of {len(known)} figures are drawn."
    return Chart(
        tile(
            facets,
            columns=2 if len(drawn) == 4 else min(3, len(drawn)),
            height=max(110, 46 * len(_values(points, Y))),
            showlegend=False,
        ),
        finding=findings.sentence(*(_ends(figure, points) for figure in drawn[:_MOST_TOLD])),
        label=f"{question} {'; '.join(figure.title for figure in drawn)}, by clients and interval.",
        caption=f"{caption} Hatched: no run of that point may be used. *: not every run of it was valid.{left_out}",
    )


_MOST_TOLD = 2
"""Figures that a finding speaks of."""


def _ends(figure: Figure, points: Sequence[Point]) -> str:
    """Where a figure is lowest and where it is highest, if the repeats can tell the two apart."""
    known = sorted(((value, at) for at, point in enumerate(points) if (value := figure.of(point)) is not None))
    (low, least), (high, most) = known[0], known[-1]
    ends = [number(value, figure.digits) for value in (low, high)]
    apart = told_apart([figure.repeats(point) for point in points])
    if ends[0] == ends[1]:
        return f"{figure.title}: {ends[1]} at every point"
    if apart is not None and high - low < apart:
        return f"{figure.title}: {ends[0]} to {ends[1]}, which the repeats cannot tell apart"
    more = "more than " if figure.longer(points[most]) else ""
    return f"{figure.title}: from {ends[0]} ({_named(points[least])}) to {more}{ends[1]} ({_named(points[most])})"


def _named(point: Point) -> str:
    return ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items())


def others(points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """The points by the axes that are neither across nor up: what the combination is called, and its points."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        name = ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items() if axis not in (X, Y))
        groups.setdefault(name, []).append(point)
    return list(groups.items())


def _values(points: Sequence[Point], axis: str) -> list[Any]:
    return sorted({point.at[axis] for point in points})


def _scale(figures: Sequence[Figure], points: Sequence[Point]) -> _Scale:
    """One scale for figures that are compared."""
    known = [value for figure in figures for point in points if (value := figure.of(point)) is not None]
    repeats = [figure.repeats(point) for figure in figures for point in points]
    return _Scale(known, repeats, least=1.0 if figures[0].title.endswith("%") else 0.0)


def _facet(figure: Figure, group: Sequence[Point], name: str, points: Sequence[Point], scale: _Scale) -> Facet:
    across, up = _values(points, X), _values(points, Y)
    at = {(point.at[X], point.at[Y]): point for point in group}
    rows = [[at.get((x, y)) for x in across] for y in up]
    heat = go.Heatmap(
        x=list(range(len(across))),
        y=list(range(len(up))),
        z=[[scale.shade(figure.of(point) if point else None) for point in row] for row in rows],
        text=[[_text(figure, point) for point in row] for row in rows],
        customdata=[[_hover(point) for point in row] for row in rows],
        zmin=scale.low,
        zmax=scale.high,
        colorscale=[(place / (len(COLOURS) - 1), colour) for place, colour in enumerate(COLOURS)],
        texttemplate="%{text}",
        hovertemplate="%{customdata}: %{text}<extra></extra>",
        hoverongaps=False,
        showscale=False,
        xgap=2,
        ygap=2,
    )
    hatched = [(i, j, point) for j, row in enumerate(rows) for i, point in enumerate(row) if _text(figure, point) == ""]
    title = f"<b>{figure.title}</b>" + (f"<br>{name}" if name else "")
    return Facet(
        title, [heat, *([_hatching(hatched)] if hatched else [])], _axis(across, "clients"), _axis(up, "interval, ms")
    )


_LEAST_SHARE = 0.25
"""Part of the highest value that a linear scale covers at least, where no repeats say what can be told apart."""


def told_apart(groups: Sequence[Sequence[float]]) -> float | None:
    """The least difference between two points that their repeats can tell apart: Student's t with a common variance.

    Source: Fisher's least significant difference; NIST/SEMATECH, "e-Handbook of Statistical Methods", section 7.4.7.

    Returns:
        In the unit of the values; None where no point has two repeats.
    """
    repeated = [group for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in repeated)
    if not freedom:
        return None
    spread = sum(variance(group) * (len(group) - 1) for group in repeated) / freedom
    fewest = min(len(group) for group in repeated)
    return t975(freedom) * math.sqrt(2 * spread / fewest)


class _Scale:
    """Shades from the lowest to the highest value, by logarithms where they lie far apart.

    Two values differ by a whole step of colour only where the repeats can tell them apart; without repeats the scale
    covers a quarter of the highest value at least, so that 39.0 and 39.4 MB look alike.
    """

    def __init__(self, known: Sequence[float], repeats: Sequence[Sequence[float]] = (), least: float = 0.0) -> None:
        """Fits the scale.

        Args:
            known: every point's value.
            repeats: every point's repeats.
            least: what the scale covers in any case, in the unit of the figure.
        """
        low, high = min(known, default=0.0), max(known, default=1.0)
        self._log = low > 0 and high / low >= LOG_FROM
        self.low, self.high = self._place(low), self._place(high)
        apart = told_apart([[self._place(value) for value in one if value > 0 or not self._log] for one in repeats])
        quarter = 0.0 if self._log else _LEAST_SHARE * high
        steps = len(COLOURS) - 1
        self.high = max(self.high, self.low + max(quarter if apart is None else steps * apart, 0.0 if self._log else least))
        if self.low == self.high:  # All alike: the lightest shade, and not one that says something.
            self.high = self.low + 1

    def shade(self, value: float | None) -> float | None:
        return None if value is None else round(self._place(value), 4)

    def _place(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _text(figure: Figure, point: Point | None) -> str:
    """What stands in a field; nothing where it is to be hatched."""
    if point is None or not point.measured:
        return ""
    star = "" if set(point.states) == {"valid"} else "*"
    return longer(number(figure.of(point), figure.digits, none="too few polls"), censored=figure.longer(point)) + star


def _hover(point: Point | None) -> str:
    if point is None:
        return ""
    at = ", ".join(f"{axis} {plain_value(value)}" for axis, value in point.at.items())
    return f"{at} ({', '.join(point.states)})"


def _hatching(fields: Sequence[tuple[int, int, Point | None]]) -> go.Bar:
    names = [max((p.states if p else ("not measured",)), key=_WORST.index) for _, _, p in fields]
    return go.Bar(
        x=[x for x, _, _ in fields],
        y=[0.96] * len(fields),
        base=[y - 0.48 for _, y, _ in fields],
        width=0.96,
        marker={
            "color": "white",
            "pattern": {"shape": "/", "fgcolor": GREY, "size": 7},
            "line": {"color": GREY, "width": 1},
        },
        text=[f"<b>{name}</b>" for name in names],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": BLACK, "size": 11},
        constraintext="none",
        hovertext=[_hover(point) for _, _, point in fields],
        hoverinfo="text",
    )


def _axis(values: Sequence[Any], title: str) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(values))),
        "ticktext": [plain_value(value) for value in values],
        "range": [-0.5, len(values) - 0.5],
        "showgrid": False,
        "title": {"text": title},
    }
