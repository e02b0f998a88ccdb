"""Failed polls over time as a row of dots a reason: a single failure is seen beside a burst of thousands."""

from __future__ import annotations

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import polars as pl

from experiments.present.axes import TimeAxis
from experiments.present.format import MOST_CODES, count, reason
from experiments.present.layout.panels import Panel
from experiments.present.palette import OTHER_COLOUR, OUTCOME_COLOURS

_OTHER_CODES, _OTHER_CHECKS = "with other codes", "other reasons"
_SMALLEST_PX, _LARGEST_PX, _ROW_PX = 4.0, 20.0, 30


def panel(failures: pl.DataFrame, time: TimeAxis, bin_s: float) -> Panel:
    """A row a reason, the most frequent on top; the area of a dot is the number of polls.

    Args:
        failures: t_s, outcome, status (null but for an http_error), failed_check (null but where that is why), polls;
            without `ok`.
        bin_s: length of the time over which polls are counted.
    """
    failures = _few_whys(failures)
    row = ["outcome", "why"]
    totals = failures.group_by(row).agg(pl.col("polls").sum()).sort("polls", *row)
    most = int(failures.group_by("t_s", *row).agg(pl.col("polls").sum())["polls"].max())  # type: ignore[arg-type]
    traces, names = [], []
    for outcome, why, total in totals.iter_rows():
        name = f"{_named(outcome, why)}: {count(total)}"
        own = failures.filter((pl.col("outcome") == outcome) & pl.col("why").eq_missing(pl.lit(why)))
        own = own.group_by("t_s").agg(pl.col("polls").sum())
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


def _few_whys(failures: pl.DataFrame) -> pl.DataFrame:
    """With `why`, the status code or the expectation that failed, as text; those beyond the most frequent share a row."""
    why = pl.coalesce(pl.col("status").cast(pl.String), "failed_check")
    rows = failures.with_columns(why=why, of_status=pl.col("status").is_not_null())
    counted = rows.drop_nulls("why").group_by("of_status", "why").agg(pl.col("polls").sum())
    kept = counted.sort("polls", "why", descending=[True, False]).group_by("of_status", maintain_order=True).head(MOST_CODES)
    few = rows.join(kept.select("of_status", "why", kept=pl.lit(value=True)), on=["of_status", "why"], how="left")
    others = pl.when("of_status").then(pl.lit(_OTHER_CODES)).otherwise(pl.lit(_OTHER_CHECKS))
    named = pl.when("kept").then("why").otherwise(others)
    return few.with_columns(why=pl.when(pl.col("why").is_not_null()).then(named))


def _named(outcome: str, why: str | None) -> str:
    """`http error 503`, `not as expected: json.ok`."""
    if why is None:
        return reason(outcome)
    return f"{reason(outcome)}{' ' if outcome == 'http_error' else ': '}{why}"


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
