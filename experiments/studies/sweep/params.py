"""What a sweep is asked: the parameters of a run, of which some are lists, and those of the sweep -> `Asked`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field

from experiments.parameters import built, check_names
from experiments.record.reading import Record
from experiments.runner import check_databases, check_earlier
from experiments.scenario import Scenario
from experiments.studies import params
from experiments.studies.params import NO_RECORDS, Id, StudyParams, giving_way
from experiments.studies.sweep.grid import AXES, SERVICE_LEVEL, Grid, Order, listed
from experiments.target.hello import NAME as HELLO

USUAL_MS = {"status": 50.0, "bulk": 250.0}
"""Limits of the article's two endpoints in `params/sweep.yaml`: of a target that says its own, they give way to these."""


class Own(StudyParams, Order):
    """What is asked of a sweep and not of its cells."""

    kind = "sweep"
    called = "sweep"
    of_runs = AXES

    sweep_id: Id = Field("", description="name of the folder; that of an earlier start goes on with it")
    sweep_dir: str = Field("", description="show this earlier sweep instead of measuring")
    compare_to: str = Field("", description="earlier run or sweep to compare with, or latest")
    margin_pct: float = Field(10.0, ge=0, le=1000, description="percent; what is worse by more is a regression")


@dataclass(frozen=True)
class Asked(params.Asked):
    """A sweep, checked."""

    own: Own
    grid: Grid
    level: Scenario
    """The service level by which the whole is judged; a sweep may be shown under another one than it was measured under."""

    params: ClassVar[type[StudyParams]] = Own

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks everything that is asked; nothing is started or written.

        Raises:
            ParameterError: a value is not allowed, or a cell cannot work on this machine.
            RecordError: there is nothing at `compare_to`.
        """
        check_names(given, Own.names())
        given = giving_way(given, USUAL_MS) if not listed("target", given.get("target", HELLO)) else given
        own = Own.of(given)
        of_cells = {name: value for name, value in given.items() if name in AXES}
        grid = Grid.of(of_cells, repeats=own.repeats, shuffle_seed=own.shuffle_seed)
        grid.check_machine()
        check_databases(one.cell.scenario for one in grid.cells)
        check_earlier(own.compare_to, strict=own.strict)
        return cls(own, grid, _level(given))

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier sweep was asked."""
        plans = {name: record.plan for name, record in records.items()}
        return cls(Own.of(now), Grid.of_plan(plan, plans), _level(now))

    @property
    def plan(self) -> dict[str, Any]:
        """The grid; a sweep may be gone on with under another service level."""
        return self.grid.plan()

    @property
    def systems(self) -> tuple[str, ...]:
        """Those of the grid."""
        return self.grid.systems


def _level(given: Mapping[str, Any]) -> Scenario:
    return built(Scenario, {name: given[name] for name in SERVICE_LEVEL if name in given})
