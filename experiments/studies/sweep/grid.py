"""The grid of a sweep: which cells it has, in which order, and what each is called. Pure; starts nothing.

Any parameter of a run may be a list, and is an axis then. A list may come as text, as papermill's `-p` gives it:
`[100, 200]` and `100, 200` are the same list. Repeats are blocks: every point is measured once, in an order of its own,
before any is measured again, so that a machine that drifts does not pass for a point that is slow.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.parameters import built, check_names
from experiments.scenario import Scenario
from experiments.schedule import Plan
from experiments.studies.cells import Cell
from experiments.studies.params import check_target, whole
from server import catalogue

_NOT_OF_A_CELL = {"results_dir", "run_id", "run_dir", "strict", "compare_to", "margin_pct"}
_NOT_OF_A_CELL |= {"variant", "beside", "beside_split"}  # A cell is one server.
AXES = tuple(name for name in Scenario.model_fields if name not in _NOT_OF_A_CELL)
"""The parameters of a run that a sweep may vary."""
_ALWAYS = ("clients", "interval_ms")
"""Axes of every sweep, also with one value."""
_MOST_CELLS = 100_000
_BESIDE: dict[str, dict[str, Any]] = {
    "server_url": {"allow_remote": True},
    "clients": {"generators": 1},
    "generators": {"clients": 1},
    "database_url": {"workload": "database", "allow_remote": True},
    "engine": {"pacing": "after", "keep_alive": False},
    "redis_url": {"engine": "threads", "pacing": "after", "keep_alive": False, "allow_remote": True},
    "db_delay_ms": {"workload": "database"},
    "db_connections": {"workload": "database"},
}
"""What lets a value be read by itself, before it is checked together with the others of its cell."""
SERVICE_LEVEL = tuple(name for name in Scenario.model_fields if name.startswith("slo_"))
"""What is only judged afterwards: a sweep may be gone on with under another service level."""


NO_PLANS: Mapping[str, Plan] = MappingProxyType({})


class Order(BaseModel):
    """How often every point is measured, and in which order."""

    repeats: Annotated[int, whole(1, 10_000)] = Field(1, description="how often every point is measured")
    shuffle_seed: Annotated[int, whole(0, 10_000)] = Field(1, description="chooses the order of the cells")


@dataclass(frozen=True)
class Planned:
    """A cell of the grid, and where in it."""

    cell: Cell
    at: dict[str, Any]
    """Axis -> its value here."""
    repeat: int
    """From 1."""


@dataclass(frozen=True)
class Grid:
    """Every combination of the axes' values, so many times."""

    axes: dict[str, tuple[Any, ...]]
    """Name -> values, checked and in the order given; `clients` and `interval_ms` first."""
    fixed: dict[str, Any]
    """The other parameters of every cell."""
    repeats: int
    shuffle_seed: int
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """Target -> its polls as an earlier sweep has them, of one that is only shown."""
    here: bool = True
    """Whether it is to be measured here; one that is only shown may name a system that is not installed."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any], *, repeats: object, shuffle_seed: object) -> Self:
        """Reads a grid from parameters of which some are lists.

        Raises:
            ParameterError: a name is no parameter, a list is empty or names a value twice, a value is not allowed.
        """
        check_names(parameters, AXES)
        order = built(Order, {"repeats": repeats, "shuffle_seed": shuffle_seed})
        lists = {name: listed(name, value) for name, value in parameters.items()}
        defaults = {name: Scenario.model_fields[name].default for name in _ALWAYS}
        axes = {name: lists.get(name) or [parameters.get(name, defaults[name])] for name in _ALWAYS}
        axes |= {name: values for name, values in lists.items() if values is not None}
        if any(catalogue.database_url.masked(str(value)) != value for value in axes.get("database_url", [])):
            raise ParameterError("a list of database_url is written down: leave passwords to PGPASSWORD or ~/.pgpass.")
        fixed = {name: value for name, value in parameters.items() if name not in axes}
        grid = cls({name: _checked(name, values) for name, values in axes.items()}, fixed, order.repeats, order.shuffle_seed)
        if grid.count > _MOST_CELLS:
            raise ParameterError(f"this grid has {grid.count:,} cells; at most {_MOST_CELLS:,} are allowed: shorten a list.")
        return grid

    @property
    def count(self) -> int:
        """Cells in all."""
        return math.prod(len(values) for values in self.axes.values()) * self.repeats

    @cached_property
    def points(self) -> list[dict[str, Any]]:
        """Every combination, axis -> value; the last axis changes first."""
        return [dict(zip(self.axes, values, strict=True)) for values in itertools.product(*self.axes.values())]

    @cached_property
    def cells(self) -> list[Planned]:
        """All cells, in the order in which they are measured.

        Raises:
            ParameterError: a combination is not allowed.
        """
        asked = [built(Scenario, self.fixed | point) for point in self.points]
        scenarios = [one.knowing(self.plans.get(one.target)) for one in asked]
        if self.here:
            _check(scenarios)
        names = _names(self.points)
        chance = random.Random(self.shuffle_seed)
        return [
            Planned(
                Cell(f"{names[place]}_{repeat}", _repeated(scenarios[place], repeat, self.axes)), self.points[place], repeat
            )
            for repeat in range(1, self.repeats + 1)
            for place in chance.sample(range(len(self.points)), len(self.points))
        ]

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that are measured."""
        return tuple(sorted({planned.cell.scenario.measured for planned in self.cells}))

    def check_machine(self) -> None:
        """Refuses cells that cannot work here.

        Raises:
            ParameterError: names the first such cell, and what it asks for.
        """
        for planned in self.cells:
            try:
                preflight.check(planned.cell.scenario)
            except ParameterError as error:
                where = ", ".join(f"{name}={value}" for name, value in planned.at.items())
                raise ParameterError(f"cell {where} cannot work: {error}") from None

    def plan(self) -> dict[str, Any]:
        """What a folder of this sweep is held to; `of_plan` reads it back."""
        asked = built(Scenario, self.fixed | self.points[0]).model_dump(exclude_defaults=True)
        fixed = {name: asked[name] for name in self.fixed if name in asked and name not in SERVICE_LEVEL}
        axes = {name: list(values) for name, values in self.axes.items()}
        return {**axes, **fixed, "repeats": self.repeats, "shuffle_seed": self.shuffle_seed}

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], plans: Mapping[str, Plan] = NO_PLANS) -> Self:
        """The grid that a folder was made for."""
        parameters = {name: value for name, value in plan.items() if name not in ("repeats", "shuffle_seed")}
        return replace(
            cls.of(parameters, repeats=plan["repeats"], shuffle_seed=plan["shuffle_seed"]), plans=plans, here=False
        )


def listed(name: str, value: object) -> list[Any] | None:
    """The list that a parameter is, or that its text says; None for a single value.

    Raises:
        ParameterError: a list that is empty, not closed, or holds lists.
    """
    if isinstance(value, str) and (value.strip().startswith("[") or "," in value):
        text = value.strip()
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        if re.search(r"[\[\]]", inner):
            raise ParameterError(f"{name}={value!r}: a list is written like [100, 200], in brackets that are closed.")
        items: Sequence[Any] = [item.strip().strip("\"'") for item in inner.split(",")] if inner.strip() else []
    elif isinstance(value, list | tuple):
        items = value
    else:
        return None
    if not items or "" in items:
        raise ParameterError(f"{name}={value!r}: the list lacks a value; give at least one, and one between two commas.")
    return list(items)


def _checked(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """The values as the scenario reads them, each of its own type, none twice."""
    found: list[Any] = []
    for value in values:
        read = getattr(built(Scenario, {name: value} | _BESIDE.get(name, {})), name)
        if read in found:
            raise ParameterError(f"{name} names {read!r} twice; to measure every point more than once, use repeats.")
        found.append(read)
    return tuple(found)


def _check(scenarios: list[Scenario]) -> None:
    """Looks at each server that is to be measured, once for each number of workers and clients."""
    asked = {(one.target, one.server_url, one.server, one.workload, one.workers, one.clients): one for one in scenarios}
    for scenario in asked.values():
        check_target(scenario)
        scenario.check_server()


def _repeated(scenario: Scenario, repeat: int, axes: Mapping[str, Any]) -> Scenario:
    """Each repeat has phases of its own, the same at every point; unless the seed is what is varied."""
    return scenario if "seed" in axes else scenario.model_copy(update={"seed": scenario.seed + repeat - 1})


def _names(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """`clients-500_interval_ms-250`; numbers where that would be too long, or twice the same."""
    names = [
        "_".join(f"{name}-{re.sub(r'[^A-Za-z0-9.]+', '-', _plain(value))}" for name, value in point.items())
        for point in points
    ]
    if len(set(names)) == len(names) and max(map(len, names)) <= 80:
        return names
    return [f"point-{number:05}" for number in range(1, len(points) + 1)]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
