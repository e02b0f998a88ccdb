"""A sweep as the notebook goes through it: asked, foretold, measured cell by cell, and shown."""

from __future__ import annotations

from datetime import UTC, datetime

from experiments.present.html import Markup
from experiments.present.live.cells import LiveCells
from experiments.present.pages.sweep import SweepPage
from experiments.present.tables.studies import sweep as tables
from experiments.studies.cells.session import OnCellProgress
from experiments.studies.facade import Facade
from experiments.studies.study import each
from experiments.studies.sweep import rows, text
from experiments.studies.sweep.params import Asked


class Sweep(Facade[Asked]):
    """What `sweep.ipynb` asks: parameters that are lists, or texts that say a list, are the axes."""

    asks = Asked

    def asked(self) -> Markup:
        """What will be measured: how many cells, how long that takes, and the load of each point."""
        own, planned = self.study.asked.own, self.study.asked.grid.cells
        seconds = self.study.length_s(one.cell for one in planned)
        points = [(one.at, one.cell.scenario) for one in planned if one.repeat == 1]
        estimate = tables.estimate(len(planned), self.study.asked.grid.repeats, seconds, own.max_hours, datetime.now(UTC))
        return (Markup("") if self.study.shown else estimate) + tables.loads(points)

    def measure(self, on_progress: OnCellProgress | None = None) -> SweepPage:
        """Measures every cell that has no whole record yet; an interrupt ends that, and what is there is shown.

        Raises:
            LabError: the folder belongs to another grid or process, or cannot be written.
        """
        study, asked = self.study, self.study.asked
        cells = [one.cell for one in asked.grid.cells]
        came = {one.cell.name: one for one in study.run(each(cells), on_progress or LiveCells(), expected=cells)}
        found = {cell.name: came.get(cell.name) or study.folder.outcome(cell) for cell in cells}
        return SweepPage(
            rows.measured(asked.grid, found),
            notes=text.notes(study),
            limits_ms={"status": asked.level.slo_status_p99_ms, "bulk": asked.level.slo_bulk_p99_ms},
            failure_pct=asked.level.slo_failure_pct,
            compare_to=study.compared_with(asked.own.compare_to),
            margin_pct=asked.own.margin_pct,
            strict=asked.own.strict,
            name=study.folder.path.name,
        )
