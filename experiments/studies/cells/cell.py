"""A cell, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.errors import ParameterError
from experiments.record.reading import Record
from experiments.scenario import Scenario

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
"""What a folder of the lab may be called."""
NAME_ADVICE = "letters, digits, dot, dash and underscore are allowed, at most 100, no path"

CellStatus = Literal["done", "failed", "unfinished", "damaged", "not measured"]


@dataclass(frozen=True)
class Cell:
    """One point to be measured once; a repeat is a cell of its own."""

    name: str
    """Of its folder and of its run; unique in its sweep: letters, digits, dot, dash and underscore."""
    scenario: Scenario
    """What is asked. Where results lie, and `strict`, are not the cell's to say."""

    def __post_init__(self) -> None:
        """Refuses a name that is no folder's.

        Raises:
            ParameterError: says what is allowed.
        """
        if not NAME.fullmatch(self.name):
            raise ParameterError(f"cell name {self.name!r}: {NAME_ADVICE}.")

    @property
    def load_s(self) -> float:
        """Seconds of load: warm-up and window."""
        return self.scenario.warmup_s + self.scenario.window_s


@dataclass(frozen=True)
class Outcome:
    """What lies in a cell's folder."""

    cell: Cell
    status: CellStatus
    """done: there is a whole, sealed record, whatever its verdict. failed: the notebook broke before it had one.
    unfinished: it was killed or interrupted. damaged: the record is not what was sealed, or answers another question."""
    why: str = ""
    """Why it is not done; empty if it is."""
    record: Record | None = None
    """If done."""
    report: Path | None = None
    """The cell's own report, if there is one."""

    @property
    def done(self) -> bool:
        return self.status == "done"

    @property
    def link(self) -> str | None:
        """Its report, from the folder of its study."""
        return f"cells/{self.cell.name}/{self.report.name}" if self.report else None

    @property
    def because(self) -> str:
        """The checks that made the verdict what it is, or why there is none; empty if it is valid."""
        if self.summary is None:
            return self.why
        verdict = self.summary["verdict"]
        worst = [check["name"].replace("_", " ") for check in verdict["checks"] if check["status"] == verdict["status"]]
        return "" if verdict["status"] == "valid" else ", ".join(worst)

    @property
    def summary(self) -> dict[str, Any] | None:
        """`summary.json`, if done."""
        return self.record.summary() if self.record else None

    @property
    def verdict(self) -> str | None:
        """valid, suspect or invalid, if done."""
        return str(self.summary["verdict"]["status"]) if self.summary else None

    @property
    def believed(self) -> bool:
        """Whether the figures may be used: done, and not invalid."""
        return self.verdict in ("valid", "suspect")
