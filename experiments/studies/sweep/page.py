"""A sweep as the notebook goes through it: asked, foretold, measured cell by cell, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from experiments.analyse.points import Measured
from experiments.errors import ParameterError
from experiments.parameters import built, check_names, injected_names
from experiments.present.live_cells import LiveCells
from experiments.present.markup import Markup
from experiments.present.sweep_page import SweepPage
from experiments.present.tables import sweep as tables
from experiments.record import reading
from experiments.record.collection import located
from experiments.runner import check_databases, check_earlier
from experiments.scenario import Scenario
from experiments.studies.cells import Cells, Outcome
from experiments.studies.cells.folder import Folder
from experiments.studies.cells.session import OnCellProgress, seconds_before
from experiments.studies.sweep.grid import AXES, SERVICE_LEVEL, Grid, Planned

OWN = ("repeats", "shuffle_seed", "cool_down_s", "max_hours", "results_dir", "sweep_id", "sweep_dir")
"""What is asked of a sweep and not of its cells."""
JUDGED = ("compare_to", "margin_pct", "strict")
"""What is asked of the whole, by names that a run has too."""
PARAMETERS = (*AXES, *OWN, *JUDGED)


class Sweep:
    """What `sweep.ipynb` asks."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        repeats: int = 1,
        shuffle_seed: int = 1,
        cool_down_s: float = 5.0,
        max_hours: float = 12.0,
        results_dir: str = "",
        sweep_id: str = "",
        sweep_dir: str = "",
        compare_to: str = "",
        margin_pct: float = 10.0,
        strict: bool = False,
    ) -> None:
        """Checks everything that is asked; nothing is started or written.

        Args:
            parameters: parameters of a run; those that are lists, or texts that say a list, are the axes.
            repeats: how often every point is measured.
            shuffle_seed: chooses the order.
            cool_down_s: seconds between two cells.
            max_hours: no cell is begun that would not end within so many hours.
            results_dir: where the folder of the sweep is; empty for the project's `results/`.
            sweep_id: name of the folder; that of an earlier start goes on with it; empty for time and grid.
            sweep_dir: show this earlier sweep instead of measuring.

        Raises:
            ParameterError: a value is not allowed, or a cell cannot work on this machine.
            RecordError: there is nothing at `sweep_dir` or `compare_to`.
        """
        judged = {"compare_to": compare_to, "margin_pct": margin_pct, "strict": strict, "run_id": str(sweep_id)}
        self._judged = built(Scenario, judged)
        self.cool_down_s = _number("cool_down_s", cool_down_s, 3600)
        self.max_hours = _number("max_hours", max_hours, 24 * 365)
        self._shown = Folder(located(sweep_dir)) if sweep_dir else None
        if self._shown:
            self.grid = Grid.of_plan(self._shown.plan())
        else:
            self.grid = Grid.of(parameters, repeats=_whole(repeats), shuffle_seed=_whole(shuffle_seed))
            self.grid.check_machine()
            check_databases(one.cell.scenario for one in self.grid.cells)
            check_earlier(compare_to, strict=self._judged.strict)
        self._limits = built(Scenario, {name: parameters[name] for name in SERVICE_LEVEL if name in parameters})
        results = reading.results_dir(results_dir)
        self.folder = self._shown.path if self._shown else results / (str(sweep_id) or self._new_id())

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: a value is not allowed, or papermill injected a name that is no parameter.
        """
        check_names(injected_names(namespace), PARAMETERS)
        own = {name: namespace[name] for name in (*OWN, *JUDGED)}
        return cls({name: namespace[name] for name in AXES}, **own)

    def asked(self) -> Markup:
        """What will be measured: how many cells, how long that takes, and the load of each point."""
        planned = self.grid.cells
        seconds = seconds_before((one.cell for one in planned), self.cool_down_s)
        points = [(one.at, one.cell.scenario) for one in planned if one.repeat == 1]
        outlook = tables.outlook(len(planned), self.grid.repeats, seconds, self.max_hours, datetime.now(UTC))
        return outlook + tables.loads(points)

    def measure(self, on_progress: OnCellProgress | None = None) -> SweepPage:
        """Measures every cell that has no whole record yet; an interrupt ends that, and what is there is shown.

        Raises:
            LabError: the folder belongs to another grid or process, or cannot be written.
        """
        planned = self.grid.cells
        if self._shown:
            return self._page([(one, self._shown.outcome(one.cell)) for one in planned], ["Nothing was measured now."])
        came: dict[str, Outcome] = {}
        notes = []
        with Cells(
            self.folder,
            self.grid.plan(),
            kind="sweep",
            systems=self.grid.systems,
            cool_down_s=self.cool_down_s,
            max_hours=self.max_hours,
            on_progress=on_progress or LiveCells(),
        ) as cells:
            cells.expect(one.cell for one in planned)
            try:
                for one in planned:
                    came[one.cell.name] = cells.measure(one.cell)
            except KeyboardInterrupt:
                notes.append(f"Interrupted; the same with sweep_id {self.folder.name!r} goes on where it was.")
            found = [(one, came.get(one.cell.name) or cells.folder.outcome(one.cell)) for one in planned]
        return self._page(found, notes)

    def _page(self, came: list[tuple[Planned, Outcome]], notes: list[str]) -> SweepPage:
        if any(one.cell.scenario.pacing == "after" for one, _ in came):
            notes.append(
                "Closed loop (pacing after): a slow server is asked less often. Compare such cells with their like."
            )
        place = {tuple(point.values()): number for number, point in enumerate(self.grid.points)}
        ordered = sorted(came, key=lambda one: (place[tuple(one[0].at.values())], one[0].repeat))
        return SweepPage(
            [_measured(self.folder, planned, outcome) for planned, outcome in ordered],
            notes=[f"Sweep {self.folder.name}: {len(came)} cells in {len(self.grid.points)} points.", *notes],
            limits_ms={"status": self._limits.slo_status_p99_ms, "bulk": self._limits.slo_bulk_p99_ms},
            failure_pct=self._limits.slo_failure_pct,
            compare_to=self._judged.compare_to,
            margin_pct=self._judged.margin_pct,
            strict=self._judged.strict,
        )

    def _new_id(self) -> str:
        return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-sweep"


def _measured(folder: Path, planned: Planned, outcome: Outcome) -> Measured:
    verdict = outcome.summary["verdict"] if outcome.summary else None
    why = outcome.why if verdict is None else _worst_checks(verdict)
    report = outcome.report.resolve().relative_to(folder.resolve()).as_posix() if outcome.report else ""
    state = outcome.verdict or outcome.status
    return Measured(planned.cell.name, planned.at, planned.repeat, state, why, outcome.record, report)


def _worst_checks(verdict: Mapping[str, Any]) -> str:
    """The checks that made the verdict what it is; none where it is valid. The cell's own report explains them."""
    if verdict["status"] == "valid":
        return ""
    return ", ".join(check["name"].replace("_", " ") for check in verdict["checks"] if check["status"] == verdict["status"])


def _number(name: str, value: object, most: float) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= most:
        raise ParameterError(f"{name}={value!r}: a number from 0 to {most:,g} is needed.")
    return number


def _whole(value: object) -> Any:
    """A text that says a whole number is taken for it; what is none is refused by the grid."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value
