"""What is seen while a run is going: one picture that changes in JupyterLab, time-stamped lines everywhere else.

Called about every second with what is known (`Report`); knows neither who measures nor how. A log of papermill, a file or a
terminal gets at most about sixty lines a run, however long it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

from experiments.present.format import count, number
from experiments.present.html import in_jupyterlab
from experiments.present.live.report import (
    RECORD_AT,
    Clock,
    Report,
    compiling,
    ends_at,
    failing,
    from_home,
    share_done,
    timed,
    utc_now,
)
from experiments.present.live.view import Picture

MOST_LINES = 50
"""Lines of a run at even distances; the changes of phase come on top."""

SHORTEST_PAUSE_S = 5.0
"""Between two lines within a phase."""


class Live:
    """Shows every report that it is called with, in the way that fits where it runs."""

    def __init__(self) -> None:
        self._show: Callable[[Report], None] = Picture() if in_jupyterlab() else Lines()

    def __call__(self, report: Report) -> None:
        self._show(report)


def to_stdout(line: str) -> None:
    """Writes a line at once, so that a log that somebody follows is up to date."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def to_log(line: str) -> None:
    """Writes a line with the time before it."""
    to_stdout(f"{utc_now():%H:%M:%S}Z  {line}")


class Lines:
    """Time-stamped lines: one at every change of phase, and now and then in between."""

    def __init__(self, write: Callable[[str], None] = to_stdout, now: Clock = utc_now) -> None:
        self._write = write
        self._now = now
        self._phase = ""
        self._next_s = 0.0

    def __call__(self, report: Report) -> None:
        if report.phase == self._phase and report.elapsed_s < self._next_s and not compiling(report):
            return
        self._phase = report.phase
        self._next_s = report.elapsed_s + max(SHORTEST_PAUSE_S, report.total_s / MOST_LINES)
        now = self._now()
        self._write(f"{now:%H:%M:%S}Z  {describe(report, now)}")


def describe(report: Report, now: datetime) -> str:
    """One line: phase, how far, counts, rate, response, failures and when it will be over."""
    if said := compiling(report):
        return said
    if report.phase == "analysing" and report.cut_short:
        return (
            f"cut short at {100 * share_done(report):.0f} %: {report.cut_short.rstrip('.')}; working out what was measured"
        )
    if report.phase in ("starting", "analysing"):
        return _AROUND[report.phase] + (f"; {RECORD_AT}{from_home(report.run_dir)}" if report.run_dir else "")
    parts = [
        f"{report.phase} {100 * share_done(report):.0f} %",
        f"{count(report.sent)} of {count(report.planned)} polls sent, {failures(report)}",
        f"{count(report.polls_per_s)} polls/s",
        response(report),
        f"server {report.server_cores:.2f} cores",
        f"ends about {ends_at(report, now):%H:%M:%S}Z",
    ]
    if report.phase == "warming up":
        del parts[1]
    return ", ".join(part for part in parts if part)


def failures(report: Report) -> str:
    """`24 failed (http error 24 (429: 12, 503: 12))`."""
    return f"{count(report.failed)} failed{f' ({said})' if (said := failing(report)) else ''}"


_AROUND = {
    "starting": "starting the server and the generators",
    "analysing": "measured; working out percentiles, costs and the verdict",
}


def response(report: Report) -> str:
    """`A answered in 0.61 ms (p50), 1.8 ms (p99)`; empty where nothing was answered."""
    if report.response_p50_ms is None:
        return ""
    p99 = f", {number(report.response_p99_ms)} ms (p99)" if report.response_p99_ms is not None else ""
    return f"{timed(report)} answered in {number(report.response_p50_ms)} ms (p50){p99}"
