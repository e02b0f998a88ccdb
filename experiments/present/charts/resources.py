"""What the run cost: the server's processor, memory, threads and connections over the measured window."""

from __future__ import annotations

from collections.abc import Iterable

import plotly.graph_objects as go
import polars as pl

from experiments.present import findings
from experiments.present.axes import TimeAxis, from_zero, known, whole_from_zero
from experiments.present.chart import Chart
from experiments.present.format import plain, significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.palette import BLUE, GREEN, ORANGE, PURPLE, RED

MOST_POINTS = 600
"""Points of a line; more cannot be told apart on a screen."""
_LATELY_S = 1.5


def server(usage: pl.DataFrame, window_s: float, cores: float | None = None) -> Chart | None:
    """Use of resources by the server's process tree.

    Args:
        usage: `analyse.resources.usage`.
        window_s: length of the measured window.
        cores: processor cores that the server may use, if known.
    """
    # What is sampled seldom was read at the end of the warm-up, and is shown where the window begins.
    lately = pl.col("t_s").is_between(-_LATELY_S, 0) & pl.col("uss_bytes").is_not_null()
    at_begin = pl.when(lately).then(0.0).otherwise("t_s").alias("t_s")
    frame = during(usage.filter(pl.col("group") == "server").with_columns(at_begin), window_s)
    panels = [panel for panel in _server_panels(frame, TimeAxis(window_s)) if panel.traces]
    if not panels:
        return None
    time = TimeAxis(window_s)
    of_all = f" of the {plain(cores)} that it may use" if cores else ""
    return Chart(
        stack(panels, x=time.layout(), x_title=time.title),
        finding=findings.sentence(*(findings.course(line, time.moment) for line in _told(frame, cores))),
        label="Processor cores, memory, threads and connections of the server over the measured window.",
        caption=f"All processes of the server together. One core in use means one processor{of_all} "
        "was busy all the time; resident memory counts pages that processes share once in each.",
    )


def _told(frame: pl.DataFrame, cores: float | None) -> list[findings.Line]:
    """What a finding speaks of: processor and memory."""
    of = f"of {plain(cores)} cores" if cores else "cores"
    lines = []
    for column, name, unit, per, least in (
        ("cores", "the server's processor", of, 1.0, 0.1),
        ("rss_bytes", "its resident memory", "MB", 1e6, 1.0),
    ):
        seen = frame.select("t_s", column).drop_nulls()
        if seen.height:
            # Single samples are jumpy: what is told is the mean of a tenth of the window.
            steps = seen.with_row_index().group_by(pl.col("index") * 10 // seen.height, maintain_order=True)
            means = steps.agg(pl.col("t_s").first(), pl.col(column).mean() / per)
            lines.append(findings.Line(name, means["t_s"].to_list(), means[column].to_list(), unit, least=least))
    return lines


_SERVER_PANELS = {
    ("<b>processor</b>", "cores"): [("cores", "cores in use", BLUE)],
    ("<b>held back by the CPU quota</b>", "% of periods"): [("throttled_share", "quota used up", RED)],
    ("<b>memory</b>", "MB"): [("rss_bytes", "resident", BLUE), ("uss_bytes", "own (USS)", ORANGE)],
    ("<b>threads and processes</b>", "count"): [("threads", "threads", GREEN), ("processes", "processes", PURPLE)],
    ("<b>connections and open files</b>", "count"): [("fds", "open files", ORANGE), ("connections", "connections", BLUE)],
}
"""Title and unit -> its lines: column of the samples, name and colour."""
_PER = {"rss_bytes": 1e6, "uss_bytes": 1e6, "throttled_share": 0.01}
"""Column -> what one of the panel's unit is in the column's."""


def _server_panels(frame: pl.DataFrame, time: TimeAxis) -> list[Panel]:
    panels = []
    for (title, unit), columns in _SERVER_PANELS.items():
        lines = [
            trace
            for column, name, colour in columns
            if (trace := line(frame, column, name, colour, time, per=_PER.get(column, 1)))
        ]
        axis = whole_from_zero if unit == "count" else from_zero
        panels.append(Panel(title, unit, lines, axis(_heights(lines)), height=100))
    return panels


def during(frame: pl.DataFrame, window_s: float) -> pl.DataFrame:
    """The rows of the measured window, by time."""
    return frame.filter(pl.col("t_s").is_between(0, window_s)).sort("t_s")


def thinned(frame: pl.DataFrame, most: int = MOST_POINTS) -> pl.DataFrame:
    """At most so many rows, evenly taken."""
    return frame if frame.height <= most else frame.gather_every(-(-frame.height // most))


def line(
    frame: pl.DataFrame,
    column: str,
    name: str,
    colour: str,
    time: TimeAxis,
    *,
    per: float = 1,
    dash: str = "solid",
) -> go.Scatter | None:
    """One column over time; seldom sampled ones as points joined by a line. None where nothing is known."""
    sampled = frame.select("t_s", column).drop_nulls()
    seen = thinned(sampled)
    if not seen.height:
        return None
    seldom = sampled.height <= frame.height / 2 or seen.height <= 40
    return go.Scatter(
        x=time.values(seen["t_s"]),
        y=[significant(value / per, 4) for value in seen[column]],
        name=name,
        mode="lines+markers" if seldom else "lines",
        marker={"size": 4},
        line={"color": colour, "width": 1.8, "dash": dash},
        hovertemplate="%{y:,.3~r}",
    )


def _heights(traces: Iterable[go.Scatter]) -> list[float]:
    return known(*(trace.y for trace in traces))
