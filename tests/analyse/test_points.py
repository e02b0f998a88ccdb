"""Points of a sweep: percentiles of the rows of all repeats together, and nothing from a run that may not be believed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse import latency
from experiments.analyse.points import Measured, cells_table, figures, points
from experiments.analyse.polls import prepare
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from experiments.runner import summarise
from experiments.scenario import Scenario
from tests.support.made_up import Answer, Costs, failing, ideal, made_up

ASKED = Scenario(clients=40, interval_ms=250, minutes=0.3, warmup_s=0.5)
NO_LIMITS = {"status": 0.0, "bulk": 0.0}


def measured(record: Record | None, *, repeat: int = 1, state: str = "valid", clients: int = 40) -> Measured:
    at = {"clients": clients, "interval_ms": 250.0}
    return Measured(f"c{clients}_{repeat}", at, repeat, state, "", record, "")


def record(tmp_path: Path, name: str, **how: Any) -> Record:
    return summarise(made_up(tmp_path, ASKED.model_copy(update={"run_id": name}), **how))


def exact(records: Sequence[Record], endpoint: str, percent: float) -> float:
    """The order statistic of all rows together, in ms, counted out."""
    values = sorted(v for one in records for v in latency.population(prepare(one), endpoint))
    return 1000 * values[latency.nearest_rank(len(values), percent) - 1]


def test_a_percentile_of_a_point_is_that_of_all_rows_together(tmp_path: Path) -> None:
    """Of a quick and a slow repeat it is neither the mean of the two nor either of them."""
    both = [record(tmp_path, "quick", server=ideal(0.001)), record(tmp_path, "slow", server=ideal(0.01, seed=2))]
    (point,) = points([measured(one, repeat=number) for number, one in enumerate(both, 1)], NO_LIMITS)
    for endpoint in ("status", "bulk"):
        for percent in (50, 95):
            wanted = exact(both, endpoint, percent)
            assert point.response_ms[endpoint][f"p{percent}"] == pytest.approx(wanted, abs=1e-9)
    alone = [exact([one], "status", 95) for one in both]
    assert point.response_ms["status"]["p95"] not in (*alone, sum(alone) / 2)
    assert point.planned == {"status": 2 * 40 * 72, "bulk": sum(len(prepare(r).filter(endpoint="bulk")) for r in both)}


def test_repeats_together_support_what_each_alone_does_not(tmp_path: Path) -> None:
    """Percentiles stay null where too few polls lie beyond them."""
    both = [record(tmp_path, name, server=ideal(seed=seed)) for seed, name in enumerate(("a", "b"))]
    alone, together = (
        points([measured(one, repeat=n) for n, one in enumerate(some)], NO_LIMITS)[0] for some in (both[:1], both)
    )
    supported = [
        {name: value is not None for name, value in point.response_ms["bulk"].items()} for point in (alone, together)
    ]
    assert supported == [{"p50": True, "p95": True, "p99": False}] * 2
    assert alone.curves["bulk"]["tail"][-1] < together.curves["bulk"]["tail"][-1]


def test_a_repeat_that_may_not_be_believed_is_left_out(tmp_path: Path) -> None:
    """It is named, and no figure of it is used."""
    good, bad = record(tmp_path, "good"), record(tmp_path, "bad", server=ideal(1.0))
    (point,) = points([measured(good), measured(bad, repeat=2, state="invalid")], NO_LIMITS)
    assert point.states == ("valid", "invalid")
    assert point.measured
    assert point.response_ms["status"]["p50"] == pytest.approx(exact([good], "status", 50))


@pytest.mark.parametrize("state", ["invalid", "failed", "not measured", "unfinished", "damaged"])
def test_a_point_without_a_believable_run_has_no_figure(tmp_path: Path, state: str) -> None:
    """A record that is invalid adds nothing, and every figure is empty or null."""
    kept = record(tmp_path, "bad") if state == "invalid" else None
    (point,) = points([measured(kept, state=state)], NO_LIMITS)
    assert not point.measured
    assert (point.response_ms, point.failed_pct, point.within_pct, point.curves) == ({}, {}, {}, {})
    assert set(point.server.values()) == {None}


def test_polls_within_the_service_level_are_counted_from_all_that_were_planned(tmp_path: Path) -> None:
    """A poll that failed fast is not within it."""
    one = record(tmp_path, "a", server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    (point,) = points([measured(one)], {"status": 1000.0, "bulk": 0.0})
    rows = prepare(one).filter(endpoint="status")
    failed = 100 * len(rows.filter(pl.col("outcome") != "ok")) / len(rows)
    assert 20 < failed < 30
    assert point.failed_pct["status"] == pytest.approx(failed)
    assert point.within_pct == {"status": pytest.approx(100 - failed), "bulk": None}


def test_a_point_keeps_its_level_by_all_its_polls(tmp_path: Path) -> None:
    """Failures count, unless so many are allowed; where polls never had an answer its percentiles are bounds."""
    one = record(tmp_path, "a", server=failing(Outcome.HTTP_ERROR, every=4, status=503))
    limits = {"status": 1000.0, "bulk": 0.0}
    met = [points([measured(one)], limits, failure_pct=pct)[0].levels["status"]["met"] for pct in (100.0, 0.1, 30.0)]
    assert met == [False, False, True]
    silent = record(tmp_path, "b", server=lambda poll: Answer(1e9))
    (point,) = points([measured(silent)], limits)
    assert point.longer["status"] >= {"p50", "p95"}
    assert point.repeats["status_p50_ms"] == ()
    frame = cells_table([measured(silent), measured(one, repeat=2)])
    assert frame["status_p50_censored"].to_list() == [True, False]


def test_costs_are_means_over_repeats_and_memory_is_the_highest(tmp_path: Path) -> None:
    """Processor time is no percentile: a mean is what it means."""
    both = [record(tmp_path, name, costs=Costs(server=cores)) for name, cores in (("a", 0.2), ("b", 0.4))]
    (point,) = points([measured(one, repeat=n) for n, one in enumerate(both)], NO_LIMITS)
    assert point.server["cores"] == pytest.approx(0.3, abs=0.001)
    assert point.repeats["server_cores"] == pytest.approx([0.2, 0.4], abs=0.001)
    assert point.server["rss_bytes"] == max(one.summary()["server"]["rss_peak_bytes"] for one in both)


def test_every_cell_has_a_row_also_without_a_record(tmp_path: Path) -> None:
    """Its figures are those of its own summary, or null."""
    one = record(tmp_path, "a")
    frame = cells_table(
        [measured(one), measured(None, repeat=2, state="failed"), measured(None, clients=80, state="failed")]
    )
    assert frame.select("clients", "repeat", "state").rows() == [(40, 1, "valid"), (40, 2, "failed"), (80, 1, "failed")]
    assert frame["status_p95_ms"][0] == one.summary()["endpoints"]["status"]["response_ms"]["p95"]
    columns = [*figures(("status", "bulk")), "planned", "failed_pct"]
    assert frame.select(columns)[1:].null_count().sum_horizontal().item() == 2 * len(columns)


def test_points_come_in_the_order_of_the_cells(tmp_path: Path) -> None:
    """Where repeats are mixed, the first cell of a point gives its place."""
    found = points([measured(None, clients=n, repeat=r, state="failed") for r in (2, 1) for n in (80, 40)], NO_LIMITS)
    assert [(point.at["clients"], len(point.states)) for point in found] == [(80, 2), (40, 2)]
