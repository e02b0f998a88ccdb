"""What a calibration is asked, checked: how much of it, for which engines, and what part 4 is to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator

from experiments.parameters import built
from experiments.record.reading import Record
from experiments.scenario import Scenario
from experiments.studies import params
from experiments.studies.calibrate.cost.part import LOADS, PEERS, SECONDS, CostPart
from experiments.studies.params import NO_RECORDS, Id, Names, StudyParams, number


def _variant(value: object) -> object:
    if value not in ("quick", "full"):
        raise ValueError("allowed are 'quick' and 'full'")
    return value


class Own(StudyParams):
    """All that is asked of a calibration."""

    kind = "calibration"
    called = "calibration"

    variant: Annotated[Literal["quick", "full"], BeforeValidator(_variant)] = Field(description="six programs, or all")
    engines: Names = Field(description="engines to try, separated by commas")
    pacings: Names = Field(description="pacings to try, separated by commas")
    honest_runs: int = Field(ge=1, description="how often the default load is measured; corrupted copies are made of it")
    cost_rounds: int = Field(0, description="rounds in which everybody is measured once in part 4; 0: skipped")
    cost_seconds: float = Field(SECONDS, description="seconds of each measurement of part 4")
    cost_peers: str = Field(PEERS, description="tools to compare with, separated by commas")
    cost_loads: str = Field(LOADS, description="what is asked of whom")
    wrk2: str = Field("", description="path of a wrk2 binary; empty: none")
    cool_down_s: Annotated[float, number(0, 3600)] = Field(0.0, description="seconds between two trials")
    calibration_id: Id = Field("", description="name of the folder; that of an earlier start goes on with it")
    calibration_dir: str = Field("", description="show this earlier calibration instead of measuring")

    @field_validator("engines", "pacings")
    @classmethod
    def _known(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        if "threads" in names:
            raise ValueError("threads is the author's client, measured and not relied on")
        for name in names:
            built(Scenario, {info.field_name.removesuffix("s"): name})
        return names


@dataclass(frozen=True)
class Asked(params.Asked):
    """A calibration, checked."""

    own: Own
    cost: CostPart

    params: ClassVar[type[StudyParams]] = Own

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks what is asked.

        Raises:
            ParameterError: a value is not allowed.
        """
        own = Own.of(given)
        peers, loads, binaries = own.cost_peers, own.cost_loads, f"wrk2={own.wrk2}" if own.wrk2 else ""
        cost = CostPart(
            rounds=own.cost_rounds, seconds=own.cost_seconds, peers=peers, loads=loads, binaries=binaries
        )
        return cls(own, cost)

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier calibration was asked."""
        return cls.from_parameters({**now, **{name: plan[name] for name in _PLANNED}})

    @property
    def plan(self) -> dict[str, Any]:
        """What is tried; part 4 has a folder of its own."""
        return {"kind": Own.kind, **self.own.model_dump(include={*_PLANNED}, mode="json")}

    @property
    def systems(self) -> tuple[str, ...]:
        """The one that positive and negative controls are of; servers with known answers need nothing."""
        return ("falcon",)


_PLANNED = ("variant", "engines", "pacings", "honest_runs")
