"""One study: many runs in one folder, measured as a strategy says, within a budget of time, gone on with or shown again.

What a study is asked and a strategy -> what came of each cell. The study owns id, folder, plan, journal, resume, interrupt,
budget and progress; which cell comes next is the strategy's alone, and it knows nothing but what came so far. So a study
that was killed goes on by being given what lies in its folder, and one that is shown again is the same without measuring.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from experiments.analyse.history.latest import LATEST, latest_study
from experiments.parameters import text
from experiments.record import reading
from experiments.record.collection import located
from experiments.studies.cells import Cell, Cells, Outcome
from experiments.studies.cells.conditions import conditions
from experiments.studies.cells.folder import Folder
from experiments.studies.cells.session import seconds_before
from experiments.studies.params import Asked

AskedT = TypeVar("AskedT", bound=Asked)
OtherT = TypeVar("OtherT", bound=Asked)
StepT = TypeVar("StepT")
CameT = TypeVar("CameT")
GivenT = TypeVar("GivenT", covariant=True)
SeenT = TypeVar("SeenT", contravariant=True)


class Strategy(Protocol[GivenT, SeenT]):
    """Decides what is measured next."""

    def next(self, came: Sequence[SeenT]) -> Sequence[GivenT]:
        """The cells to measure now, which are begun only if all of them would end in time; none when that is all.

        Args:
            came: what came of those before, in their order, with this strategy; `not measured` where the time was up.
        """
        ...


class Groups(Generic[StepT]):
    """Cells as they stand in a list; those of a group are measured together or not at all."""

    def __init__(self, groups: Iterable[Sequence[StepT]]) -> None:
        self._groups = list(groups)

    def next(self, came: Sequence[Any]) -> Sequence[StepT]:
        """The first group of which nothing came."""
        before = 0
        for group in self._groups:
            if before == len(came):
                return group
            before += len(group)
        return ()


def each(cells: Iterable[StepT]) -> Groups[StepT]:
    """One cell after the other, whatever becomes of those before."""
    return Groups([cell] for cell in cells)


def over(came: Sequence[Outcome]) -> bool:
    """Whether the last one was not measured to its end: then a strategy that goes by what it saw has nothing to go by."""
    return bool(came) and came[-1].status in ("not measured", "unfinished")


@dataclass(frozen=True)
class Late:
    """Why something was not begun."""

    left_s: float
    needs_s: float


class Study(Generic[AskedT, StepT, CameT]):
    """The folder and the time of one study. A step is a cell, and what came of it an outcome, unless its bench says else."""

    def __init__(self, asked: AskedT, *, shown: Path | None = None, bench: Any = None) -> None:
        """Chooses the folder; nothing is made yet, and the time runs from when the first cell is asked for.

        Args:
            shown: the folder of an earlier study, which is only looked at.
            bench: what measures steps, opened as `Cells` is; None for that.
        """
        self.asked = asked
        self.shown = shown is not None
        own = asked.own
        name = own.id or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{own.kind}"
        self.folder = Folder(shown or reading.results_dir(own.results_dir) / name)
        self.interrupted = False
        self.late: Late | None = None
        """Why cells that belong together were not begun; None while none were left out."""
        self._bench: Any = bench or Cells
        self._open: Any = None
        """The bench, once it is needed: it knows how long steps took, and when the last one ended, over all stages."""
        self._on_progress: Callable[[Any], None] = lambda progress: None
        self._ends_at: float | None = None

    @classmethod
    def of(cls, asks: type[AskedT], given: Mapping[str, Any], bench: Any = None) -> Self:
        """The study that parameters ask for: a new one, one to be gone on with, or an earlier one to be shown.

        Raises:
            LabError: a value is not allowed, or there is nothing at `<kind>_dir`.
        """
        name = f"{asks.params.kind}_dir"
        if not (place := text(name, given.get(name, ""))):
            return cls(asks.from_parameters(given), bench=bench)
        folder = Folder(located(place))
        plan = folder.plan()
        asks.params.check_plan(plan)
        return cls(asks.of_plan(plan, given, folder.by_target()), shown=folder.path, bench=bench)

    def within(self, name: str, asked: Callable[[], OtherT], kind: type[OtherT]) -> Study[OtherT, Cell, Outcome]:
        """A study of another kind in this one's folder, measured or shown as this one is.

        Args:
            name: of its folder.
            asked: what it is asked, where it is measured.
            kind: reads what it was asked, where it is shown.

        Raises:
            RecordError: this one is shown, and has no such study.
        """
        if not self.shown:
            return Study(asked(), bench=self._bench)
        place = Folder(self.folder.path / name)
        return Study(kind.of_plan(place.plan(), {}, place.by_target()), shown=place.path)

    def compared_with(self, compare_to: str) -> str:
        """The earlier study that `compare_to` means: of `latest` the newest that was planned alike here; empty for none."""
        if compare_to != LATEST:
            return compare_to
        found = latest_study(self.folder.path, self.asked.plan)
        return str(found) if found else ""

    @property
    def left_s(self) -> float:
        """Seconds of the budget that are left."""
        budget_s = 3600 * self.asked.own.max_hours
        return budget_s if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())

    def length_s(self, cells: Iterable[Cell]) -> float:
        """How long these cells will take, foretold before any of them is measured."""
        return seconds_before(cells, self.asked.own.cool_down_s)

    def found(self, step: StepT) -> CameT:
        """What lies there of a step."""
        came: CameT = self._bench.found(self.folder, step)
        return came

    def run(
        self,
        strategy: Strategy[StepT, CameT],
        on_progress: Callable[[Any], None] = lambda progress: None,
        *,
        expected: Iterable[StepT] = (),
    ) -> list[CameT]:
        """Measures what the strategy names and has no whole record yet, until it names nothing or somebody interrupts.

        Args:
            expected: cells that are likely to be asked for, so that progress can tell when all will be done.

        Returns:
            What came of each, in order. After an interrupt only what lies there is found any more.

        Raises:
            ParameterError: the folder belongs to another plan or process, was measured under something else, or cannot be
                written.
        """
        came: list[CameT] = []
        if self.shown:
            while cells := strategy.next(came):
                came += map(self.found, cells)
            return came
        if self._ends_at is None:
            self._ends_at = time.monotonic() + 3600 * self.asked.own.max_hours
        own = self.asked.own
        if self._open is None:
            self._open = self._bench(self.folder, cool_down_s=own.cool_down_s, on_progress=self._report)
        with self.folder.begin(self.asked.plan, conditions(self.asked.systems), kind=own.kind):
            self._on_progress = on_progress
            self._open.expect(expected)
            try:
                self._measure(self._open, strategy, came)
            except KeyboardInterrupt:
                self.interrupted, self._ends_at = True, 0.0
        return came

    def _measure(self, bench: Any, strategy: Strategy[StepT, CameT], came: list[CameT]) -> None:
        while steps := strategy.next(came):
            there = [bench.found(self.folder, step) for step in steps]
            late = self._late(bench, [step for step, one in zip(steps, there, strict=True) if not one.done])
            if late and len(steps) > 1:
                self.late = late
                return
            for step, one in zip(steps, there, strict=True):
                came.append(one if one.done else bench.left_out(step) if late else bench.measure(step))

    def _late(self, bench: Any, missing: Sequence[StepT]) -> Late | None:
        """Why steps that belong together would not end in time, from those measured so far; None if they would."""
        needs_s = sum(bench.expected_s(step) + self.asked.own.cool_down_s for step in missing)
        return Late(self.left_s, needs_s) if needs_s > self.left_s else None

    def _report(self, progress: Any) -> None:
        self._on_progress(progress)


CellStudy = Study[AskedT, Cell, Outcome]
"""One whose steps are runs of `run.ipynb`."""
