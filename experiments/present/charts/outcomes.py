"""What became of the polls: answered and failed over the window, against what was planned."""

from __future__ import annotations

from itertools import zip_longest

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.targets.naming import endpoints
from experiments.present.axes import TimeAxis, from_zero
from experiments.present.chart import Chart
from experiments.present.charts import failures as failed
from experiments.present.format import count, duration, percent, plural, reason, significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.look import Look, looks
from experiments.present.palette import BLACK

_LEGEND_ROW_PX = 21

BEYOND = 0.005
"""Part of all polls that must end after the window for the axis to go on beyond it."""


def over_time(outcomes: pl.DataFrame, planned: pl.DataFrame, window_s: float, bin_s: float) -> Chart | None:
    """Polls a second that were answered, against what was planned, and those that failed, by reason.

    Args:
        outcomes: `analyse.timeline.outcomes_over_time`.
        planned: `analyse.timeline.planned_over_time`.
        window_s: length of the measured window.
        bin_s: length of the time over which polls are counted.
    """
    if not outcomes.height:
        return None
    end_s = _end(outcomes, window_s, bin_s)
    time = TimeAxis(end_s)
    bins = _Bins(end_s, bin_s, time)
    failures = outcomes.filter(pl.col("outcome") != "ok")
    panels = [_answered(outcomes.filter(pl.col("outcome") == "ok"), planned, bins)]
    if failures.height:
        panels.append(failed.panel(failures, time, bin_s))
    return Chart(
        stack(panels, x=time.layout(), x_title=time.title),
        finding=_found(outcomes, failures, time),
        label="Polls per second answered and planned, and failed polls by reason, over the measured window.",
        caption="Answers are counted when they came, in steps of "
        f"{duration(bin_s)}; where the areas stay below the dashed line, devices waited or went without.",
    )


def _found(outcomes: pl.DataFrame, failures: pl.DataFrame, time: TimeAxis) -> str:
    """How many polls were lost, why most of them were, and when that began."""
    lost = int(failures["polls"].sum())
    if not lost:
        return "Every poll of the window was answered, and rightly."
    share = percent(lost, int(outcomes["polls"].sum()))
    whys = failures.group_by("outcome", "status").agg(pl.col("polls").sum())
    by = whys.sort("polls", "outcome", "status", descending=[True, False, False])
    outcome, status, polls = by.row(0)
    most = f"{reason(outcome)}{f' {status}' if status else ''}"
    of = "" if by.height == 1 else f", most of them {most} ({count(polls)})"
    why = f" ({most})" if by.height == 1 else ""
    first, last = (time.moment(max(0.0, float(end))) for end in (failures["t_s"].min(), failures["t_s"].max()))  # type: ignore[arg-type]
    when = f"at {first}" if first == last else f"from {first} to {last}"
    return f"{plural(lost, 'poll')} ({share}) had no right answer{why}{of}, {when}."


def _end(outcomes: pl.DataFrame, window_s: float, bin_s: float) -> float:
    """Where the axis ends: with the window, or with the last answers where many came later."""
    later = outcomes.filter(pl.col("t_s") > window_s - bin_s / 2)
    if int(later["polls"].sum()) <= BEYOND * int(outcomes["polls"].sum()):
        return window_s
    return float(later["t_s"].max()) + bin_s  # type: ignore[arg-type]


class _Bins:
    """The steps of time, and polls a second in each of them."""

    def __init__(self, end_s: float, bin_s: float, time: TimeAxis) -> None:
        self._count = max(1, round(end_s / bin_s))
        self._bin_s = bin_s
        self.edges = time.values(place * bin_s for place in range(self._count + 1))

    def rates(self, frame: pl.DataFrame) -> list[float]:
        """Polls a second in every step, the last one twice: a step line ends with it."""
        sums = [0] * self._count
        for t_s, polls in frame.select("t_s", "polls").iter_rows():
            place = round(t_s / self._bin_s)
            if 0 <= place < self._count:
                sums[place] += polls
        rates = [significant(polls / self._bin_s, 4) for polls in sums]
        return [*rates, rates[-1]]


def _answered(answered: pl.DataFrame, planned: pl.DataFrame, bins: _Bins) -> Panel:
    """Answered polls of all endpoints upon one another, under the line of the plan."""
    traces, total = [], [0.0]
    names = endpoints(answered)
    for endpoint, look in looks(names).items():
        own = answered.filter(pl.col("endpoint") == endpoint)
        if own.height:
            rates = bins.rates(own)
            total = [a + b for a, b in zip_longest(total, rates, fillvalue=0.0)]
            traces.append(_area(rates, look, bins))
    plan = bins.rates(planned)
    traces.append(_line(plan, bins))
    return Panel(
        "<b>answered</b>", "polls/s", traces, from_zero([*total, *plan]), height=max(190, _LEGEND_ROW_PX * len(traces))
    )


def _area(rates: list[float], look: Look, bins: _Bins) -> go.Scatter:
    return go.Scatter(
        x=bins.edges,
        y=rates,
        name=f"{look.short} answered",
        mode="lines",
        stackgroup="answered",
        line={"shape": "hv", "width": 0.8, "color": look.colour},
        hovertemplate="%{y:,.4~r} polls/s",
    )


def _line(rates: list[float], bins: _Bins) -> go.Scatter:
    return go.Scatter(
        x=bins.edges,
        y=rates,
        name="planned, in all",
        mode="lines",
        line={"shape": "hv", "width": 1.6, "color": BLACK, "dash": "dash"},
        hovertemplate="%{y:,.4~r} polls/s",
    )
