"""The derived times of a poll, and which polls belong to the measured window."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from experiments.analyse.checks.planned import due_s, polls_before, polls_of_rounds
from experiments.analyse.polls import arrange, prepare
from experiments.scenario import Scenario
from experiments.schedule import TICK_S, Phase, Plan
from tests.support.made_up import Answer, late, made_up, stalling


def test_response_is_waiting_and_lag_and_latency(tmp_path: Path) -> None:
    """The parts of a response add up to it, poll by poll."""
    polls = prepare(made_up(tmp_path, server=stalling(5, 3), lag=late(0.002)))
    parts = polls["wait_s"] + polls["lag_s"] + polls["latency_s"]
    assert (parts - polls["response_s"]).abs().max() < TICK_S
    assert polls["wait_s"].max() == pytest.approx(2.75, abs=0.3)
    assert polls["lag_s"].min() == pytest.approx(0.002, abs=2 * TICK_S)


def test_unsent_polls_have_a_response_and_no_latency(tmp_path: Path) -> None:
    """What was never sent has waited from its due time until the window closed."""
    polls = prepare(made_up(tmp_path, server=stalling(20, 100)))
    unsent = polls.filter(pl.col("outcome") == "unsent_busy")
    assert len(unsent) > 1000
    assert unsent["latency_s"].null_count() == unsent["lag_s"].null_count() == unsent["wait_s"].null_count() == len(unsent)
    assert (unsent["response_s"] - (30 - unsent["due_s"])).abs().max() == 0


@pytest.mark.parametrize("ratio", ["10:1", "1:10", "3:2", "1:1", "10:0", "0:1"])
@pytest.mark.parametrize("phase", ["random", "spread", "together"])
def test_the_window_holds_the_planned_polls(tmp_path: Path, ratio: str, phase: Phase) -> None:
    """What `prepare` keeps of a run is the plan's own count, for both endpoints."""
    scenario = Scenario(clients=7, interval_ms=330, minutes=0.1, warmup_s=1, ratio=ratio, phase=phase)
    polls = prepare(made_up(tmp_path, scenario))
    planned = [scenario.plan.planned(client) for client in range(7)]
    for endpoint in ("status", "bulk"):
        assert polls["endpoint"].cast(pl.String).eq(endpoint).sum() == sum(one[endpoint] for one in planned)


def test_the_second_of_a_round_belongs_to_the_window_of_the_first(tmp_path: Path) -> None:
    """A poll due after the window's start whose round began before it is warm-up."""
    scenario = Scenario(clients=1, interval_ms=1000, minutes=0.1, warmup_s=0.001, ratio="1:1", phase="together")
    rows = arrange(made_up(tmp_path, scenario, server=lambda poll: Answer(0.1)))
    crossing = rows.filter(pl.col("round") == 1)
    assert crossing["due_s"].to_list()[1] > 0
    assert crossing["first_due_s"].max() < 0
    assert crossing["second"].to_list() == [False, True]
    assert prepare(made_up(tmp_path / "again", scenario))["round"].min() == 2


def by_walking(plan: Plan, until_s: float) -> set[tuple[int, int, str, float]]:
    """The planned polls, device by device and round by round."""
    return {
        (client, round_, endpoint, plan.due(client, clock, round_))
        for client in range(plan.clients)
        for clock in plan.clocks
        for round_ in plan.measured_rounds(client, clock, until_s)
        for endpoint in plan.named(client, clock, round_)
    }


@pytest.mark.parametrize("weights", [(10, 1), (1, 10), (10, 3), (2, 2), (1, 0), (0, 1)])
@pytest.mark.parametrize("phase", ["random", "spread", "together"])
@pytest.mark.parametrize(("until_s", "jitter_s"), [(20.0, 0.0), (7.3, 0.2), (0.0, 0.0)])
def test_the_planned_columns_are_the_plan(weights: tuple[int, int], phase: Phase, until_s: float, jitter_s: float) -> None:
    """Worked out by columns or by walking through the rounds, it is the same, to the last bit of each due time."""
    plan = Plan.of_ratio(9, 0.37, *weights, phase=phase, pacing="fixed", seed=3, warmup_s=2.0, window_s=20.0)
    plan = replace(plan, jitter_s=jitter_s)
    (clock,) = plan.clocks
    rounds = [plan.measured_rounds(client, clock, until_s) for client in range(9)]
    starts, stops = [one.start for one in rounds], [one.stop for one in rounds]
    table = polls_of_rounds(plan, clock, starts, stops, range(9))
    walked = by_walking(plan, until_s)
    assert set(table.select("client", "round", "endpoint", due_s(plan, clock).alias("due_s")).iter_rows()) == walked
    assert len(table) == len(walked)
    counts = [polls_before(plan, clock, client, stops[client]) - polls_before(plan, clock, client, starts[client])
              for client in range(9)]  # fmt: skip
    assert sum(counts) == len(walked)
