"""Cells measured in turn, each in a process of its own, and the end of all foretold."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.errors import ParameterError, RecordError
from experiments.measure.host import fingerprint
from experiments.measure.interrupts import undisturbed
from experiments.measure.processes import guard
from experiments.measure.processes.guarded import Guarded
from experiments.runner import wait_for
from experiments.studies.cells import execute
from experiments.studies.cells.cell import Cell, Outcome
from experiments.studies.cells.folder import Folder

NOTEBOOK = Path(__file__).resolve().parents[3] / "notebooks" / "run.ipynb"
"""What a cell executes."""

_LOOK_S = 0.2
_OVERTIME_S = 600.0
"""How long after warm-up, window and timeout a cell may take, before it counts as hung."""
_USUAL_OVERHEAD_S = 10.0
"""Start and end of a cell, until one has been measured. Source: cells of half a minute on two cores, 7 to 10 s."""
_OF_JUPYTER = ("JPY_SESSION_NAME", "JPY_PARENT_PID")
"""Variables by which a kernel knows who looks at it: nobody looks at a cell's."""


@dataclass(frozen=True)
class CellProgress:
    """One report, about every second."""

    cell: str
    phase: Literal["cooling down", "measuring", "done"]
    elapsed_s: float
    """In this phase of this cell."""
    expected_s: float
    """Length of this phase, as far as it can be foretold."""
    number: int
    """Of this cell, counted from 1 and with those that were done before."""
    total: int
    """Cells expected in all; see `Cells.expect`."""
    remaining_s: float
    """Until all of them are done."""
    last: Outcome | None
    """The cell before; with phase `done` this one."""


OnCellProgress = Callable[[CellProgress], None]


class Cells:
    """What measures the cells of a study, one at a time."""

    settle_s = guard.GRACE_S + guard.REAP_S + 1.0
    """How long what is left of a study that was killed may take to end; so long the next start waits."""

    def __init__(
        self,
        folder: Folder,
        *,
        cool_down_s: float = 5.0,
        on_progress: OnCellProgress = lambda progress: None,
        notebook: Path = NOTEBOOK,
    ) -> None:
        """Touches nothing yet.

        Args:
            folder: opened by the study for this process alone.
            cool_down_s: seconds between two cells.
            on_progress: called about every second while a cell is measured, and when it is done.

        Raises:
            ParameterError: there is nothing to execute.
        """
        if not notebook.is_file():
            raise ParameterError(f"{notebook} is not there: cells are measured from a checkout of the lab.")
        self.folder = folder
        self._cool_down_s = cool_down_s
        self._on_progress = on_progress
        self._notebook = notebook
        self._overheads: list[float] = []
        self._rest_until = 0.0
        self._expected: dict[str, Cell] = {}
        self._last: Outcome | None = None

    @staticmethod
    def found(folder: Folder, cell: Cell) -> Outcome:
        """What lies in a folder of a cell, whoever measured it."""
        return folder.outcome(cell)

    @staticmethod
    def left_out(cell: Cell) -> Outcome:
        """A cell for which there was no time."""
        return Outcome(cell, "not measured", "it would not end within max_hours; start again to go on")

    def expect(self, cells: Iterable[Cell]) -> None:
        """Says which cells will be measured, as far as is known, so that progress can tell when they will be done."""
        self._expected = {cell.name: cell for cell in cells}

    def expected_s(self, cell: Cell) -> float:
        """Seconds that a cell will take, from those measured so far; without the pause before it."""
        return cell.load_s + self._overhead_s

    def measure(self, cell: Cell) -> Outcome:
        """Measures a cell, unless its folder holds a whole record of an earlier start.

        Returns:
            What came of it: `done` or `failed`. What an earlier start left of it, if it does not count, is kept aside.

        Raises:
            RecordError: the folder cannot be written any more.
            KeyboardInterrupt: the experimenter interrupted; the cell is unfinished then, and nothing of it runs any more.
        """
        before = self.folder.outcome(cell)
        if before.done:
            return before
        if before.status == "unfinished":
            self._rest_until = max(self._rest_until, time.monotonic() + self.settle_s)
        try:
            outcome = wait_for(self._measure(cell, before))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        except OSError as error:
            raise RecordError(f"{self.folder.path} cannot be written ({error.strerror}): make room there.") from None
        self._last = outcome
        self._report(cell, "done", 0.0, 0.0)
        return outcome

    async def _measure(self, cell: Cell, before: Outcome) -> Outcome:
        if (pause_s := self._rest_until - time.monotonic()) > 0:
            await self._pass(cell, "cooling down", pause_s, lambda: False)
        place = self.folder.clear(cell, before.why)
        self._quote_certificate(place)
        self.folder.journal.add("begun", cell=cell.name)
        began = time.monotonic()
        try:
            await self._execute(cell, place)
        finally:
            took_s = time.monotonic() - began
            self._rest_until = time.monotonic() + self._cool_down_s
            outcome = self.folder.outcome(cell)
            facts = {"verdict": outcome.verdict} if outcome.done else {"why": outcome.why}
            self.folder.journal.add(outcome.status, cell=cell.name, seconds=round(took_s, 2), **facts)
        if outcome.done:
            self._overheads.append(took_s - cell.load_s)
        return outcome

    async def _execute(self, cell: Cell, place: Path) -> None:
        """Runs the cell's process to its end, or ends it with all that descends from it."""
        guarded = Guarded(self.command(cell, place), env=_environment() | cell.scenario.secrets, log_path=place / "run.log")

        def ended() -> bool:
            guarded.listen()
            return guarded.exit is not None or not guarded.watched

        in_time = False
        try:
            limit_s = cell.load_s + cell.scenario.timeout_s + _OVERTIME_S
            in_time = await self._pass(cell, "measuring", self.expected_s(cell), ended, limit_s)
        finally:
            exit_ = await undisturbed(guarded.end())
        end = "its process was lost" if exit_.code is None else f"its process ended with code {exit_.code}"
        how = end if in_time else f"it did not end within {limit_s:.0f} s"
        self.folder.tell_failure(cell, f"{how}; run.log may tell more")

    def command(self, cell: Cell, place: Path) -> list[str]:
        """The words that run a cell in a process of its own; passwords are none of them."""
        place = place.resolve()
        where = {"results_dir": str(place), "run_id": cell.name}
        asked = cell.scenario.model_dump(exclude_defaults=True, exclude={"run_dir", "strict", *where})
        return [
            *(sys.executable, "-P", execute.__file__),
            *(str(self._notebook), str(place), json.dumps(asked | where)),
        ]

    async def _pass(
        self,
        cell: Cell,
        phase: Literal["cooling down", "measuring"],
        expected_s: float,
        over: Callable[[], bool],
        limit_s: float | None = None,
    ) -> bool:
        """Lets time pass until it is over, or the limit is reached; reports about every second."""
        began = reported = time.monotonic()
        self._report(cell, phase, 0.0, expected_s)
        while not over():
            now = time.monotonic()
            if now - began >= (expected_s if limit_s is None else limit_s):
                return False
            if now - reported >= 1.0:
                reported = now
                self._report(cell, phase, now - began, expected_s)
            await asyncio.sleep(_LOOK_S)
        return True

    def _report(
        self, cell: Cell, phase: Literal["cooling down", "measuring", "done"], elapsed_s: float, expected_s: float
    ) -> None:
        names = list(self._expected)
        number = names.index(cell.name) if cell.name in self._expected else len(names)
        later = list(self._expected.values())[number + 1 :]
        rest_s = sum(self._cool_down_s + self.expected_s(one) for one in later)
        own_s = max(0.0, expected_s - elapsed_s) + (self.expected_s(cell) if phase == "cooling down" else 0.0)
        total = max(len(names), number + 1)
        self._on_progress(
            CellProgress(cell.name, phase, elapsed_s, expected_s, number + 1, total, own_s + rest_s, self._last)
        )

    @property
    def _overhead_s(self) -> float:
        return sum(self._overheads) / len(self._overheads) if self._overheads else _USUAL_OVERHEAD_S

    def _quote_certificate(self, place: Path) -> None:
        """The certificate of calibration lies beside the folder; a run looks for it beside its own record."""
        with suppress(OSError):
            shutil.copy(self.folder.path.parent / fingerprint.CERTIFICATE, place / fingerprint.CERTIFICATE)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OF_JUPYTER}


def seconds_before(cells: Iterable[Cell], cool_down_s: float) -> float:
    """How long these cells will take, foretold before any of them is measured."""
    return sum(cell.load_s + _USUAL_OVERHEAD_S + cool_down_s for cell in cells)
