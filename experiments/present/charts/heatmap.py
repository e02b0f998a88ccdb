"""Which devices waited, and when: one row of cells a device or group of devices, one column per step of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.present import chart_table, findings
from experiments.present.axes import TimeAxis, log_ticks
from experiments.present.chart import Chart
from experiments.present.format import count, longer, number, plain, plural
from experiments.present.html import Markup
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
        finding=_found(grid, each),
        table=_worst(cells, grid, each),
        label=f"Slowest response in ms of each {each} in each step of {plain(bin_s)} s"
        + (f"; {said}." if said else "; every poll was answered right."),
        caption=f"A row is a {each}, a column {plain(bin_s)} s; the darker, the longer the slowest poll "
        "due then took. A dark column is a moment at which everybody waited, a dark row a device "
        f"that always did.{f' A cell is {colours}.' if said else ''}",
    )


_MOST_TOLD = 20
"""Rows of the table below the map, the worst ones."""


def _rows(cells: pl.DataFrame) -> pl.DataFrame:
    """What each row of the map comes to, the worst first: those with most polls lost, then those that waited longest."""
    lost = pl.col("failed") + pl.col("unanswered") + pl.col("unsent")
    return (
        cells.sort("slowest_s", descending=True, nulls_last=True)
        .group_by("first_client", maintain_order=True)
        .agg(pl.col("slowest_s", "censored", "t_s").first(), lost=lost.sum(), usual_s=pl.col("slowest_s").median())
        .sort("lost", "slowest_s", "first_client", descending=[True, True, False], nulls_last=True)
    )


def _found(grid: _Grid, each: str) -> str:
    """Whether a device or a moment stands out, by the usual slowest poll of a row or column."""
    cells = grid.cells.drop_nulls("slowest_s")
    usual = float(cells["slowest_s"].median() or 0.0)  # type: ignore[arg-type]
    by = {
        column: cells.group_by(column).agg(pl.col("slowest_s").median()).sort("slowest_s", column).tail(1).row(0)
        for column in ("first_client", "t_s")
    }
    (client, row_s), (t_s, column_s) = by["first_client"], by["t_s"]
    slowest = cells.sort("slowest_s").tail(1).row(0, named=True)
    said = []
    if column_s >= max(findings.APART * usual, _UNFELT_S):
        when = grid.time.moment(t_s)
        said.append(f"at {when} all waited: in the median {number(1000 * column_s)} ms, else {number(1000 * usual)} ms")
    if row_s >= max(findings.APART * usual, _UNFELT_S):
        said.append(f"{grid.named(client)} fared worse than others: {number(1000 * row_s)} ms in the median")
    if not said:
        said.append(f"no {each} and no moment stands out: in the median {number(1000 * usual)} ms")
    longest = (
        f"the slowest poll of all took {'more than ' if slowest['censored'] else ''}{number(1000 * slowest['slowest_s'])} ms"
    )
    return findings.sentence(*said, f"{longest} ({grid.named(slowest['first_client'])}, {grid.time.moment(slowest['t_s'])})")


_UNFELT_S = 0.005


def _worst(cells: pl.DataFrame, grid: _Grid, each: str) -> Markup:
    """The worst rows of the map, as a table."""
    head = [each, "slowest poll, ms", f"due about, {grid.time.unit}", "usual slowest, ms", "polls without a right answer"]
    body = [
        [
            count(row["first_client"]),
            longer(_ms(row["slowest_s"]), censored=bool(row["censored"])),
            number(row["t_s"] / grid.time.seconds),
            _ms(row["usual_s"]),
            count(row["lost"]),
        ]
        for row in _rows(cells).head(_MOST_TOLD).iter_rows(named=True)
    ]
    return chart_table.rows(head, body, "the worst rows of the map")


def _ms(seconds: float | None) -> str:
    return number(None if seconds is None else 1000 * seconds)


_COLOUR_WORDS = {GREY: "grey", PURPLE: "pink", RED: "orange"}
_LOST_WORDS = {"not sent": "was not sent", "no answer": "had no answer within the timeout", "failed": "failed"}


class _Grid:
    """The cells as rows of columns."""

    def __init__(self, cells: pl.DataFrame, window_s: float, bin_s: float) -> None:
        self.cells = cells
        self.time = TimeAxis(window_s)
        self.starts = sorted(set(cells["t_s"]))
        self.rows = sorted(set(cells["first_client"]))
        self.x = self.time.values(start + bin_s / 2 for start in self.starts)
        self.per_row = int(cells["clients"].max())  # type: ignore[arg-type]
        self.low, self.high = _range(cells["slowest_s"])
        self.lost = [column for column, _, _ in _LOST if bool((cells[column] > 0).any())]
        self._cells = {(cell["first_client"], cell["t_s"]): cell for cell in cells.iter_rows(named=True)}

    def named(self, first: int) -> str:
        """`device 7`, `devices 44 to 47`: a row of the map."""
        return f"device {first}" if self.per_row == 1 else f"devices {first} to {first + self.per_row - 1}"

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
