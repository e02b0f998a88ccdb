"""The live view in JupyterLab: one output that is replaced in place, and of which one copy is saved.

Plain HTML with two small drawings: no widget state in the notebook, nothing from the web, nothing to load, and no flicker,
since the page does not have to build a chart anew every second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from experiments.present.format import count, number
from experiments.present.html import Markup, element
from experiments.present.live.report import (
    Clock,
    Report,
    compiling,
    ends_at,
    failing,
    from_home,
    remaining,
    share_done,
    timed,
    utc_now,
)
from experiments.present.palette import BLUE, GREEN, ORANGE, RED

ROLE = {"lab": {"role": "progress"}}
"""Metadata of the output, by which the report knows that it is of no interest afterwards."""

KEPT = 60
"""Reports that the drawings look back: about a minute."""

_WIDTH, _HEIGHT = 320, 64


class Picture:
    """Progress bar, counts, and the last minute of rate and response."""

    def __init__(self, now: Clock = utc_now) -> None:
        self._now = now
        self._rates: deque[float | None] = deque(maxlen=KEPT)
        self._p50: deque[float | None] = deque(maxlen=KEPT)
        self._p99: deque[float | None] = deque(maxlen=KEPT)
        self._latest: Report | None = None
        self._handle: Any = None
        self._run_dir = ""

    def __call__(self, report: Report) -> None:
        self._run_dir = from_home(report.run_dir) or self._run_dir
        if report.phase not in ("starting", "analysing"):
            self._remember(report)
        self._display(self.drawn(report))

    def _remember(self, report: Report) -> None:
        self._latest = report
        self._rates.append(report.polls_per_s)
        self._p50.append(report.response_p50_ms)
        self._p99.append(report.response_p99_ms)

    def _display(self, markup: Markup) -> None:
        from IPython.display import display

        about = {"lab": ROLE["lab"] | ({"run_dir": self._run_dir} if self._run_dir else {})}
        if self._handle is None:
            self._handle = display(markup, display_id=True, metadata=about)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(markup, metadata=about)

    def drawn(self, report: Report) -> Markup:
        """What is shown for this report."""
        shown = report if report.phase != "analysing" or not self._latest else self._latest
        rows = [_head(report, f"{ends_at(report, self._now()):%H:%M:%S}Z"), _bar(report), _counts(shown)]
        if any(value is not None for value in self._rates):
            rows.append(self._drawings(shown))
        return element("div", *rows, style="max-width:720px;font-size:13px;line-height:1.5")

    def _drawings(self, report: Report) -> Markup:
        rate = _drawing("polls/s", [(list(self._rates), GREEN, "")])
        wait = _drawing(f"{timed(report)} answered in, ms", [(list(self._p50), BLUE, ""), (list(self._p99), ORANGE, "4 3")])
        return element("div", rate, wait, style="display:flex;flex-wrap:wrap;gap:24px;margin-top:6px")


def _head(report: Report, ends: str) -> Markup:
    if report.phase == "starting":
        return element("div", element("b", "starting"), f" {compiling(report) or 'the server and the generators'}")
    if report.phase == "analysing":
        if not report.cut_short:
            return element("div", element("b", "measured"))
        at = f"cut short at {100 * share_done(report):.0f} %"
        return element("div", element("b", at, style=f"color:{RED}"), f": {report.cut_short}")
    times = f" {100 * share_done(report):.0f} %, {remaining(report)}, ends about {ends}"
    return element("div", element("b", report.phase), times)


def _bar(report: Report) -> Markup:
    done = 100 * share_done(report)
    inner = element("div", style=f"width:{done:.1f}%;height:100%;background:{BLUE}")
    return element(
        "div",
        inner,
        style="height:9px;background:rgba(128,128,128,.25);border-radius:4px;overflow:hidden;margin:4px 0",
        role="progressbar",
        aria_valuenow=f"{done:.0f}",
        aria_label="share of the run that is over",
    )


def _counts(report: Report) -> Markup:
    failed = element("b", count(report.failed), style=f"color:{RED}") if report.failed else Markup("0")
    why = [element("div", element("b", "failing: "), said)] if (said := failing(report)) else []
    counts = element(
        "div",
        f"{count(report.sent)} of {count(report.planned)} polls sent, {count(report.ok)} ok, ",
        failed,
        f" failed, {count(report.in_flight)} in flight · server {report.server_cores:.2f} cores, "
        f"generator {report.generator_cores:.2f} cores",
    )
    return element("div", counts, *why)


def _drawing(title: str, lines: Sequence[tuple[list[float | None], str, str]]) -> Markup:
    """One small line drawing from zero to the highest value, with the latest values in its title."""
    top = max((value for values, _, _ in lines for value in values if value is not None), default=0.0) or 1.0
    latest = " / ".join(number(values[-1]) for values, _, _ in lines if values)
    drawn = Markup("".join(_line(values, colour, dash, top) for values, colour, dash in lines))
    names = "" if len(lines) == 1 else " (p50 / p99)"
    svg = element(
        "svg",
        drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=str(_WIDTH),
        height=str(_HEIGHT),
        style="border-left:1px solid #999;border-bottom:1px solid #999",
        role="img",
        aria_label=f"{title}, last minute",
    )
    small = element("div", f"highest in the last minute: {number(top)}", style="font-size:11px;opacity:.75")
    return element("div", element("div", f"{title}{names}: {latest}"), svg, small)


def _line(values: list[float | None], colour: str, dash: str, top: float) -> str:
    """A polyline; the newest value is at the right edge."""
    step = _WIDTH / (KEPT - 1)
    start = _WIDTH - step * (len(values) - 1)
    points = " ".join(
        f"{start + step * place:.1f},{(_HEIGHT - 2) * (1 - value / top) + 1:.1f}"
        for place, value in enumerate(values)
        if value is not None
    )
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}/>'
