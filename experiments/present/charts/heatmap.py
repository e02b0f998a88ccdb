"""Which devices waited, and when: one row of cells a device or group of devices, one column a step of time."""

from __future__ import annotations

import math

import plotly.graph_objects as go
import polars as pl

from experiments.present.axes import TimeAxis, log_ticks
from experiments.present.chart import Chart
from experiments.present.palette import RED
from experiments.present.template import template
from experiments.present.words import plain, plural, significant

COLOURS = ("#F7FBFF", "#C6DBEF", "#6BAED6", "#2171B5", "#08306B")
"""Light to dark, so that it reads in grey as well; failures have the one colour that it has not."""

_BAND = 0.07
"""Part of the colour bar, at its top, that says that a poll failed."""


def slowest(cells: pl.DataFrame, window_s: float, bin_s: float) -> Chart | None:
    """Slowest poll of each device in each step of time, and where polls failed.

    Args:
        cells: `analyse.timeline.slowest_by_client`: first_client, clients, t_s, slowest_s, failed.
        window_s: length of the measured window.
        bin_s: length of a step.
    """
    if not cells.filter(pl.col("slowest_s") > 0).height:
        return None
    grid = _Grid(cells, window_s, bin_s)
    figure = go.Figure(layout={"template": template()})
    figure.add_trace(_trace(grid))
    _arrange(figure, grid)
    failed = int((cells["failed"] > 0).sum())
    each = "device" if grid.per_row == 1 else f"group of {grid.per_row} devices"
    return Chart(
        figure,
        label=f"Slowest response in ms of each {each} in each step of {bin_s:g} s"
        + (f"; polls failed in {plural(failed, 'cell')}." if failed else "; no poll failed."),
        caption=f"A row is a {each}, a column {bin_s:g} s; the darker, the longer the slowest poll "
        "due then took. A dark column is a moment at which everybody waited, a dark row a device "
        f"that always did.{' Orange cells hold a poll that failed or was not sent.' if failed else ''}",
    )


class _Grid:
    """The cells as rows of columns."""

    def __init__(self, cells: pl.DataFrame, window_s: float, bin_s: float) -> None:
        self.time = TimeAxis(window_s)
        self.starts = sorted(set(cells["t_s"]))
        self.rows = sorted(set(cells["first_client"]))
        self.x = self.time.values(start + bin_s / 2 for start in self.starts)
        self.per_row = int(cells["clients"].max())  # type: ignore[arg-type]
        self.low, self.high = _range(cells["slowest_s"])
        self.any_failed = bool((cells["failed"] > 0).any())
        self._cells = {
            (client, t_s): (slowest_s, failed)
            for client, t_s, slowest_s, failed in cells.select("first_client", "t_s", "slowest_s", "failed").iter_rows()
        }

    @property
    def top(self) -> float:
        """End of the colour bar: the band of failures lies above the slowest poll."""
        return self.high + (self.high - self.low) * _BAND / (1 - _BAND) * self.any_failed

    def slowest_ms(self) -> list[list[float | None]]:
        """Milliseconds with three digits, None where a device had no poll."""
        return [
            [significant(1000 * cell[0]) if (cell := self._at(row, t_s))[0] else None for t_s in self.starts]
            for row in self.rows
        ]

    def shades(self, slowest_ms: list[list[float | None]]) -> list[list[float | None]]:
        """Logarithms of the times; the top of the colour bar where a poll failed."""
        return [
            [
                round(self.top, 3) if self._at(row, t_s)[1] else round(math.log10(ms), 2) if ms else None
                for t_s, ms in zip(self.starts, line, strict=True)
            ]
            for row, line in zip(self.rows, slowest_ms, strict=True)
        ]

    def _at(self, row: int, t_s: float) -> tuple[float | None, int]:
        return self._cells.get((row, t_s), (None, 0))


def _range(slowest_s: pl.Series) -> tuple[float, float]:
    """Logarithms of the ends of the colour bar: the 1st percentile, and the slowest poll."""
    seen = slowest_s.filter(slowest_s > 0) * 1000
    low = math.log10(float(seen.quantile(0.01) or 1e-3))
    return low, max(math.log10(float(seen.max() or 1.0)), low + 0.3)  # type: ignore[arg-type]


def _trace(grid: _Grid) -> go.Heatmap:
    table = grid.slowest_ms()
    ticks = [(math.log10(tick), plain(tick)) for tick in log_ticks(grid.low, grid.high)]
    if grid.any_failed:
        ticks.append(((grid.high + grid.top) / 2, "failed"))
    return go.Heatmap(
        x=grid.x,
        y=grid.rows,
        z=grid.shades(table),
        customdata=table,
        zmin=round(grid.low, 3),
        zmax=round(grid.top, 3),
        colorscale=_colours(grid.any_failed),
        hovertemplate="device %{y}, at %{x} " + grid.time.unit + ": slowest %{customdata:,} ms<extra></extra>",
        colorbar={
            "title": {"text": "slowest poll, ms", "side": "right"},
            "tickvals": [round(place, 3) for place, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "thickness": 14,
            "outlinewidth": 0,
        },
    )


def _colours(any_failed: bool) -> list[tuple[float, str]]:
    """The scale, and the band for failures where there are any."""
    end = round(1 - _BAND, 4) if any_failed else 1.0
    scale = [(round(end * place / (len(COLOURS) - 1), 4), colour) for place, colour in enumerate(COLOURS)]
    return [*scale, (end, RED), (1.0, RED)] if any_failed else scale


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
