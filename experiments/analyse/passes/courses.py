"""Everything of a run that is drawn over time, gathered in one pass over its polls.

Evidence and lengths of bins -> the frames of `timeline`. It follows the pass for the summary: the lengths depend on how many
polls there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.passes.measured import measured_batches
from experiments.analyse.timeline import (
    Fold,
    LagOverTime,
    OutcomesOverTime,
    PlannedOverTime,
    ResponseOverTime,
    SlowestByClient,
)


@dataclass(frozen=True)
class Steps:
    """Lengths of bins, in seconds, and sizes."""

    response_s: Mapping[str, float]
    """By endpoint."""
    lag_s: float
    outcomes_s: float
    map_s: float
    map_rows: int
    first_polls: int
    """So many, at most, are kept as they are."""


@dataclass(frozen=True)
class Courses:
    """The frames of `timeline`."""

    responses: dict[str, pl.DataFrame]
    """By endpoint."""
    off_by: float
    """By how much, as a share of it, one of their percentiles may be longer than the exact one."""
    lag: pl.DataFrame
    outcomes: pl.DataFrame
    planned: pl.DataFrame
    slowest: pl.DataFrame
    first_polls: pl.DataFrame
    """Some measured polls, as they are: all of a small run."""


def courses(evidence: Evidence, steps: Steps) -> Courses:
    """Goes through the measured polls of a record."""
    last_due_s, devices = evidence.digest.last_due_s, evidence.digest.by_client.devices
    responses = {name: ResponseOverTime(name, bin_s, last_due_s) for name, bin_s in steps.response_s.items()}
    lag, ended = LagOverTime(steps.lag_s), OutcomesOverTime(steps.outcomes_s)
    planned = PlannedOverTime(steps.outcomes_s, last_due_s)
    slowest = SlowestByClient(steps.map_s, last_due_s, devices, steps.map_rows)
    first: list[pl.DataFrame] = []
    folds: list[Fold] = [*responses.values(), lag, ended, planned, slowest]
    for polls in measured_batches(evidence):
        for fold in folds:
            fold.add(polls)
        first += [polls.head(steps.first_polls)] if not first else []
    return Courses(
        responses={name: fold.frame() for name, fold in responses.items()},
        off_by=max((fold.off_by for fold in responses.values()), default=0.0),
        lag=lag.frame(),
        outcomes=ended.frame(),
        planned=planned.frame(),
        slowest=slowest.frame(),
        first_polls=first[0],
    )
