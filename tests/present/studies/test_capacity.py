"""Tables and charts of a capacity search, from plain rows."""

from typing import Any

import pytest

from experiments.present.chart import Chart
from experiments.present.charts.studies import capacity as charts
from experiments.present.tables.studies import capacity as tables


def run(clients: int, shown: str, p99: float | None) -> dict[str, Any]:
    return {"clients": clients, "shown": shown, "status": p99, "bulk": None}


RUNS = [run(100, "pass", 2.0), run(200, "pass", 9.0), run(400, "fail", 900.0), run(400, "inconclusive", 700.0)]
FORETOLD = [run(100, "", 2.1), run(300, "", 50.0)]
LIMITS = {"status": 50.0, "bulk": 0.0}


def edge(runs: list[dict[str, Any]], limits: dict[str, float] = LIMITS) -> Chart | None:
    return charts.edge(runs, limits, FORETOLD, 200, 1)


def test_the_chart_of_the_edge_tells_apart_what_held_missed_and_is_no_evidence() -> None:
    """Each has a name, marker and colour of its own; limit and forecast are lines."""
    chart = edge(RUNS)
    assert chart is not None
    traces = {trace["name"]: trace for trace in chart.content()["data"]}
    assert list(traces) == ["pass", "fail", "inconclusive", "foretold", "limit 50 ms"]
    marks = [traces[name]["marker"] for name in ("pass", "fail", "inconclusive")]
    assert len({mark["symbol"] for mark in marks}) == len({mark["color"] for mark in marks}) == 3
    layout = chart.content()["layout"]
    assert chart.finding.startswith("1 worker held 200 devices; ")
    assert layout["yaxis"]["title"]["text"] == "response p99, ms"
    assert layout["xaxis"]["title"]["text"] == "devices"
    assert "200, the most that held" in chart.caption


def test_no_empty_panel_is_drawn() -> None:
    """An endpoint without a p99 has none; without any there is no chart."""
    chart = edge(RUNS, {"status": 50.0, "bulk": 100.0})
    assert chart is not None
    assert "yaxis2" not in chart.content()["layout"]
    assert edge([run(100, "pass", None)]) is None


def test_the_law_is_drawn_only_where_there_is_one() -> None:
    """Marks alone, marks and curve, or nothing at all."""
    points = [(1, 100.0), (2, 190.0)]
    alone, both = charts.scalability(points, [], "workers"), charts.scalability(points, [(1.0, 100.0)], "workers")
    assert alone is not None
    assert both is not None
    assert [trace["name"] for trace in alone.content()["data"]] == ["measured"]
    assert [trace["name"] for trace in both.content()["data"]] == ["measured", "law"]
    assert charts.scalability([], [], "workers") is None


@pytest.mark.parametrize(("miss", "kept"), [(14.9, "yes"), (-15.1, "no"), (None, "–")])
def test_a_miss_is_held_against_its_target(miss: float | None, kept: str) -> None:
    """Too high and too low alike."""
    row = {"what": "devices", "foretold": 1.0, "measured": 1.0, "range": (1.0, 1.0), "miss_pct": miss, "target_pct": 15}
    assert repr(tables.held_against([row], label="x")).splitlines()[-1].split()[-1] == kept


def test_every_run_of_a_level_leads_to_its_report() -> None:
    """Where there is one; suspect runs are counted."""
    row: dict[str, Any] = {"clients": 1840, "runs": [("pass", "cells/a/report.html"), ("inconclusive", None)], "suspect": 1}
    row |= {"p99_ms": {"status": (1.0, 2.0), "bulk": None}, "longer": set()}
    row |= {"devices_pct": (100.0, 100.0), "server_pct": None, "why": "<late>"}
    shown = tables.levels([row])
    assert '<a href="cells/a/report.html">pass</a>' in shown.content
    assert "inconclusive" in shown.content
    assert "(1 suspect)" in shown.content
    assert "1.00 – 2.00" in shown.content
    assert "&lt;late&gt;" in shown.content
    assert "No load" in tables.levels([]).content


def test_a_fleet_has_its_assumptions_beside_it() -> None:
    """Ranges with both ends, and every sentence."""
    row = {
        "clients": 1_000_000,
        "polls_per_s": 2.2e6,
        "gbit_per_s": 3500.0,
        "server_cores": (300.0, 600.0),
        "memory_bytes": None,
        "generator_cores": (200.0, 200.0),
        "generator_machines": (100, 100),
        "generator_addresses": 36,
    }
    shown = repr(tables.fleet([row], ["Cores add up."]))
    assert "1,000,000  2,200,000  3,500  300 – 600  –  200  100  36" in shown
    assert "Cores add up." in shown
