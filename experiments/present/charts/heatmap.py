"""Which devices waited, and when: one row of cells a device or group of devices, one column per step of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.present.axes import TimeAxis, log_ticks
from experiments.present.chart import Chart
from experiments.present.format import number, plain, plural
from experiments.present.palette import GREY, PURPLE, RED
from experiments.present.template import template

COLOURS = ("#F7FBFF", "#C6DBEF", "#6BAED6", "#2171B5", "#08306B")
"""Light to dark, so that it reads in grey as well; what had no right answer has colours that it has not."""

_LOST = (("unsent", "not sent", GREY), ("unanswered", "no answer", PURPLE), ("failed", "failed", RED))
"""Column of the cells, and name and colour of its band at the top of the colour bar; the last one in a cell counts."""
_BAND = 0.07
"""Part of the colour bar that a band takes."""


def slowest(cells: pl.DataFrame, window_s: float, bin_s: float) -> Chart | None:
    """Slowest poll of each device in each step of time, and where polls had no right answer.

    Args:
        cells: `analyse.timeline.slowest_by_client`.
        window_s: length of the measured window.
        bin_s: length of a step.
    """
    if not cells.filter(pl.col("slowest_s") > 0).height:
        return None
    grid = _Grid(cells, window_s, bin_s)
    figure = go.Figure(layout={"template": template()})
    figure.add_trace(_trace(grid))
    _arrange(figure, grid)
    each = "device" if grid.per_row == 1 else f"group of {grid.per_row} devices"
    counted = [(name, int((cells[column] > 0).sum())) for column, name, _ in _LOST if column in grid.lost]
    said = "; ".join(f"{name}: {plural(number, 'cell')}" for name, number in counted)
    colours = ", ".join(f"{_COLOUR_WORDS[colour]} where one {_LOST_WORDS[name]}" for _, name, colour in _LOST)
    return Chart(
        figure,
        label=f"Slowest response in ms of each {each} in each step of {plain(bin_s)} s"
        + (f"; {said}." if said else "; every poll was answered right."),
        caption=f"A row is a {each}, a column {plain(bin_s)} s; the darker, the longer the slowest poll "
        "due then took. A dark column is a moment at which everybody waited, a dark row a device "
        f"that always did.{f' A cell is {colours}.' if said else ''}",
    )


_COLOUR_WORDS = {GREY: "grey", PURPLE: "pink", RED: "orange"}
_LOST_WORDS = {"not sent": "was not sent", "no answer": "had no answer within the timeout", "failed": "failed"}


class _Grid:
    """The cells as rows of columns."""

    def __init__(self, cells: pl.DataFrame, window_s: float, bin_s: float) -> None:
        self.time = TimeAxis(window_s)
        self.starts = sorted(set(cells["t_s"]))
        self.rows = sorted(set(cells["first_client"]))
        self.x = self.time.values(start + bin_s / 2 for start in self.starts)
        self.per_row = int(cells["clients"].max())  # type: ignore[arg-type]
        self.low, self.high = _range(cells["slowest_s"])
        self.lost = [column for column, _, _ in _LOST if bool((cells[column] > 0).any())]
        self._cells = {(cell["first_client"], cell["t_s"]): cell for cell in cells.iter_rows(named=True)}

    @property
    def band(self) -> float:
        """Height of a band: the bands of what had no right answer lie above the slowest poll."""
        return (self.high - self.low) * _BAND / (1 - _BAND * len(self.lost))

    @property
    def top(self) -> float:
        """End of the colour bar."""
        return self.high + self.band * len(self.lost)

    def shades(self) -> list[list[float | None]]:
        """Logarithms of the times; the middle of its band where a poll had no right answer."""
        return [[self._shade(self._cells.get((row, t_s))) for t_s in self.starts] for row in self.rows]

    def _shade(self, cell: Mapping[str, Any] | None) -> float | None:
        if cell is None:
            return None
        bands = [place for place, column in enumerate(self.lost) if cell[column]]
        if bands:
            return round(self.high + (bands[-1] + 0.5) * self.band, 3)
        return round(math.log10(1000 * cell["slowest_s"]), 2) if cell["slowest_s"] else None

    def said(self) -> list[list[str]]:
        """What each cell holds, in words; empty where a device had no poll."""
        return [[_said(self._cells.get((row, t_s))) for t_s in self.starts] for row in self.rows]


def _said(cell: Mapping[str, Any] | None) -> str:
    """`slowest longer than 5,520 ms, no answer 2, not sent 10`."""
    if cell is None:
        return ""
    slowest = cell["slowest_s"]
    longer = "longer than " if cell["censored"] else ""
    times = [] if slowest is None else [f"slowest {longer}{number(1000 * slowest)} ms"]
    return ", ".join([*times, *(f"{name} {cell[column]}" for column, name, _ in reversed(_LOST) if cell[column])])


def _range(slowest_s: pl.Series) -> tuple[float, float]:
    """Logarithms of the ends of the colour bar: the 1st percentile, and the slowest poll."""
    seen = slowest_s.filter(slowest_s > 0) * 1000
    low = math.log10(float(seen.quantile(0.01) or 1e-3))
    return low, max(math.log10(float(seen.max() or 1.0)), low + 0.3)  # type: ignore[arg-type]


def _trace(grid: _Grid) -> go.Heatmap:
    ticks = [(math.log10(tick), plain(tick)) for tick in log_ticks(grid.low, grid.high)]
    names = {column: name for column, name, _ in _LOST}
    ticks += [(grid.high + (place + 0.5) * grid.band, names[column]) for place, column in enumerate(grid.lost)]
    return go.Heatmap(
        x=grid.x,
        y=grid.rows,
        z=grid.shades(),
        customdata=grid.said(),
        zmin=round(grid.low, 3),
        zmax=round(grid.top, 3),
        colorscale=_colours(grid),
        hovertemplate="device %{y}, at %{x:,.4~r} " + grid.time.unit + ": %{customdata}<extra></extra>",
        colorbar={
            "title": {"text": "slowest poll, ms", "side": "right"},
            "tickvals": [round(place, 3) for place, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "thickness": 14,
            "outlinewidth": 0,
        },
    )


def _colours(grid: _Grid) -> list[tuple[float, str]]:
    """The scale, and a band each for what had no right answer."""
    end = 1 - _BAND * len(grid.lost)
    scale = [(round(end * place / (len(COLOURS) - 1), 4), colour) for place, colour in enumerate(COLOURS)]
    bands = [(column, colour) for column, _, colour in _LOST if column in grid.lost]
    for place, (_, colour) in enumerate(bands):
        low, high = end + place * _BAND, end + (place + 1) * _BAND
        scale += [(round(low, 4), colour), (1.0 if place == len(bands) - 1 else round(high, 4), colour)]
    return scale


def _arrange(figure: go.Figure, grid: _Grid) -> None:
    each = "device" if grid.per_row == 1 else f"device (first of the {grid.per_row} in a row)"
    rows = len(grid.rows)
    figure.update_layout(
        title={"text": "Which devices waited, and when?"},
        height=130 + min(420, max(120, 18 * rows)),
        hovermode="closest",
        xaxis={**grid.time.layout(), "title": {"text": grid.time.title}, "showgrid": False},
        yaxis={
            "title": {"text": each},
            "showgrid": False,
            "autorange": "reversed",
            **({"dtick": 1} if rows <= 12 and grid.per_row == 1 else {}),
        },
    )
