"""What a run or a study comes to, as data that another program reads: `result.json`, and the same within a notebook.

Knows no record, no HTML and no file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

FINE, MISSED, NOT_MEASURED, WRONG_INPUT = 0, 1, 2, 3
"""Exit codes of the command line."""


State = Literal["passed", "failed", "error", "skipped"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Judgement(_Data):
    """The word of a judgement, and why."""

    status: str = Field(
        description="of the service level: met, missed, not asked, cannot be said; of the measurement: valid, "
        "suspect, invalid"
    )
    said: str = Field(default="", description="a sentence or two")


class Case(_Data):
    """One thing that was held against a limit: a service level, a check of the measurement, a cell, a change."""

    suite: str = Field(description="service level, measurement, change, cell or trial")
    name: str
    status: State = Field(description="failed: the server's doing; error: it cannot be relied on; skipped: not applicable")
    said: str = ""


class Figure(_Data):
    """One number, with what tells it from others of its name."""

    name: str = Field(description="as in metrics.prom, without lab_ before it; in seconds, bytes, cores or counts")
    value: float
    labels: dict[str, str] = Field(default_factory=dict)


class Table(_Data):
    """What a person reads in figures, as text."""

    title: str
    head: list[str]
    rows: list[list[str]]


class Result(_Data):
    """What a run or a study comes to."""

    schema_version: Literal[1] = 1
    kind: str = Field(description="run, sweep, capacity, compare, calibrate or tools")
    name: str = Field(description="of its folder")
    title: str
    answer: str = Field(description="one or two sentences")
    service_level: Judgement
    measurement: Judgement
    regressions: list[str] = Field(default_factory=list, description="what is worse than compare_to by more than the margin")
    next_step: str = ""
    cases: list[Case] = Field(default_factory=list)
    figures: list[Figure] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)

    @computed_field(description="0 fine, 1 service level missed or worse than before, 2 not measurable or invalid")  # type: ignore[prop-decorator]
    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        if self.measurement.status == "invalid" or self.service_level.status == "cannot be said":
            return NOT_MEASURED
        return MISSED if self.service_level.status == "missed" or self.regressions else FINE
