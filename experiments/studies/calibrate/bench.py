"""What measures the cases of a calibration, one at a time, in one folder: for them what `cells` is for runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from experiments.studies.calibrate import trial
from experiments.studies.calibrate.trial import Came, Case
from experiments.studies.cells.folder import Folder

RUN_S = 13.0
"""A run of 8 s with warm-up, start and end: how long a case takes, until some have been tried."""


class Trials:
    """Cases of one folder."""

    def __init__(self, folder: Folder, *, cool_down_s: float, on_progress: Callable[[Case], None]) -> None:
        """Touches nothing yet; arguments as of `Cells`.

        Args:
            on_progress: called when a case is begun.
        """
        self._folder = folder
        self._cool_down_s = cool_down_s
        self._on_progress = on_progress

    @staticmethod
    def found(folder: Folder, case: Case) -> Came:
        """What lies in a folder of a case."""
        return trial.found(folder.path, case)

    def expect(self, cases: object) -> None:
        """Who counts them was told how many there are."""

    def expected_s(self, case: Case) -> float:
        """Seconds that a case will take, about."""
        return RUN_S

    @staticmethod
    def left_out(case: Case) -> Came:
        """Nothing comes of a case for which there was no time."""
        return Came(case)

    def measure(self, case: Case) -> Came:
        """Tries a case, unless it was tried before."""
        place = self._folder.path
        if (before := trial.found(place, case)).done:
            return before
        self._on_progress(case)
        self._folder.journal.add("begun", case=case.name)
        came = trial.attempted(case, place)
        trial.keep(place, came)
        self._folder.journal.add("done", case=case.name, ok=all(one.ok is not False for one in came.trials))
        time.sleep(self._cool_down_s)
        return came
