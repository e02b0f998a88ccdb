"""Beyond what was searched: the scalability law through closed-loop cells and workers, and larger fleets.

Runs, findings and a model -> what the page shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.predict import fleet, usl
from experiments.predict.cell import Cell as Figures
from experiments.predict.forecast import Model
from experiments.present.chart import Chart
from experiments.present.charts.studies import capacity as charts
from experiments.present.html import Markup
from experiments.present.tables.studies import capacity as tables
from experiments.scenario import Scenario
from experiments.studies.capacity import rows
from experiments.studies.capacity import text as words
from experiments.studies.capacity.search import Finding
from experiments.studies.capacity.strategy import Run

_CURVE_POINTS = 60


def throughputs(runs: Sequence[Run]) -> list[tuple[int, float]]:
    """(devices, polls answered a second) of the cells that are evidence."""
    return [(run.clients, rate) for run in runs if (rate := rows.throughput(run)) is not None]


def scalability(points: Sequence[tuple[int, float]]) -> Chart | None:
    """Throughput over closed-loop devices, with the law where there is one; None without points."""
    law = usl.fit(points)
    curve: list[tuple[float, float]] = []
    if isinstance(law, usl.Law):
        most = max(n for n, _ in points)
        steps = (1 + (most - 1) * step / _CURVE_POINTS for step in range(_CURVE_POINTS + 1))
        curve = [(n, law.throughput(n)) for n in steps]
    return charts.scalability(points, curve, "devices that poll again at once")


def law(points: Sequence[tuple[int, float]], found: Mapping[int, Finding], device_per_s: float) -> Markup:
    """The coefficients over closed-loop devices and over workers, or why there are none.

    Args:
        found: workers -> finding.
        device_per_s: polls a second of one device of the search.
    """
    over = [(workers, one.clients * device_per_s) for workers, one in found.items() if one.how == "edge"]
    pairs = [
        *words.law("over closed-loop devices", usl.fit(points), device_per_s),
        *words.law("over workers", usl.fit(over)),
    ]
    return tables.facts(pairs, label="Universal Scalability Law")


def fleets(base: Scenario, model: Model, figures: Sequence[Figures]) -> Markup:
    """What 10,000 devices and more take that poll as the base scenario's do."""
    held = fleet.memory([(one.scenario.clients, one.server_rss_bytes) for one in figures if one.server_rss_bytes])
    cores = max((one.cores for one in figures), default=1)
    sizes = [fleet.extrapolate(base, size, model.server, model.generator, held, cores) for size in fleet.SIZES]
    return tables.fleet([rows.fleet(one) for one in sizes], fleet.ASSUMPTIONS)
