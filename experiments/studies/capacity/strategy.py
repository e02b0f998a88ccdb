"""A capacity search as its notebook goes through it: what light cells foretell, a held-out cell, then the search itself.

Knows the order of things and the folder in which they lie. What comes next is decided in `light` and `search` from what was
seen alone, so a search that was killed goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.predict.cell import Cell as Figures
from experiments.predict.cell import read
from experiments.record import reading
from experiments.studies.capacity import light
from experiments.studies.capacity.evidence import Evidence, evidence
from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.search import Finding, Shown, next_step
from experiments.studies.cells import Cell, Cells, Outcome
from experiments.studies.cells.kept import Kept

Say = Callable[[str], None]
"""Takes a line of progress."""


@dataclass(frozen=True)
class Run:
    """One cell, and what it shows."""

    cell: Cell
    outcome: Outcome
    shows: Evidence

    @property
    def clients(self) -> int:
        return self.cell.scenario.clients


@dataclass
class Search:
    """The search for one number of workers, so far."""

    workers: int
    runs: list[Run] = field(default_factory=list)
    finding: Finding | None = None
    """None while the search is not done, because the time was up or it was interrupted."""

    @property
    def seen(self) -> dict[int, list[Shown]]:
        """What each level showed, by devices."""
        seen: dict[int, list[Shown]] = {}
        for run in self.runs:
            seen.setdefault(run.clients, []).append(run.shows.shown)
        return seen

    def at(self, clients: int) -> list[Run]:
        """The runs with so many devices."""
        return [run for run in self.runs if run.clients == clients]


class Session:
    """The cells of one search, in one folder, within one budget of time."""

    def __init__(
        self,
        asked: Asked,
        say: Say = lambda line: None,
        cells_type: type[Cells] = Cells,
        *,
        shown: Path | None = None,
    ) -> None:
        """Chooses the folder; nothing is made yet.

        Args:
            say: takes a line of progress, at the end of each cell.
            cells_type: what measures cells; another one in tests.
            shown: the folder of an earlier search, which is only looked at.
        """
        self.asked = asked
        self.shown = shown is not None
        self._say, self._cells_type = say, Kept if shown else cells_type
        name = asked.capacity_id or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-capacity"
        parent = reading.results_dir(asked.base.results_dir)
        self.folder = shown or parent / name
        self._ends_at = time.monotonic() + 3600 * asked.max_hours
        self._figures: dict[str, Figures | None] = {}

    # -- cells -------------------------------------------------------------------------------------

    def light_cells(self, workers: int) -> list[Run]:
        """Measures the light cells that a forecast is learnt from; fewer where the time is up."""
        with self._cells() as cells:
            return list(self._light(cells, workers))

    def _light(self, cells: Cells, workers: int) -> Iterator[Run]:
        smallest = max(1, self.asked.rules.smallest // 2)
        seen: dict[int, list[float]] = {}
        while (wanted := light.next_light(seen, smallest, self.asked.rules.largest)) is not None:
            run = self._measure(cells, self._cell(workers, wanted.clients, wanted.number))
            if run is None:
                return
            figures = self.figures(run)
            seen.setdefault(wanted.clients, []).append(figures.load if figures else 0.0)
            yield run
        mix = light.other_mix(self.asked.at(smallest, workers).plan)
        if mix is not None and seen:
            ratio, clients = mix
            run = self._measure(cells, self._cell(workers, clients, 1, ratio=ratio))
            if run is not None:
                yield run

    def repeats(self, workers: int, clients: int, number: int) -> list[Run]:
        """Measures one load several times; fewer where the time is up."""
        with self._cells() as cells:
            runs = (self._measure(cells, self._cell(workers, clients, repeat)) for repeat in range(1, number + 1))
            return [run for run in runs if run is not None]

    def search(self, workers: int) -> Search:
        """Searches the edge, or as far as the time allows."""
        search = Search(workers)
        with self._cells() as cells:
            while True:
                step = next_step(search.seen, self.asked.rules)
                if isinstance(step, Finding):
                    search.finding = step
                    return search
                number = 1 + len(search.at(step.clients))
                run = self._measure(cells, self._cell(workers, step.clients, number), step.why)
                if run is None:
                    return search
                search.runs.append(run)

    def closed_loop(self) -> list[Run]:
        """Measures how throughput grows with devices that poll again as soon as they are answered."""
        if not self.asked.closed_loop:
            return []
        with self._cells() as cells:
            runs = []
            for clients in self.asked.closed_loop:
                cell = self._cell(self.asked.workers[0], clients, 1, pacing="after", interval_ms=1, phase="spread")
                if (run := self._measure(cells, cell, "closed loop")) is None:
                    break
                runs.append(run)
            return runs

    def figures(self, run: Run) -> Figures | None:
        """What predictions rest on; None for a cell that is no evidence of anything."""
        record = run.outcome.record
        if run.cell.name not in self._figures:
            self._figures[run.cell.name] = read(record) if record is not None and run.outcome.believed else None
        return self._figures[run.cell.name]

    # -- one cell ----------------------------------------------------------------------------------

    def _cells(self) -> Cells:
        return self._cells_type(
            self.folder,
            self.asked.plan,
            kind="capacity",
            systems=(self.asked.base.server,),
            cool_down_s=self.asked.cool_down_s,
            max_hours=max(0.0, self._ends_at - time.monotonic()) / 3600,
        )

    def _cell(self, workers: int, clients: int, number: int, **changes: Any) -> Cell:
        """The cell of a load; repeats have phases of their own."""
        scenario = self.asked.at(clients, workers, seed=self.asked.base.seed + number - 1, **changes)
        words = [f"{workers}-workers", f"{clients}-devices", *(f"{value}".replace(":", "-") for value in changes.values())]
        return Cell("_".join([*words, str(number)]), scenario)

    def _measure(self, cells: Cells, cell: Cell, why: str = "light load") -> Run | None:
        """Measures a cell, or finds it measured; None where the time is up or it was interrupted."""
        fresh = not cells.folder.outcome(cell).done
        try:
            outcome = cells.measure(cell)
        except KeyboardInterrupt:
            self._ends_at = 0.0  # Whoever interrupts one stage does not want the next one.
            outcome = cells.folder.outcome(cell)
        if outcome.status in ("not measured", "unfinished"):
            if not self.shown:
                self._say(f"Ended before {cell.name}; start again with capacity_id={self.folder.name!r} to go on.")
            return None
        shows = evidence(outcome, suspect_counts=self.asked.suspect_counts)
        if fresh:
            left = max(0.0, self._ends_at - time.monotonic())
            self._say(f"{why}: {cell.name}: {_words(outcome, shows, why)}; {left / 60:.0f} min of time left at most")
        return Run(cell, outcome, shows)


def _words(outcome: Outcome, shows: Evidence, why: str) -> str:
    if outcome.summary is None:
        return f"{outcome.status}: {outcome.why}"
    if why in ("light load", "closed loop"):
        return str(outcome.verdict)
    shown = {"held": "held", "missed": "missed", "blind": "no evidence"}[shows.shown]
    return f"{outcome.verdict}, {shown}" + (f" ({shows.why})" if shows.why else "")
