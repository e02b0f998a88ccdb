"""What a capacity search measures next: light cells, repeats of one load, the search itself, closed-loop cells.

Each is a strategy for a study: it goes by what it saw alone, so a search that was killed goes on where it was. The decisions
are made in `light` and `search`, which are pure; here they are put into cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from experiments.predict.cell import Cell as Figures
from experiments.predict.cell import read
from experiments.studies.capacity import light
from experiments.studies.capacity.evidence import Evidence, evidence
from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.search import Finding, Shown, next_step
from experiments.studies.cells import Cell, Outcome
from experiments.studies.study import over


@dataclass(frozen=True)
class Run:
    """What came of one cell, and what it shows."""

    outcome: Outcome
    shows: Evidence

    @property
    def cell(self) -> Cell:
        return self.outcome.cell

    @property
    def clients(self) -> int:
        return self.cell.scenario.clients

    @cached_property
    def figures(self) -> Figures | None:
        """What predictions rest on; None for a cell that is no evidence of anything."""
        record = self.outcome.record
        return read(record) if record is not None and self.outcome.believed else None


class Stage:
    """Cells of one kind, with so many workers."""

    why = "light load"
    """What the next one is for."""

    def __init__(self, asked: Asked, workers: int) -> None:
        self.asked, self.workers = asked, workers
        self.runs: list[Run] = []
        """Those that were measured to their end."""

    def next(self, came: Sequence[Outcome]) -> Sequence[Cell]:
        """The next cell; none when that is all, or when the one before was not measured to its end."""
        ended = over(came)
        whole = came[len(self.runs) : len(came) - ended]
        self.runs += [Run(one, evidence(one, suspect_counts=self.asked.own.suspect_counts)) for one in whole]
        found = None if ended else self._next()
        return [] if found is None else [found]

    def at(self, clients: int) -> list[Run]:
        """The runs with so many devices."""
        return [run for run in self.runs if run.clients == clients]

    def _next(self) -> Cell | None:
        raise NotImplementedError

    def _cell(self, clients: int, number: int, **changes: Any) -> Cell:
        """The cell of a load; repeats have phases of their own."""
        scenario = self.asked.at(clients, self.workers, seed=self.asked.base.seed + number - 1, **changes)
        told = (f"{value}".replace(":", "-") for value in changes.values())
        words = [f"{self.workers}-workers", f"{clients}-devices", *told, str(number)]
        return Cell("_".join(words), scenario)


class Light(Stage):
    """The light cells that a forecast is learnt from."""

    def _next(self) -> Cell | None:
        rules, ratio = self.asked.rules, self.asked.base.ratio
        smallest = max(1, rules.smallest // 2)
        seen: dict[int, list[float]] = {}
        for run in self.runs:
            if run.cell.scenario.ratio == ratio:
                seen.setdefault(run.clients, []).append(run.figures.load if run.figures else 0.0)
        if (wanted := light.next_light(seen, smallest, rules.largest)) is not None:
            return self._cell(wanted.clients, wanted.number)
        mix = light.other_mix(self.asked.at(smallest, self.workers).plan)
        if mix is None or not seen or self.runs[-1].cell.scenario.ratio != ratio:
            return None
        return self._cell(mix[1], 1, ratio=mix[0])


class Repeats(Stage):
    """One load, several times."""

    def __init__(self, asked: Asked, workers: int, clients: int, number: int) -> None:
        super().__init__(asked, workers)
        self._clients, self._number = clients, number

    def _next(self) -> Cell | None:
        number = len(self.runs) + 1
        return self._cell(self._clients, number) if number <= self._number else None


class Search(Stage):
    """The search for the edge, as far as it came."""

    finding: Finding | None = None
    """None while the search is not done, because the time was up or it was interrupted."""

    @property
    def seen(self) -> dict[int, list[Shown]]:
        """What each level showed, by devices."""
        seen: dict[int, list[Shown]] = {}
        for run in self.runs:
            seen.setdefault(run.clients, []).append(run.shows.shown)
        return seen

    def _next(self) -> Cell | None:
        step = next_step(self.seen, self.asked.rules)
        if isinstance(step, Finding):
            self.finding = step
            return None
        self.why = step.why
        return self._cell(step.clients, 1 + len(self.at(step.clients)))

    def at_limit(self) -> Figures | None:
        """The cell that shows what was at its limit: of those that missed next above the answer, the middle one."""
        above = self.finding.above if self.finding else None
        missed = [run.figures for run in self.at(above or 0) if run.shows.shown == "fail"]
        found = sorted((one for one in missed if one is not None), key=lambda one: one.load)
        return found[len(found) // 2] if found else None


class ClosedLoop(Stage):
    """How throughput grows with devices that poll again as soon as they are answered."""

    why = "closed loop"

    def _next(self) -> Cell | None:
        left = self.asked.own.closed_loop[len(self.runs) :]
        return self._cell(left[0], 1, pacing="after", interval_ms=1, phase="spread") if left else None
