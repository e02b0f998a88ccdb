"""What is known of a run while it is going, and what follows from that: how far it is, and when it will be over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from experiments.analyse.targets.naming import letters
from experiments.present.format import codes, duration, reasons

RECORD_AT = "the record is written to "
"""Stands before the run directory in the first line; a page finds the record by it, should the notebook break off."""


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
    def reasons(self) -> Mapping[str, int]: ...
    @property
    def cut_short(self) -> str: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def polls_per_s(self) -> float: ...
    @property
    def endpoints(self) -> tuple[str, ...]: ...
    @property
    def response_p50_ms(self) -> float | None: ...
    @property
    def response_p99_ms(self) -> float | None: ...
    @property
    def server_cores(self) -> float: ...
    @property
    def generator_cores(self) -> float: ...
    @property
    def compiling_s(self) -> float | None: ...


def compiling(report: Report) -> str:
    """`compiling the generator, once: 3 s`; empty where none does."""
    return "" if report.compiling_s is None else f"compiling the generator, once: {report.compiling_s:.0f} s"


def timed(report: Report) -> str:
    """What people call the endpoint whose response times are told, the target's first."""
    return letters(report.endpoints)[report.endpoints[0]]


Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


def from_home(path: str) -> str:
    """The path with ~ for the home folder: a report is sent to others, who need not know who made it."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def failing(report: Report) -> str:
    """What fails and why, the most frequent first; empty where nothing does."""
    return reasons(report.reasons, report.statuses) if report.reasons else codes(report.statuses)


def share_done(report: Report) -> float:
    """How much of warm-up and window is over, from 0 to 1."""
    return min(1.0, max(0.0, report.elapsed_s / report.total_s)) if report.total_s else 0.0


def ends_at(report: Report, now: datetime) -> datetime:
    """When the window will be over."""
    return now + timedelta(seconds=max(0.0, report.total_s - report.elapsed_s))


def remaining(report: Report) -> str:
    """`2 min 5 s left`."""
    return f"{duration(max(0.0, report.total_s - report.elapsed_s))} left"
