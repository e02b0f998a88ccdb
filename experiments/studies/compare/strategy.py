"""A comparison as it is measured: block by block in one folder, within a budget of time, and gone on with where it was.

A block is begun only if all of it would end in time, so what is there is whole blocks, each with every system. The three
clients come after the blocks, and then the searches for capacity, with what is left of the time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from experiments.errors import ParameterError
from experiments.parameters import listed
from experiments.present.live import to_log
from experiments.present.live_cells import LiveCells
from experiments.present.words import duration
from experiments.record import reading
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Cell, Cells, Outcome
from experiments.studies.cells.kept import Kept
from experiments.studies.cells.session import OnCellProgress, seconds_before
from experiments.studies.compare import capacities, three_clients
from experiments.studies.compare.blocks import blocks
from experiments.studies.compare.params import Asked
from experiments.studies.compare.runs import Comparison, Run, seen

_UNTIL_ENDED_H = 24.0 * 365
"""A block that has begun is ended, so no cell of it is asked whether it fits."""
_LEAST_H = 0.0001
"""The least that a search may be given; nothing fits into it."""


@dataclass(frozen=True)
class Outlook:
    """How long a comparison takes, foretold."""

    runs: int
    blocks_s: float
    """Seconds of all blocks."""
    clients_s: float
    """Seconds of the three clients."""
    capacities_s: float
    budget_s: float

    @property
    def seconds(self) -> float:
        return self.blocks_s + self.clients_s + self.capacities_s

    @property
    def fits(self) -> bool:
        return self.seconds <= self.budget_s


class Session:
    """The cells of one comparison, in one folder, within one budget of time."""

    def __init__(self, asked: Asked, *, shown: Path | None = None, cells_type: type[Cells] = Cells) -> None:
        """Chooses the folder; nothing is made yet.

        Args:
            shown: the folder of an earlier comparison, which is only looked at.
            cells_type: what measures cells; another one in tests.
        """
        self.asked = asked
        self.blocks = blocks(asked)
        self.clients = three_clients.plan(asked.of_clients, here=shown is None) if asked.own.three_clients else {}
        self._cells_type = Kept if shown else cells_type
        self.shown = shown is not None
        name = asked.own.compare_id or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-compare"
        parent = reading.results_dir(asked.base.results_dir)
        self.folder = shown or parent / name

    @property
    def outlook(self) -> Outlook:
        """How long all of it takes, said before any of it is measured."""
        own, planned = self.asked.own, [one.cell for block in self.blocks for one in block]

        def length(cells: Sequence[Cell]) -> float:
            return seconds_before(cells, own.cool_down_s)

        return Outlook(
            runs=len(planned),
            blocks_s=length(planned),
            clients_s=length(list(self.clients.values())),
            capacities_s=capacities.usual_s(self.asked, length(planned[:1])),
            budget_s=3600 * own.max_hours,
        )

    def measure(self, on_progress: OnCellProgress | None = None) -> Comparison:
        """Measures what has no whole record yet; an interrupt ends that, and what is there is shown.

        Raises:
            ParameterError: the folder belongs to another comparison or process, or not even the first block would end in
                time.
            RecordError: the folder cannot be written.
        """
        ends_at = time.monotonic() + 3600 * self.asked.own.max_hours
        came: dict[str, Outcome] = {}
        found: dict[str, Search] = {}
        cells = self._cells_type(
            self.folder,
            self.asked.plan,
            kind="compare",
            systems=self.asked.systems,
            cool_down_s=self.asked.own.cool_down_s,
            max_hours=_UNTIL_ENDED_H,
            on_progress=on_progress or LiveCells(),
        )
        with cells:
            try:
                cut = self._measure_blocks(cells, came, ends_at) or self._ask_by_others(cells, came, ends_at)
                cut = cut or self._search(found, ends_at)
            except KeyboardInterrupt:
                cut = "Interrupted"
            runs = [
                seen(one.system, one.role, one.series, one.block, came.get(one.cell.name) or cells.folder.outcome(one.cell))
                for block in self.blocks
                for one in block
            ]
            clients = {name: came.get(cell.name) or cells.folder.outcome(cell) for name, cell in self.clients.items()}
        left_out = f"{cut}; the same with compare_id={self.folder.name!r} goes on where it was." if cut else ""
        return Comparison(self.asked, self.folder, runs, found, clients, left_out or _missing(runs))

    def _measure_blocks(self, cells: Cells, came: dict[str, Outcome], ends_at: float) -> str:
        """Block by block. Returns what the time did not allow; empty if it allowed all."""
        cells.expect([*(one.cell for block in self.blocks for one in block), *self.clients.values()])
        for number, block in enumerate(self.blocks, 1):
            of_block = [one.cell for one in block]
            if why := self._too_long(cells, of_block, ends_at):
                return self._cut(number, why)
            for cell in of_block:
                came[cell.name] = cells.measure(cell)
        return ""

    def _ask_by_others(self, cells: Cells, came: dict[str, Outcome], ends_at: float) -> str:
        """The three clients. Returns what the time did not allow; empty if it allowed all."""
        asked = list(self.clients.values())
        if why := self._too_long(cells, asked, ends_at):
            return f"The three clients were not begun, since {why}{self._nor_searched}"
        for cell in asked:
            came[cell.name] = cells.measure(cell)
        return ""

    def _too_long(self, cells: Cells, wanted: Sequence[Cell], ends_at: float) -> str:
        """Why cells would not end in time, from those measured so far; empty if they would."""
        if self.shown:
            return ""
        missing = [cell for cell in wanted if not cells.folder.outcome(cell).done]
        needs_s = sum(cells.expected_s(cell) + self.asked.own.cool_down_s for cell in missing)
        left_s = ends_at - time.monotonic()
        if needs_s <= left_s:
            return ""
        return f"max_hours={self.asked.own.max_hours:g} leaves {duration(left_s)} and it takes {duration(needs_s)}"

    def _cut(self, number: int, why: str) -> str:
        if number == 1:
            raise ParameterError(
                f"not even the first block would end in time: {why}. Ask for fewer systems, shorter runs or more hours."
            )
        total = len(self.blocks)
        which = f"Block {number} of {total} was" if number == total else f"Blocks {number} to {total} were"
        clients = ", nor were the three clients asked" if self.clients else ""
        return f"{which} not begun, since {why}{clients}{self._nor_searched}"

    @property
    def _nor_searched(self) -> str:
        searched = self.asked.searched
        return f", nor was the capacity of {listed(searched)} searched" if searched else ""

    def _search(self, found: dict[str, Search], ends_at: float) -> str:
        """The capacity of one system after the other. Returns what the time did not allow; empty if it allowed all."""
        for number, system in enumerate(self.asked.searched):
            if self.shown:
                found[system] = capacities.shown(self.asked, system, self.folder)
                continue
            left_h = max(_LEAST_H, (ends_at - time.monotonic()) / 3600)
            question = capacities.question(self.asked, system, self.folder, left_h)
            found[system] = capacities.search(question, to_log, self._cells_type)
            # A search ends early where the time is up, or where it was interrupted: the next one is not begun either.
            if found[system].finding is None:
                return f"The search for the capacity of {listed(self.asked.searched[number:])} was not ended"
        return ""


def _missing(runs: Sequence[Run]) -> str:
    """What an earlier comparison lacks; a new one says by itself what it left out."""
    count = sum(run.outcome.status == "not measured" for run in runs)
    return f"{count} of {len(runs)} runs were not measured." if count else ""
