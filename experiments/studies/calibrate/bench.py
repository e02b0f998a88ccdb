"""What measures the cases of a calibration, one at a time, in one folder: for them what `cells` is for runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from experiments.studies.calibrate import trial
from experiments.studies.calibrate.trial import Came, Case
from experiments.studies.cells.conditions import conditions
from experiments.studies.cells.folder import Folder

RUN_S = 13.0
"""A run of 8 s with warm-up, start and end: how long a case takes, until some have been tried."""


class Trials:
    """Cases of one folder. A context manager: it holds the folder for this process alone."""

    def __init__(
        self,
        folder: Path,
        plan: Mapping[str, Any],
        *,
        kind: str,
        systems: Iterable[str],
        cool_down_s: float,
        max_hours: float,
        on_progress: Callable[[Case], None],
    ) -> None:
        """Opens the folder, or makes it; arguments as of `Cells`.

        Args:
            on_progress: called when a case is begun.
        """
        self._folder = Folder(folder)
        self._lock = self._folder.begin(plan, conditions(systems), kind=kind)
        self._cool_down_s = cool_down_s
        self._ends_at = time.monotonic() + 3600 * max_hours
        self._on_progress = on_progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    @staticmethod
    def found(folder: Folder, case: Case) -> Came:
        """What lies in a folder of a case."""
        return trial.found(folder.path, case)

    def expect(self, cases: object) -> None:
        """Who counts them was told how many there are."""

    def expected_s(self, case: Case) -> float:
        """Seconds that a case will take, about."""
        return RUN_S

    def measure(self, case: Case, *, in_time: bool = False) -> Came:
        """Tries a case, unless it was tried before; nothing comes of one that would not end in time."""
        before = trial.found(self._folder.path, case)
        if before.done or not (in_time or time.monotonic() + RUN_S <= self._ends_at):
            return before
        self._on_progress(case)
        self._folder.journal.add("begun", case=case.name)
        came = trial.attempted(case, self._folder.path)
        trial.keep(self._folder.path, came)
        self._folder.journal.add("done", case=case.name, ok=all(one.ok is not False for one in came.trials))
        time.sleep(self._cool_down_s)
        return came
