"""What is seen while many cells are measured: a line for each in a log, one bar in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from experiments.present.format import duration
from experiments.present.html import Markup, element, in_jupyterlab
from experiments.present.live.report import Clock, utc_now
from experiments.present.live.run import to_stdout
from experiments.present.live.view import ROLE
from experiments.present.palette import BLUE


class Came(Protocol):
    """What came of a cell."""

    @property
    def status(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def verdict(self) -> str | None: ...


class Report(Protocol):
    """What is known while cells are measured."""

    @property
    def cell(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def elapsed_s(self) -> float: ...
    @property
    def expected_s(self) -> float: ...
    @property
    def number(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def remaining_s(self) -> float: ...
    @property
    def last(self) -> Came | None: ...


class LiveCells:
    """Shows every report that it is called with, in the way that fits where it runs."""

    def __init__(self) -> None:
        self._show: Callable[[Any], None] = Bar() if in_jupyterlab() else CellLines()

    def __call__(self, report: Report) -> None:
        self._show(report)


class CellLines:
    """Two time-stamped lines a cell: when it begins, and what came of it."""

    def __init__(self, write: Callable[[str], None] = to_stdout, now: Clock = utc_now) -> None:
        self._write = write
        self._now = now
        self._begun = ""

    def __call__(self, report: Report) -> None:
        now = self._now()
        if report.phase == "measuring" and report.cell != self._begun:
            self._begun = report.cell
            self._write(f"{now:%H:%M:%S}Z  {begun(report, now)}")
        elif report.phase == "done":
            self._write(f"{now:%H:%M:%S}Z  {report.cell}: {came(report.last)}")


def begun(report: Report, now: datetime) -> str:
    """`cell 3 of 24, clients-500_interval_ms-250_1: 35 s; all done about 14:05Z (in 12 min)`."""
    ends = now + timedelta(seconds=report.remaining_s)
    return (
        f"cell {report.number} of {report.total}, {report.cell}: {duration(report.expected_s)}; all done about "
        f"{ends:%H:%M}Z (in {duration(report.remaining_s)})"
    )


def came(outcome: Came | None) -> str:
    """`valid`, or `failed, because ...`."""
    if outcome is None:
        return ""
    return outcome.verdict or f"{outcome.status}, {outcome.why}"


class Bar:
    """How many cells are done, which one is being measured, when all will be; replaced in place."""

    def __init__(self, now: Clock = utc_now) -> None:
        self._now = now
        self._handle: Any = None

    def __call__(self, report: Report) -> None:
        from IPython.display import display

        markup = self.drawn(report)
        if self._handle is None:
            self._handle = display(markup, display_id=True, metadata=ROLE)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(markup, metadata=ROLE)

    def drawn(self, report: Report) -> Markup:
        """What is shown for this report."""
        within = report.elapsed_s / report.expected_s if report.phase == "measuring" and report.expected_s else 0.0
        over = 1.0 if report.phase == "done" else min(1.0, within)
        done = 100 * (report.number - 1 + over) / report.total
        ends = f"{self._now() + timedelta(seconds=report.remaining_s):%H:%M:%S}Z"
        filled = element("div", style=f"width:{done:.1f}%;height:100%;background:{BLUE}")
        bar = element(
            "div",
            filled,
            style="height:9px;background:rgba(128,128,128,.25);border-radius:4px;overflow:hidden;margin:4px 0",
            role="progressbar",
            aria_valuenow=f"{done:.0f}",
            aria_label="share of the cells that is measured",
        )
        head = element(
            "div",
            element("b", f"cell {report.number} of {report.total}"),
            f" {report.cell}, {report.phase}; {duration(report.remaining_s)} left, ends about {ends}",
        )
        before = [element("div", f"the one before: {came(report.last)}")] if report.last and report.phase != "done" else []
        return element("div", head, bar, *before, style="max-width:720px;font-size:13px;line-height:1.5")
