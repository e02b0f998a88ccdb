"""A study that asks nothing of its own, over cells that are made up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from experiments.studies.params import Asked, Id, StudyParams
from experiments.studies.study import CellStudy, Study


class Own(StudyParams):
    """As of a sweep."""

    kind = "sweep"
    called = "sweep"

    sweep_id: Id = Field("", description="name of the folder")


@dataclass(frozen=True)
class Question(Asked):
    """Always the same."""

    own: Own
    measured: tuple[str, ...] = ()

    @property
    def plan(self) -> dict[str, Any]:
        return {"clients": [5]}

    @property
    def systems(self) -> tuple[str, ...]:
        return self.measured


def study(folder: Path, bench: Any, *, systems: tuple[str, ...] = (), **own: Any) -> CellStudy[Question]:
    """A study in this folder."""
    asked = Own.of({"results_dir": str(folder.parent), "sweep_id": folder.name, "cool_down_s": 0, **own})
    return Study(Question(asked, systems), bench=bench)
