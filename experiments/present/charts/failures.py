"""Failed polls over time as a row of dots a reason: a single failure is seen beside a burst of thousands."""

from __future__ import annotations

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import polars as pl

from experiments.present.axes import TimeAxis
from experiments.present.palette import OTHER_COLOUR, OUTCOME_COLOURS
from experiments.present.panels import Panel
from experiments.present.words import count, reason

_SMALLEST_PX, _LARGEST_PX, _ROW_PX = 4.0, 20.0, 30


def panel(failures: pl.DataFrame, time: TimeAxis, bin_s: float) -> Panel:
    """A row a reason, the most frequent on top; the area of a dot is the number of polls.

    Args:
        failures: t_s, outcome, polls; without `ok`.
        bin_s: length of the time over which polls are counted.
    """
    totals = failures.group_by("outcome").agg(pl.col("polls").sum()).sort("polls", "outcome")
    most = int(failures.group_by("t_s", "outcome").agg(pl.col("polls").sum())["polls"].max())  # type: ignore[arg-type]
    traces, names = [], []
    for outcome, total in totals.iter_rows():
        name = f"{reason(outcome)}: {count(total)}"
        own = failures.filter(pl.col("outcome") == outcome).group_by("t_s").agg(pl.col("polls").sum())
        traces.append(_row(dict(own.sort("t_s").iter_rows()), outcome, name, most, time, bin_s))
        names.append(name)
    axis = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "range": [-0.6, len(names) - 0.4],
    }
    title = "<b>failed, without an answer, or not sent</b>, by reason; the area of a dot is the number of polls"
    return Panel(title, "", traces, axis, height=_ROW_PX * len(names) + 14)


def _row(polls: Mapping[float, int], outcome: str, name: str, most: int, time: TimeAxis, bin_s: float) -> go.Scatter:
    return go.Scatter(
        x=time.values(t_s + bin_s / 2 for t_s in polls),
        y=[name] * len(polls),
        text=[count(number) for number in polls.values()],
        name=reason(outcome),
        showlegend=False,
        mode="markers",
        marker={
            "size": [round(max(_SMALLEST_PX, _LARGEST_PX * math.sqrt(n / most)), 1) for n in polls.values()],
            "color": OUTCOME_COLOURS.get(outcome, OTHER_COLOUR),
            "opacity": 0.6,
            "line": {"width": 0},
        },
        hovertemplate="%{text} polls",
    )
