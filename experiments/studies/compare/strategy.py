"""What a comparison measures, in which order, and how long that takes: duets, block by block, then the three clients.

A block is begun only if all of it would end in time, so what is there is whole blocks, each with every system. The searches
for capacity come last, with what is left of the time: see `capacities`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from experiments.studies.cells import Cell
from experiments.studies.compare import three_clients
from experiments.studies.compare.blocks import Planned, blocks, duets
from experiments.studies.compare.params import Asked
from experiments.studies.study import CellStudy, Groups, each

_USUAL_CELLS = 15
"""Source: 300 simulated searches for edges from 1,500 to 16,000 devices: 14.6 in the mean, eight in ten 13 to 16."""


@dataclass(frozen=True)
class Estimate:
    """How long a comparison takes, foretold."""

    runs: int
    duets_s: float
    """Seconds of all duets."""
    blocks_s: float
    """Seconds of all blocks."""
    clients_s: float
    """Seconds of the three clients."""
    capacities_s: float
    budget_s: float

    @property
    def seconds(self) -> float:
        return self.duets_s + self.blocks_s + self.clients_s + self.capacities_s

    @property
    def fits(self) -> bool:
        return self.seconds <= self.budget_s


@dataclass(frozen=True)
class Course:
    """All cells of a comparison but for the searches."""

    study: CellStudy[Asked]

    @cached_property
    def duets(self) -> list[Planned]:
        """In the order in which they are measured, before all else."""
        return duets(self.study.asked)

    @cached_property
    def blocks(self) -> list[list[Planned]]:
        """In the order in which they are measured."""
        return blocks(self.study.asked)

    @cached_property
    def clients(self) -> dict[str, Cell]:
        """Client -> its cell; of an earlier comparison also those that this machine cannot have."""
        asked = self.study.asked
        return three_clients.plan(asked.of_clients, here=not self.study.shown) if asked.asks_clients else {}

    @property
    def strategies(self) -> tuple[Groups[Cell], ...]:
        """One for the duets, one for the blocks, one for the three clients."""
        of_blocks = Groups([one.cell for one in block] for block in self.blocks)
        return each(one.cell for one in self.duets), of_blocks, Groups([[*self.clients.values()]])

    @property
    def cells(self) -> list[Cell]:
        """All of them."""
        return [*(one.cell for one in self.duets), *self._of_blocks, *self.clients.values()]

    @property
    def _of_blocks(self) -> list[Cell]:
        return [one.cell for block in self.blocks for one in block]

    @property
    def _alone(self) -> list[Cell]:
        """A run of one system, as a search has them."""
        asked = self.study.asked
        return [Cell("alone", asked.at(asked.reference, asked.first, 1))]

    @property
    def estimate(self) -> Estimate:
        """How long all of it takes, said before any of it is measured."""
        study, planned = self.study, self._of_blocks
        return Estimate(
            runs=len(self.duets) + len(planned),
            duets_s=study.length_s(one.cell for one in self.duets),
            blocks_s=study.length_s(planned),
            clients_s=study.length_s(self.clients.values()),
            capacities_s=_USUAL_CELLS * study.length_s(self._alone) * len(study.asked.searched),
            budget_s=3600 * study.asked.own.max_hours,
        )
