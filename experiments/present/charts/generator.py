"""Whether the generator kept up: its lag, its processor, and who else used the machine."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.present import findings
from experiments.present.axes import HOVER_MS, TimeAxis, from_zero, known, milliseconds, spread_layout
from experiments.present.chart import Chart
from experiments.present.charts.resources import during, line
from experiments.present.format import duration, number
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY

_LAG = (("max_s", "slowest", GREY, "dot"), ("p99_s", "p99", RED, "dash"), ("p50_s", "p50", BLUE, "solid"))
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
_DASHES = ("solid", "dash", "dot", "dashdot")
MOST_GENERATORS = 4
"""Generators drawn one by one; more are drawn as their sum."""


def over_time(lag: pl.DataFrame, usage: pl.DataFrame, host: pl.DataFrame, window_s: float, bin_s: float) -> Chart | None:
    """Lag of the generator, and the use of the processor by the instrument and by everybody else.

    Args:
        lag: `analyse.timeline.lag_over_time`.
        usage: `analyse.resources.usage`.
        host: `analyse.resources.host`.
        window_s: length of the measured window.
        bin_s: length of the time over which a point of the lag is taken.
    """
    time = TimeAxis(window_s)
    panels = [
        _lag(lag, time, bin_s),
        _instrument(during(usage, window_s), time),
        _machine(during(host, window_s), time),
    ]
    drawn = [panel for panel in panels if panel.traces]
    if not drawn:
        return None
    return Chart(
        stack(drawn, x=time.layout(), x_title=time.title),
        finding=findings.sentence(*_found(lag, host, window_s, bin_s, time)),
        label="Send delay of the generator in ms, and processor cores used by it and by others, over the window.",
        caption="Send delay is how late the generator sent a poll whose device was free: its own fault, never "
        "the server's. Where it comes near the response times, or others or the hypervisor "
        "(steal) take a core, the run says little about the server.",
    )


def _found(lag: pl.DataFrame, host: pl.DataFrame, window_s: float, bin_s: float, time: TimeAxis) -> list[str]:
    """What the send delay did, and what others took meanwhile."""
    column, name = ("p99_s", "p99 of the send delay")
    if 2 * lag["p99_s"].drop_nulls().len() < lag.height:
        column, name = ("max_s", "the longest send delay")
    line = findings.Line(name, (lag["t_s"] + bin_s / 2).to_list(), milliseconds(lag[column]), least=_UNFELT_MS)
    said = [findings.course(line, time.moment)]
    for column, who in (("others_cores", "other programs"), ("steal_cores", "the hypervisor")):
        used = during(host, window_s)[column].mean() if host.height else None
        if isinstance(used, float) and used >= _WORTH_TELLING_CORES:
            said.append(f"{who} took {number(used, 2)} cores on the mean")
    return said


_UNFELT_MS, _WORTH_TELLING_CORES = 1.0, 0.02


def _lag(lag: pl.DataFrame, time: TimeAxis, bin_s: float) -> Panel:
    traces, heights = [], []
    for column, name, colour, dash in _LAG:
        y = milliseconds(lag[column])
        if not known(y):
            continue
        heights += known(y)
        traces.append(
            go.Scatter(
                x=time.values(lag["t_s"] + bin_s / 2),
                y=[None if value is None else max(value, 0.001) for value in y],
                name=name,
                mode="lines",
                line={"color": colour, "width": 1.8, "dash": dash},
                hovertemplate=HOVER_MS,
            )
        )
    return Panel(
        f"<b>send delay of the generator</b>, each point {duration(bin_s)}",
        "send delay, ms",
        traces,
        spread_layout(heights),
        height=170,
    )


def _instrument(usage: pl.DataFrame, time: TimeAxis) -> Panel:
    """Generators one by one while they are few, and the kernel that runs the experiment."""
    own = usage.filter(pl.col("group") == "generator")
    instances = sorted(set(own["instance"]))
    if len(instances) > MOST_GENERATORS:
        drawn = [(_sum(own, len(instances)), f"{len(instances)} generators")]
    else:
        drawn = [(own.filter(pl.col("instance") == instance), _numbered(instance, len(instances))) for instance in instances]
    drawn.append((usage.filter((pl.col("group") == "kernel") & (pl.col("instance") == 0)), "kernel"))
    traces = [trace for place, (frame, name) in enumerate(drawn) if (trace := _cores(frame, "cores", name, place, time))]
    heights = known(*(trace.y for trace in traces))
    axis = from_zero(heights, least=1.0)
    return Panel("<b>processor of the instrument</b>", "cores", traces, axis, height=110)


def _sum(own: pl.DataFrame, instances: int) -> pl.DataFrame:
    """All together: of each the mean in bins of two samples, since machines of a fleet sample at instants of their own."""
    times = own["t_s"]
    bin_s: Any = max(0.1, 2 * (times.max() - times.min()) * instances / len(own))  # type: ignore[operator]
    binned = own.group_by((pl.col("t_s") / bin_s).floor() * bin_s, "instance").agg(pl.col("cores").mean())
    return binned.group_by("t_s").agg(pl.col("cores").sum()).sort("t_s")


def _numbered(instance: int, count: int) -> str:
    return "generator" if count == 1 else f"generator {instance}"


def _machine(host: pl.DataFrame, time: TimeAxis) -> Panel:
    columns = [("busy_cores", "all together"), ("others_cores", "others"), ("steal_cores", "steal")]
    traces = [trace for place, (column, name) in enumerate(columns) if (trace := _cores(host, column, name, place, time))]
    if traces:
        traces[0].line.color = BLACK
    axis = from_zero(known(*(trace.y for trace in traces)), least=1.0)
    return Panel("<b>processor of the whole machine</b>", "cores", traces, axis, height=110)


def _cores(frame: pl.DataFrame, column: str, name: str, place: int, time: TimeAxis) -> go.Scatter | None:
    colour, dash = _COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)]
    return line(frame, column, name, colour, time, dash=dash)
