"""A comparison as its notebook goes through it: asked, foretold, measured, and shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress

from experiments.errors import ParameterError, RecordError
from experiments.present.html import Markup
from experiments.present.live.cells import LiveCells
from experiments.present.live.run import to_log
from experiments.present.tables import scenario as question
from experiments.present.tables.studies import capacity as tables
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Cell, Outcome
from experiments.studies.cells.session import OnCellProgress
from experiments.studies.compare import capacities, text
from experiments.studies.compare.params import Asked
from experiments.studies.compare.runs import Comparison, seen
from experiments.studies.compare.sections import ComparePage
from experiments.studies.compare.strategy import Course
from experiments.studies.facade import Facade
from experiments.studies.study import CellStudy
from experiments.studies.text import late


class Compare(Facade[Asked]):
    """What `compare.ipynb` asks."""

    asks = Asked

    def asked(self) -> Markup:
        """What will be measured, in which order, and how long that takes."""
        pairs = text.question(Course(self.study))
        return tables.facts(pairs, label="the comparison") + question.parameters(self.study.asked.common)

    def measure(self, on_progress: OnCellProgress | None = None) -> ComparePage:
        """Measures what has no whole record yet; an interrupt ends that, and what is there is shown.

        Raises:
            ParameterError: the folder belongs to another comparison or process, or not even one block would end in time.
            RecordError: the folder cannot be written.
        """
        return ComparePage(measured(self.study, on_progress or LiveCells()))


def measured(study: CellStudy[Asked], on_progress: OnCellProgress, say: Callable[[str], None] = to_log) -> Comparison:
    """Duets, block by block, then the three clients, then the searches for capacity, as far as the time allows.

    Args:
        say: takes a line for each cell of a search.

    Raises:
        ParameterError: as `Compare.measure`.
    """
    course, came = Course(study), dict[str, Outcome]()
    for strategy in course.strategies:
        if not (study.late or study.interrupted):
            came |= {one.cell.name: one for one in study.run(strategy, on_progress, expected=course.cells)}
    if study.late and not came:
        raise ParameterError(
            f"not even the first block would end in time: {late(study)}. Ask for fewer systems, shorter runs or more hours."
        )
    searches = _searches(study, say)

    def found(cell: Cell) -> Outcome:
        return came.get(cell.name) or study.folder.outcome(cell)

    planned = [*course.duets, *(one for block in course.blocks for one in block)]
    runs = [seen(one.system, one.role, one.series, one.block, found(one.cell)) for one in planned]
    clients = {name: found(cell) for name, cell in course.clients.items()}
    left_out = text.missing(runs) if study.shown else text.cut(course, came, searches)
    return Comparison(study.asked, study.folder.path, runs, searches, clients, left_out)


def _searches(study: CellStudy[Asked], say: Callable[[str], None]) -> dict[str, Search]:
    """System -> the search for its capacity, one after the other; none is begun after one that was not ended."""
    found: dict[str, Search] = {}
    for system in study.asked.searched:
        if study.late or study.interrupted or any(one.finding is None for one in found.values() if not study.shown):
            break
        # One that an earlier comparison did not begin is not there to be shown.
        with suppress(RecordError) if study.shown else nullcontext():
            found[system] = capacities.search(study, system, say)
    return found
