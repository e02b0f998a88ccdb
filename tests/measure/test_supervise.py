"""Several generators, one run: their reports are added up, and their polls are those of one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import experiments as lab
from experiments.measure import supervise
from experiments.measure.generators.shard import Report
from experiments.measure.precheck import Precheck
from experiments.measure.run_state import RunState
from experiments.progress import Progress
from tests.faults.harm import assert_all_answered, assert_all_planned, scenario
from tests.support.plan_of import assert_as_planned


def reported(run_path: Path, *reports: Report | None) -> Progress:
    """What is said of generators that reported this."""
    heard: list[Progress] = []
    asked = lab.Scenario(clients=10, interval_ms=100, minutes=0.5, ratio="10:0", warmup_s=1)
    run = RunState(asked, run_path, heard.append, "", [Precheck(asked.load_target(), asked.parts.load)])
    generators: list[Any] = [SimpleNamespace(report=report) for report in reports]
    supervise.report(run, "measuring", generators, SimpleNamespace(cores=lambda group: len(group)))  # type: ignore[arg-type]
    return heard[0]


def test_progress_is_that_of_all_generators_together(tmp_path: Path) -> None:
    """Counts and rates are sums; of percentiles, which cannot be added, the worst is shown."""
    first = Report(5, 3, 1, 1, response_p50_ms=0.5, response_p99_ms=None, polls_per_s=2.0, problem=None)
    second = Report(50, 30, 10, 10, response_p50_ms=0.4, response_p99_ms=9.0, polls_per_s=20.0, problem=None)
    progress = reported(tmp_path, first, None, second)
    assert (progress.sent, progress.ok, progress.failed, progress.in_flight, progress.polls_per_s) == (55, 33, 11, 11, 22.0)
    assert (progress.response_p50_ms, progress.response_p99_ms) == (0.5, 9.0)
    assert (progress.planned, progress.total_s) == (3000, 31.0)


def test_progress_before_any_report_is_nothing_yet(tmp_path: Path) -> None:
    """Generators on other machines need a moment until the first word."""
    progress = reported(tmp_path, None, None)
    assert (progress.sent, progress.polls_per_s, progress.response_p50_ms) == (0, 0, None)


@pytest.mark.slow
@pytest.mark.parametrize("generators", [1, 2, 4])
def test_polls_do_not_depend_on_the_number_of_generators(tmp_path: Path, generators: int) -> None:
    """Each poll of the plan is there once, due when the plan says; each device in the shard that it belongs to."""
    record = lab.run(scenario(tmp_path, generators=generators, minutes=2 / 60))
    assert_as_planned(record)
    assert_all_planned(record)
    assert_all_answered(record)
    instances = record.facts["generator"]["instances"]
    assert [item["instance"] for item in instances] == list(range(generators))
    assert len({item["pid"] for item in instances}) == generators
    assert [item["rows"] for item in instances] == [
        record.requests().filter(record.requests()["client"] % generators == instance).height
        for instance in range(generators)
    ]
