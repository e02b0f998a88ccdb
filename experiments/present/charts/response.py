"""How long devices waited: over the window, and poll by poll up to the last supported nine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.targets.naming import ARTICLE, endpoints
from experiments.present.axes import HOVER_MS, TimeAxis, known, milliseconds, percentile_layout, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import duration, rounded_up, significant
from experiments.present.layout.panels import Panel, stack
from experiments.present.look import MOST_DRAWN, Look, left_out, looks
from experiments.present.palette import GREY, PERCENTILES, PURPLE, RED, SKY
from experiments.present.template import template
from experiments.record.schema import UNANSWERED, UNSENT


def over_time(
    frames: Mapping[str, pl.DataFrame],
    window_s: float,
    bins_s: Mapping[str, float],
    names: Iterable[str] = ARTICLE,
    off_by: float = 0.0,
) -> Chart | None:
    """Response p50, p95 and p99 of each endpoint, by the time at which polls were due.

    Args:
        frames: endpoint -> `analyse.timeline.ResponseOverTime.frame`.
        window_s: length of the measured window.
        bins_s: endpoint -> length of the time over which a point is taken.
        names: all endpoints of the run, in the target's order.
        off_by: share by which a percentile may be too long.
    """
    time, look = TimeAxis(window_s), looks(names)
    drawn = {name: frame for name, frame in frames.items() if _drawable(frame)}
    panels = [_panel(look[name], frame, time, bins_s[name]) for name, frame in list(drawn.items())[:MOST_DRAWN]]
    if not panels:
        return None
    titles = _listed([look[name].title for name in drawn])
    figure = stack("How long did devices wait for an answer?", panels, x=time.layout(), x_title=time.title)
    return Chart(
        figure,
        label=f"Response time percentiles p50, p95 and p99 of {titles} over the measured window, in ms.",
        caption="Response counts from the moment a poll was due, so a stall shows in every poll that it "
        "delayed; a percentile is left out where too few polls of its time support it."
        f"{_UNKNOWN if any(_any_censored(frame) for frame in frames.values()) else ''}{left_out(drawn)}"
        f"{f' {steps}' if (steps := rounded_up(off_by)) else ''}",
    )


def _listed(titles: list[str]) -> str:
    """`A, B and C`."""
    return " and ".join(filter(None, [", ".join(titles[:-1]), titles[-1]]))


_UNKNOWN = (
    " A line ends where polls never had an answer: there the percentile is longer than a triangle, which stands at what had "
    "been waited; no triangle is drawn lower than what came before it, since who came later had less time to wait."
)
_CENSORED = tuple(f"{name}_censored" for name, _, _ in PERCENTILES)


def _any_censored(frame: pl.DataFrame) -> bool:
    return any(frame[name].any() for name in _CENSORED if name in frame.columns)


def _drawable(frame: pl.DataFrame) -> bool:
    return any(frame[f"{name}_s"].drop_nulls().len() for name, _, _ in PERCENTILES)


def _panel(look: Look, frame: pl.DataFrame, time: TimeAxis, bin_s: float) -> Panel:
    x = time.values(frame["t_s"] + bin_s / 2)
    series = {name: _known(frame, name) for name, _, _ in PERCENTILES}
    bounds = {name: _bounds(frame, name) for name, _, _ in PERCENTILES}
    gaps = any(None in one for one in series.values() if known(one))
    traces = [
        go.Scatter(
            x=x,
            y=series[name],
            name=f"{look.short} {name}",
            mode="lines+markers" if gaps or len(x) <= 60 else "lines",
            line={"color": look.colour, "dash": dash, "width": width},
            marker={"size": 4},
            hovertemplate=HOVER_MS,
        )
        for name, dash, width in PERCENTILES
        if known(series[name])
    ]
    traces += [_triangles(x, values, look, name) for name, values in bounds.items() if known(values)]
    axis = spread_layout(known(*series.values(), *bounds.values()))
    title = f"<b>{look.title}</b>, each point {duration(bin_s)}"
    return Panel(title, "response, ms", traces, axis, height=190)


def _known(frame: pl.DataFrame, name: str) -> list[float | None]:
    """The percentile in ms, a gap where it is only known to be longer."""
    unknown = pl.col(f"{name}_censored").fill_null(value=False)
    return milliseconds(frame.select(pl.when(~unknown).then(f"{name}_s")).to_series())


def _bounds(frame: pl.DataFrame, name: str) -> list[float | None]:
    """What the percentile is longer than, in ms; a gap where it is known, and where a bound would only seem to fall.

    Who was due later has waited less when the window closes: drawn, that would look like a server that recovers.
    """
    made: list[float | None] = []
    before = 0.0
    for value, unknown in zip(milliseconds(frame[f"{name}_s"]), frame[f"{name}_censored"], strict=True):
        tells = unknown and value is not None and value >= before
        made.append(value if tells else None)
        if value is not None and (tells or not unknown):
            before = value
    return made


def _triangles(x: list[float], values: list[float | None], look: Look, name: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=values,
        name=f"{look.short} {name}, longer than",
        mode="markers",
        marker={"color": look.colour, "symbol": "triangle-up-open", "size": 8},
        hovertemplate=f"longer than {HOVER_MS}",
    )


_FEW_LINES = 6
"""As many find room for their names within the chart; those of more stand beside it."""


def percentile_curve(curves: Mapping[tuple[str, str], pl.DataFrame], names: Iterable[str] = ARTICLE) -> Chart | None:
    """Which share of polls was done within which time, `response` and `latency` of each endpoint.

    Args:
        curves: (endpoint, kind) -> `analyse.latency.curve`; kind is response or latency.
        names: all endpoints of the run, in the target's order.
    """
    look = looks(names)
    found = {key: frame for key, frame in curves.items() if frame.height}
    if not found:
        return None
    polled = list(dict.fromkeys(endpoint for endpoint, _ in found))
    drawn = {key: frame for key, frame in found.items() if key[0] in polled[:MOST_DRAWN]}
    figure = go.Figure(layout={"template": template(), "height": 430})
    for (endpoint, kind), frame in drawn.items():
        figure.add_traces(_parts(look[endpoint], kind, frame))
    unknown = any(frame["censored"].any() for frame in drawn.values())
    values = [value * 1000 for frame in drawn.values() for value in frame["value_s"]]
    figure.update_layout(
        title={"text": "How long did the slowest polls take?"},
        hovermode="closest",
        xaxis=percentile_layout(
            (frame["tail"][-1] for frame in drawn.values()), "share of polls that were done within the time, %"
        ),
        yaxis={**spread_layout(values), "title": {"text": "time of a poll, ms"}},
        **_legend(len(figure.data)),
    )
    return Chart(
        figure,
        label="Response and latency in ms by percentile, up to the last percentile that ten polls support.",
        caption="Go up from a percentage to the line: so many polls were done within that time. "
        "Response counts from when a poll was due, latency from when it was sent; where the two "
        "lines part, devices were still waiting for the poll before."
        f"{_BEYOND if unknown else ''}{left_out(polled)}",
    )


def _legend(lines: int) -> dict[str, Any]:
    """Within the chart where there is room for it, else beside it, and the chart as high as its legend."""
    if lines <= _FEW_LINES:
        return {"legend": {"x": 0.01, "y": 0.99, "xanchor": "left", "yanchor": "top"}}
    beside = {"x": 1.01, "y": 1, "xanchor": "left", "yanchor": "top"}
    return {"legend": beside, "height": max(430, 112 + 20 * lines)}


_BEYOND = " The dotted end of a line is a lower bound: some of its polls never had an answer, and took longer than drawn."


def _parts(look: Look, kind: str, frame: pl.DataFrame) -> list[go.Scatter]:
    """The part of a line that is known, and its end that is only a bound; they meet in the last known point."""
    censored = pl.col("censored")
    known, bound = frame.filter(~censored), frame.filter(censored | censored.shift(-1, fill_value=False))
    parts = [_curve(look, kind, known, known_part=True)] if known.height else []
    return [*parts, _curve(look, kind, bound, known_part=False)] if bound.height > 1 else parts


def _curve(look: Look, kind: str, frame: pl.DataFrame, *, known_part: bool) -> go.Scatter:
    """One line; response lies below as a broad band, so that an equal latency does not hide it."""
    response = kind == "response"
    dash = look.dashes[0 if response else 1] if known_part else "dot"
    return go.Scatter(
        x=[round(math.log10(tail), 4) for tail in frame["tail"]],
        y=[significant(value * 1000, 4) for value in frame["value_s"]],
        text=[
            f"{significant(percent, 7):.10g} % within{' more than' if longer else ''}"
            for percent, longer in frame.select("percent", "censored").iter_rows()
        ],
        name=f"{look.short} {kind}{'' if known_part else ', longer than'}",
        mode="lines",
        opacity=0.45 if response else 1,
        line={
            "color": look.colour,
            "width": 6 if response else 1.8,
            "dash": dash,
        },
        hovertemplate=f"%{{text}} {HOVER_MS}",
    )


def each_poll(polls: pl.DataFrame, window_s: float) -> Chart | None:
    """Every poll as a dot: for runs with too few polls for percentiles over time.

    Args:
        polls: `analyse.polls.prepare`.
        window_s: length of the measured window.
    """
    timed = polls.filter(pl.col("response_s") >= 0)
    if not timed.height:
        return None
    time = TimeAxis(window_s)
    traces = [_dots(timed, endpoint, look, time) for endpoint, look in looks(endpoints(polls)).items()]
    traces += [_marks(own, time, *look) for outcomes, look in _LOST if (own := timed.filter(outcomes)).height]
    values = known(*(trace.y for trace in traces))
    panel = Panel("<b>every poll</b>", "response, ms", traces, spread_layout(values), height=300)
    figure = stack("How long did devices wait for an answer?", [panel], x=time.layout(), x_title=time.title)
    figure.update_layout(hovermode="closest")
    return Chart(
        figure,
        label="Response time in ms of every poll, by the time at which it was due.",
        caption="Each dot is one poll, placed at the time when it was due; the run is too small for "
        "percentiles over time. Response counts from that moment, so waiting for an earlier poll counts.",
    )


def _dots(polls: pl.DataFrame, endpoint: str, look: Look, time: TimeAxis) -> go.Scatter:
    own = polls.filter((pl.col("endpoint") == endpoint) & (pl.col("outcome") == "ok"))
    return _marks(own, time, f"{look.short} answered", look.colour, look.symbol)


_LOST = (
    (~pl.col("outcome").is_in(("ok", *UNANSWERED, *UNSENT)), ("failed", RED, "x")),
    (
        pl.col("outcome").is_in(UNANSWERED) & ~pl.col("outcome").is_in(UNSENT),
        ("no answer, longer than", PURPLE, "triangle-up-open"),
    ),
    (pl.col("outcome") == UNSENT[0], ("not sent, device waited longer than", SKY, "triangle-up")),
    (pl.col("outcome") == UNSENT[1], ("not sent, generator late", GREY, "cross")),
)
"""Polls without a right answer, each by what it is: which, and name, colour and marker."""


def _marks(polls: pl.DataFrame, time: TimeAxis, name: str, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=time.values(polls["due_s"]),
        y=[max(value or 0.0, 0.001) for value in milliseconds(polls["response_s"])],
        text=polls["client"].to_list(),
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.75},
        hovertemplate=f"device %{{text}}: {HOVER_MS}",
    )
