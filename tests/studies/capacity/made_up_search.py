"""A capacity search over made-up cells: servers that hold so many devices and no more, and take no time to say so."""

from pathlib import Path
from typing import Any

from experiments.studies.capacity.params import Asked
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Cell
from experiments.studies.study import CellStudy, Study
from tests.studies.cells.made_up_cells import MadeUpCells, leave_record
from tests.support.made_up import Answer, Costs

GIVEN: dict[str, Any] = {
    "server": "falcon",
    "interval_ms": 50,
    "minutes": 1 / 60,
    "ratio": "1:0",
    "status_bytes": 100,
    "bulk_bytes": 204_800,
    "warmup_s": 0.1,
    "phase": "random",
    "pacing": "fixed",
    "keep_alive": True,
    "timeout_s": 5,
    "engine": "httpx",
    "generators": 1,
    "seed": 1,
    "sample_ms": 50,
    "workload": "static",
    "database_url": "",
    "db_delay_ms": 0,
    "db_connections": 8,
    "results_dir": "",
    "slo_status_p99_ms": 20,
    "slo_bulk_p99_ms": 0,
    "slo_failure_pct": 1,
    "slo_devices_pct": 0,
    "workers": "1",
    "smallest": 60,
    "largest": 1000,
    "step_pct": 10,
    "confirmations": 2,
    "suspect_counts": True,
    "closed_loop": "",
    "capacity_id": "search",
    "cool_down_s": 0,
    "max_hours": 1,
    "compare_to": "",
    "margin_pct": 10,
    "strict": False,
}
"""The parameters of the notebook, for a search whose cells last a second."""


class Made(MadeUpCells):
    """Up to `edge` devices a worker are answered at once, more of them late; nothing is seen from `inconclusive` devices on.

    Every other run costs the server `slow_by` times as much.
    """

    edge, inconclusive, stop_after, slow_by = 100, 10_000, 10_000, 1.0
    measured: list[str]

    async def _execute(self, cell: Cell, place: Path) -> None:
        if len(type(self).measured) >= self.stop_after:
            raise KeyboardInterrupt
        type(self).measured.append(cell.name)
        clients, workers = cell.scenario.clients, cell.scenario.workers
        late = clients > self.edge * workers
        # 100 us per poll and 50 us a sleep, as far as one core goes.
        rate = 20.0 * clients / workers
        load = min(0.99, rate * 150e-6 / (1 + rate * 50e-6) * 100 / self.edge * 5)
        generator = 0.99 if clients >= self.inconclusive else 0.3 * load
        server = (lambda poll: Answer(0.04)) if late else None
        used = load * workers * (self.slow_by if len(type(self).measured) % 2 else 1.0)
        leave_record(cell, place, server=server, costs=Costs(server=used, generator=generator))


def made(**changes: Any) -> type[Made]:
    """A kind of server of its own."""
    return type("MadeHere", (Made,), {"measured": [], **changes})


def study(folder: Path, kind: type[Made], **given: Any) -> CellStudy[Asked]:
    """A search in this folder."""
    return Study(Asked.from_parameters(GIVEN | {"results_dir": str(folder)} | given), bench=kind)


def searched(folder: Path, kind: type[Made], **given: Any) -> Search:
    """The same, with one worker, as far as it came."""
    one = study(folder, kind, **given)
    search = Search(one.asked, 1)
    one.run(search)
    return search
