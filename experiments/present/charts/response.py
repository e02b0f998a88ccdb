"""How long devices waited: over the window, or poll by poll where there are few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import plotly.graph_objects as go
import polars as pl

from experiments.analyse.targets.naming import ARTICLE, endpoints
from experiments.present import findings
from experiments.present.axes import HOVER_MS, TimeAxis, known, milliseconds, spread_layout
from experiments.present.chart import Chart
from experiments.present.format import count, duration, number, plain, plural, rounded_up
from experiments.present.layout.panels import Panel, stack
from experiments.present.look import MOST_DRAWN, Look, left_out, looks
from experiments.present.palette import BLACK, GREY, PERCENTILES, PURPLE, RED, SKY
from experiments.record.schema import UNANSWERED, UNSENT


def over_time(
    frames: Mapping[str, pl.DataFrame],
    window_s: float,
    bins_s: Mapping[str, float],
    names: Iterable[str] = ARTICLE,
    *,
    limits: Mapping[str, float] = MappingProxyType({}),
    lag: pl.DataFrame | None = None,
    lag_bin_s: float = 1.0,
    off_by: float = 0.0,
) -> Chart | None:
    """Response p50, p95 and p99 of each endpoint, by the time at which polls were due.

    Args:
        frames: endpoint -> `analyse.timeline.ResponseOverTime.frame`.
        window_s: length of the measured window.
        bins_s: endpoint -> length of the time over which a point is taken.
        names: all endpoints of the run, in the target's order.
        limits: endpoint -> response time in ms that its p99 must keep.
        lag: `analyse.timeline.LagOverTime.frame`, drawn beside: the generator's own part of these times.
        lag_bin_s: length of the time over which a point of it is taken.
        off_by: share by which a percentile may be too long.
    """
    time, look = TimeAxis(window_s), looks(names)
    drawn = {name: frame for name, frame in frames.items() if _drawable(frame)}
    beside = _send_delay(lag, time, lag_bin_s)
    panels = [
        _panel(look[name], frame, time, bins_s[name], limits.get(name, 0.0), beside)
        for name, frame in list(drawn.items())[:MOST_DRAWN]
    ]
    if not panels:
        return None
    axis = spread_layout([value for trace in _traces(panels) for value in known(trace.y)])
    panels = [replace(panel, axis=axis) for panel in panels]
    titles = _listed([look[name].title for name in drawn])
    lines = [_course(look[name], frame, bins_s[name]) for name, frame in drawn.items()]
    return Chart(
        stack(panels, x=time.layout(), x_title=time.title),
        finding=_found(lines, time),
        label=f"Response time percentiles p50, p95 and p99 of {titles} over the measured window, in ms.",
        caption="Response counts from the moment a poll was due, so a stall shows in every poll that it "
        "delayed; a percentile is left out where too few polls of its time support it. All panels have the same scale."
        f"{_DELAY if beside else ''}"
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


_DELAY = " The send delay is the generator's own part of all these times: it must lie far below them."


def _traces(panels: Iterable[Panel]) -> list[go.Scatter]:
    return [trace for panel in panels for trace in panel.traces]


def _course(look: Look, frame: pl.DataFrame, bin_s: float) -> findings.Line:
    """The highest percentile that most of the steps support."""
    name = next(
        name for name in ("p99", "p95", "p50") if 2 * frame[f"{name}_s"].drop_nulls().len() >= frame.height or name == "p50"
    )
    times_s = (frame["t_s"] + bin_s / 2).to_list()
    bounds = frame[f"{name}_censored"].fill_null(value=False).to_list()
    # A bound that only seems to fall is not told, as it is not drawn.
    values = [
        value if value is not None else bound for value, bound in zip(_known(frame, name), _bounds(frame, name), strict=True)
    ]
    return findings.Line(f"{name} of {look.title}", times_s, values, longer=bounds, least=_NOBODY_MINDS_MS)


_NOBODY_MINDS_MS = 0.5
"""Below, a response time may double without anybody's noticing."""


def _found(lines: Sequence[findings.Line], time: TimeAxis) -> str:
    """What each endpoint's line did; of more than two that of the one that moved most."""
    most = max(lines, key=findings.eventfulness)
    told = lines if len(lines) <= 2 else [most]
    of = f"of {len(lines)} endpoints the one that moved most: " if len(told) < len(lines) else ""
    return findings.sentence(of + "; ".join(filter(None, (findings.course(line, time.moment) for line in told))))


def _send_delay(lag: pl.DataFrame | None, time: TimeAxis, bin_s: float) -> go.Scatter | None:
    """The generator's own delay over time: its p99, or the longest where too few polls support that."""
    if lag is None or not lag.height:
        return None
    many = 2 * lag["p99_s"].drop_nulls().len() >= lag.height
    return go.Scatter(
        x=time.values(lag["t_s"] + bin_s / 2),
        y=[None if value is None else max(value, 0.001) for value in milliseconds(lag["p99_s" if many else "max_s"])],
        name=f"send delay, {'p99' if many else 'longest'}",
        mode="lines",
        line={"color": GREY, "dash": "dashdot", "width": 1.4},
        hovertemplate=HOVER_MS,
    )


def limit_line(ends: Sequence[float], limit_ms: float) -> go.Scatter:
    """A level line where a service level lies."""
    return go.Scatter(
        x=list(ends),
        y=[limit_ms, limit_ms],
        name=f"p99 limit {plain(limit_ms)} ms",
        mode="lines",
        line={"color": BLACK, "width": 1.6, "dash": "longdash"},
        hoverinfo="skip",
    )


def _panel(
    look: Look, frame: pl.DataFrame, time: TimeAxis, bin_s: float, limit_ms: float, beside: go.Scatter | None
) -> Panel:
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
    if limit_ms:
        traces.append(limit_line(time.values((0.0, time.window_s)), limit_ms))
    if beside is not None:
        traces.append(go.Scatter(beside))
    title = f"<b>{look.title}</b>, each point {duration(bin_s)}"
    return Panel(title, "response, ms", traces, height=190)


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
    figure = stack([panel], x=time.layout(), x_title=time.title)
    figure.update_layout(hovermode="closest")
    slowest = timed.sort("response_s").tail(1).row(0, named=True)
    lost = polls.filter(pl.col("outcome") != "ok").height
    return Chart(
        figure,
        finding=findings.sentence(
            f"the slowest of {plural(timed.height, 'poll')} took {number(1000 * slowest['response_s'])} ms, due at "
            f"{time.moment(max(0.0, slowest['due_s']))} (device {slowest['client']})",
            f"{count(lost)} had no right answer" if lost else "",
        ),
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
