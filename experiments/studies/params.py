"""What the parameters of every study have in common: ids, budget, lists with commas, and how a notebook's names are checked.

The names and values of a notebook -> a checked model. Knows neither folders nor cells, and shows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self, get_origin

from pydantic import AfterValidator, BeforeValidator, Field

from experiments import parameters
from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.parameters import Parameters, as_text, built
from experiments.record.reading import Record
from experiments.scenario import Scenario
from experiments.studies.cells.cell import NAME, NAME_ADVICE
from experiments.target import loading
from experiments.target.hello import NAME as HELLO

NO_RECORDS: Mapping[str, Record] = MappingProxyType({})


def number(least: float, most: float) -> BeforeValidator:
    """Takes a number, or a text that says one, within bounds. True is no number, although Python takes it for 1."""

    def read(value: Any) -> float:
        try:
            found = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError):
            found = None
        if found is None or not least <= found <= most:
            raise ValueError(f"a number from {least:,.10g} to {most:,.10g} is needed")
        return found

    return BeforeValidator(read)


def whole(least: int, most: int) -> BeforeValidator:
    """Takes a whole number, or a text that says one, within bounds."""

    def read(value: Any) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least:,} to {most:,} is needed")
        return int(text)

    return BeforeValidator(read)


def several(value: object) -> tuple[str, ...]:
    """The values of `a, b`, `[a, b]`, a list or a single value; each once, in the order given."""
    parts = value if isinstance(value, list | tuple) else str(as_text(value)).strip(" []()").split(",")
    return tuple(dict.fromkeys(text for part in parts if (text := str(part).strip(" '\""))))


def _counts(value: object) -> tuple[int, ...]:
    texts = several(value)
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in texts):
        raise ValueError("whole numbers above zero, 1 or more, are needed, separated by commas, like '1,2,4'")
    return tuple(map(int, texts))


def folder_name(name: str) -> str:
    """A name that is a folder's, and leads nowhere else.

    Raises:
        ValueError: says what is allowed.
    """
    if name and not NAME.fullmatch(name):
        raise ValueError(NAME_ADVICE)
    return name


Names = Annotated[tuple[str, ...], BeforeValidator(several)]
"""A list of texts, however it came."""
Counts = Annotated[tuple[int, ...], BeforeValidator(_counts)]
"""A list of whole numbers above zero, however it came."""
Id = Annotated[str, AfterValidator(folder_name)]
"""Of a study: the name of its folder; empty for a new one."""


class StudyParams(Parameters):
    """What is asked of a study, and not of its runs. Its `<kind>_id` and `<kind>_dir` are fields of each kind's own."""

    kind: ClassVar[str]
    """`sweep`, as parameters begin and plans say."""
    called: ClassVar[str]
    """What people call a study of this kind."""
    of_runs: ClassVar[tuple[str, ...]] = ()
    """Parameters of a run that the study takes as well."""

    results_dir: str = Field("", description="where the folder is made; empty: the project's results/")
    cool_down_s: Annotated[float, number(0, 3600)] = Field(5.0, description="seconds between two runs")
    max_hours: Annotated[float, number(0, 24 * 365)] = Field(12.0, description="nothing is begun that would end later")
    strict: bool = Field(False, description="fail the notebook if the study deserves it")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """All parameters of a notebook for this kind of study."""
        return (*cls.of_runs, *cls.model_fields)

    @classmethod
    def given(cls, namespace: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a notebook whose `globals()` these are.

        Raises:
            ParameterError: papermill injected a name that is no parameter.
        """
        return parameters.given(namespace, cls.names(), cls.textual())

    @classmethod
    def textual(cls) -> set[str]:
        """The parameters that are texts, or lists that may be written as one."""
        lists = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) is tuple}
        return cls.texts() | lists | (Scenario.texts() & {*cls.of_runs})

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Checks those that are the study's own.

        Raises:
            ParameterError: one sentence for each thing that is wrong.
        """
        return built(cls, {name: given[name] for name in cls.model_fields if name in given})

    @classmethod
    def run(cls, given: Mapping[str, Any], **changes: Any) -> Scenario:
        """What all runs are asked alike; what is not given is as it is for a run. Whether they can run here is not asked.

        Raises:
            ParameterError: one sentence for each thing that is wrong.
        """
        return built(Scenario, {name: given[name] for name in cls.of_runs if name in given} | changes)

    @property
    def id(self) -> str:
        """Name of the folder; empty for a new one."""
        return str(getattr(self, f"{self.kind}_id"))

    @classmethod
    def check_plan(cls, plan: Mapping[str, Any]) -> None:
        """Refuses the plan of a study of another kind; those of sweeps do not say which.

        Raises:
            ParameterError: the folder holds something else.
        """
        if plan.get("kind", "sweep") != cls.kind:
            raise ParameterError(f"{cls.kind}_dir holds no {cls.called}: give the folder of one.")


def check_target(scenario: Scenario) -> None:
    """Refuses a target whose file says how many devices there are to a study that says so itself.

    Raises:
        ParameterError: that, or the target or class of devices cannot be measured as it is asked.
    """
    loaded = scenario.load_target()
    scenario.check_target(loaded)
    preflight.check_own_device(scenario)
    if loaded.target.devices.count is not None:
        raise ParameterError(
            f"{loaded.lines.at(('devices', 'count'))}: how many devices there are is what this varies: leave count out."
        )


def giving_way(given: Mapping[str, Any], usual_ms: Mapping[str, float]) -> dict[str, Any]:
    """The same parameters, where limits in ms that are as they usually are for `hello` give way to those of the target.

    Args:
        usual_ms: endpoint of hello -> its limit, as the notebook or the parameter file of the study has it.

    Raises:
        ParameterError: the target's file is not there, or not right.
    """
    target = str(given.get("target", HELLO))
    if target == HELLO:
        return dict(given)
    endpoints = loading.load(target).target.endpoints
    own = [name for name in usual_ms if name in endpoints and endpoints[name].slo.p99_ms]
    told = {name: given.get(f"slo_{name}_p99_ms") for name in own}
    return {**given, **{f"slo_{name}_p99_ms": 0.0 for name, value in told.items() if _is(value, usual_ms[name])}}


def _is(value: object, number: float) -> bool:
    try:
        return float(str(value)) == number
    except ValueError:
        return False


class Asked:
    """What a study is asked, checked. Each kind has its own, and its own way to read it back from a plan."""

    own: StudyParams

    params: ClassVar[type[StudyParams]]

    @property
    def plan(self) -> dict[str, Any]:
        """What must be the same for a study to be gone on with, and from which it can be shown again: no budget."""
        raise NotImplementedError

    @property
    def systems(self) -> tuple[str, ...]:
        """Those that are measured."""
        raise NotImplementedError

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks the parameters, and that all of it can be measured here.

        Raises:
            LabError: one sentence of what is wrong.
        """
        raise NotImplementedError

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier study was asked, which may have been on another machine.

        Args:
            now: the parameters of now, of which those that are no part of the plan are taken.
            records: target -> a record of it, so that its file need not be there any more.

        Raises:
            ParameterError: the plan is not that of a study of this kind.
        """
        raise NotImplementedError
