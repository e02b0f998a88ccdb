"""A stage of a search, measured with a line per cell in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from experiments.studies.capacity import text
from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.strategy import Stage
from experiments.studies.cells import CellProgress
from experiments.studies.study import CellStudy, over
from experiments.studies.text import goes_on

StageT = TypeVar("StageT", bound=Stage)


def measured(study: CellStudy[Asked], stage: StageT, say: Callable[[str], None]) -> StageT:
    """Measures a stage, or as much of it as the time allows.

    Args:
        say: takes a line when a cell is done, and one where the stage ended early.
    """

    def tell(progress: CellProgress) -> None:
        if progress.phase == "done" and progress.last:
            say(text.measured(progress.last, stage.why, study.asked, study.left_s))

    came = study.run(stage, tell)
    if not study.shown and (study.interrupted or over(came)):
        say(f"Ended before all was measured: {goes_on(study)}.")
    return stage
