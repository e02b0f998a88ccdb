"""What is seen while a run is going: one picture that changes in JupyterLab, time-stamped lines everywhere else.

Called about every second with what is known (`Report`); knows neither who measures nor how. A log of papermill, a file or a
terminal gets at most about sixty lines a run, however long it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from experiments.present.words import codes, count, duration, number

MOST_LINES = 50
"""Lines of a run at even distances; the changes of phase come on top."""

RECORD_AT = "the record is written to "
"""Stands before the run directory in the first line; a page finds the record by it, should the notebook break off."""

SHORTEST_PAUSE_S = 5.0
"""Between two lines within a phase."""


class Report(Protocol):
    """What is known of a run while it is going."""

    @property
    def phase(self) -> str: ...
    @property
    def run_dir(self) -> str: ...
    @property
    def elapsed_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...
    @property
    def planned(self) -> int: ...
    @property
    def sent(self) -> int: ...
    @property
    def ok(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def statuses(self) -> Mapping[str, int]: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def polls_per_s(self) -> float: ...
    @property
    def response_p50_ms(self) -> float | None: ...
    @property
    def response_p99_ms(self) -> float | None: ...
    @property
    def server_cores(self) -> float: ...
    @property
    def generator_cores(self) -> float: ...


Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


class Live:
    """Shows every report that it is called with, in the way that fits where it runs."""

    def __init__(self) -> None:
        self._show = _picture() if in_jupyterlab() else Lines()

    def __call__(self, report: Report) -> None:
        self._show(report)


def in_jupyterlab() -> bool:
    """Whether a Jupyter server shows this kernel's output to somebody; papermill's kernels have none."""
    if "JPY_SESSION_NAME" not in os.environ:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _picture() -> Callable[[Report], None]:
    from experiments.present.live_view import Picture

    return Picture()


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
        if report.phase == self._phase and report.elapsed_s < self._next_s:
            return
        self._phase = report.phase
        self._next_s = report.elapsed_s + max(SHORTEST_PAUSE_S, report.total_s / MOST_LINES)
        now = self._now()
        self._write(f"{now:%H:%M:%S}Z  {describe(report, now)}")


def describe(report: Report, now: datetime) -> str:
    """One line: phase, how far, counts, rate, response, failures and when it will be over."""
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


def from_home(path: str) -> str:
    """The path with ~ for the home folder: a report is sent to others, who need not know who made it."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def failures(report: Report) -> str:
    """`24 failed (429: 12, 503: 12)`."""
    return f"{count(report.failed)} failed{f' ({said})' if (said := codes(report.statuses)) else ''}"


_AROUND = {
    "starting": "starting the server and the generators",
    "analysing": "measured; working out percentiles, costs and the verdict",
}


def share_done(report: Report) -> float:
    """How much of warm-up and window is over, from 0 to 1."""
    return min(1.0, max(0.0, report.elapsed_s / report.total_s)) if report.total_s else 0.0


def ends_at(report: Report, now: datetime) -> datetime:
    """When the window will be over."""
    return now + timedelta(seconds=max(0.0, report.total_s - report.elapsed_s))


def response(report: Report) -> str:
    """`A answered in 0.61 ms (p50), 1.8 ms (p99)`; empty where nothing was answered."""
    if report.response_p50_ms is None:
        return ""
    p99 = f", {number(report.response_p99_ms)} ms (p99)" if report.response_p99_ms is not None else ""
    return f"A answered in {number(report.response_p50_ms)} ms (p50){p99}"


def remaining(report: Report) -> str:
    """`2 min 5 s left`."""
    return f"{duration(max(0.0, report.total_s - report.elapsed_s))} left"
