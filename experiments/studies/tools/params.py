"""What a test of tools is asked, checked: which tools, which answers, and under which load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from experiments.record.reading import Record
from experiments.studies import params
from experiments.studies.params import NO_RECORDS, Id, Names, StudyParams, number, whole
from experiments.studies.tools.attempt import Load
from experiments.studies.tools.catalogue import all_tools
from experiments.studies.tools.catalogue.tool import Tool
from server import catalogue


class Own(StudyParams):
    """All that is asked of a test of tools."""

    kind = "tools"
    called = "test of tools"

    tools: Names = Field((), description="tools to try, separated by commas; empty: all that are installed")
    answers: Names = Field(tuple(catalogue.FOR_TOOLS), description="answers to try them with; empty: all")
    clients: Annotated[int, whole(1, 100)] = Field(9, description="clients of each tool")
    interval_ms: Annotated[float, number(10, 10_000)] = Field(100.0, description="ms between two requests of a client")
    seconds: Annotated[float, number(3, 60)] = Field(4.0, description="seconds of each load; a stall begins after 1.5 s")
    lanes: Annotated[int, whole(1, 8)] = Field(2, description="answers that a tool is tried with at the same time")
    cool_down_s: Annotated[float, number(0, 3600)] = Field(0.0, description="seconds between two tools")
    binaries: Names = Field((), description="programs that no distribution has, like wrk2=/path/to/wrk2")
    tools_id: Id = Field("", description="name of the folder; that of an earlier start goes on with it")
    tools_dir: str = Field("", description="show this earlier test instead of measuring")

    @field_validator("answers")
    @classmethod
    def _known_answers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in catalogue.FOR_TOOLS]:
            raise ValueError(f"{unknown[0]!r} is none of the answers {', '.join(catalogue.FOR_TOOLS)}")
        return names or tuple(catalogue.FOR_TOOLS)

    @field_validator("binaries")
    @classmethod
    def _pairs(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        if bad := [pair for pair in pairs if not all(pair.partition("="))]:
            raise ValueError(f"{bad[0]!r} is no pair like wrk2=/path/to/wrk2")
        return pairs

    @model_validator(mode="after")
    def _known_tools(self) -> Self:
        known = self.all_tools
        if unknown := [name for name in self.tools if name not in known]:
            raise ValueError(f"tools={','.join(self.tools)!r}: {unknown[0]!r} is none of the tools {', '.join(known)}")
        return self

    @property
    def all_tools(self) -> dict[str, Tool]:
        """Every tool that there is, with the binaries that are named."""
        return all_tools(dict(pair.split("=", 1) for pair in self.binaries))


@dataclass(frozen=True)
class Asked(params.Asked):
    """A test of tools, checked."""

    own: Own

    params: ClassVar[type[StudyParams]] = Own

    @classmethod
    def from_parameters(cls, given: Mapping[str, Any]) -> Self:
        """Checks what is asked.

        Raises:
            ParameterError: a value is not allowed.
        """
        return cls(Own.of(given))

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], now: Mapping[str, Any], records: Mapping[str, Record] = NO_RECORDS) -> Self:
        """What an earlier test was asked."""
        return cls.from_parameters({**now, **{name: plan[name] for name in _PLANNED}})

    @property
    def plan(self) -> dict[str, Any]:
        """What is tried, and under which load; how many at a time may change, and where binaries lie."""
        return {"kind": Own.kind, **self.own.model_dump(include={*_PLANNED}, mode="json")}

    @property
    def systems(self) -> tuple[str, ...]:
        """The servers with known answers need nothing."""
        return ()

    @property
    def tools(self) -> list[Tool]:
        """Those that are to be tried, there or not."""
        known = self.own.all_tools
        return [known[name] for name in self.own.tools or known]

    @property
    def load(self) -> Load:
        """What all tools are asked."""
        return Load(self.own.clients, self.own.interval_ms / 1000, self.own.seconds)


_PLANNED = ("tools", "answers", "clients", "interval_ms", "seconds")
