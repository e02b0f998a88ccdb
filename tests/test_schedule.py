"""The schedule is arithmetic: tables, and properties over many plans."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.schedule import TICK_S, Plan

PLAN = Plan(
    clients=500,
    interval_s=0.5,
    status_weight=10,
    bulk_weight=1,
    phase="together",
    pacing="fixed",
    seed=1,
    warmup_s=5.0,
    window_s=600.0,
)

plans = st.builds(
    Plan,
    clients=st.integers(1, 50),
    interval_s=st.floats(0.001, 10),
    status_weight=st.integers(0, 12),
    bulk_weight=st.integers(1, 12),
    phase=st.sampled_from(["random", "spread", "together"]),
    pacing=st.just("fixed"),
    seed=st.integers(0, 2**63 - 1),
    warmup_s=st.floats(0, 20),
    window_s=st.floats(0.01, 60),
)


@pytest.mark.parametrize(
    ("status", "bulk", "rounds_with_both"),
    [
        (10, 1, [10, 20, 30]),
        (10, 3, [4, 7, 10, 14, 17, 20, 24, 27, 30]),
        (1, 10, [10, 20, 30]),
        (2, 1, list(range(2, 31, 2))),
        (1, 1, list(range(1, 31))),
        (20, 2, [10, 20, 30]),
        (10, 0, []),
        (0, 1, []),
    ],
)
def test_the_rarer_endpoint_joins_in_the_rounds_that_keep_the_ratio(
    status: int, bulk: int, rounds_with_both: list[int]
) -> None:
    """10:1 puts B into every tenth round, 10:3 into rounds 4, 7, 10 and so on."""
    plan = replace(PLAN, status_weight=status, bulk_weight=bulk)
    assert [r for r in range(1, 31) if len(plan.endpoints(0, r)) == 2] == rounds_with_both


@pytest.mark.parametrize(
    ("status", "bulk", "alone"), [(10, 1, "status"), (1, 1, "status"), (1, 10, "bulk"), (10, 0, "status"), (0, 1, "bulk")]
)
def test_the_endpoint_named_more_often_is_polled_in_every_round(status: int, bulk: int, alone: str) -> None:
    """The primary endpoint is the one with the larger weight, A where both are equal."""
    plan = replace(PLAN, status_weight=status, bulk_weight=bulk)
    assert plan.primary == alone
    assert all(alone in plan.endpoints(3, r) for r in range(1, 40))


def test_where_a_round_has_both_the_status_poll_goes_first() -> None:
    """A before B, also where B is the more frequent one."""
    for status, bulk in ((10, 1), (1, 10)):
        assert replace(PLAN, status_weight=status, bulk_weight=bulk).endpoints(0, 10) == ("status", "bulk")


def test_rounds_are_an_interval_apart_from_the_start_of_the_warm_up() -> None:
    """Round 1 begins with the warm-up, and the measured window begins at zero."""
    assert [PLAN.due(7, r) for r in (1, 2, 11, 12)] == [-5.0, -4.5, 0.0, 0.5]
    assert PLAN.measured_rounds(7) == range(11, 1211)


def test_together_starts_every_device_at_the_same_instant() -> None:
    """As after a power cut, 500 devices share one first due time and one place in the cycle."""
    assert {(PLAN.first_due(c), PLAN.cycle_start(c)) for c in range(500)} == {(-5.0, 0)}


def test_spread_places_devices_evenly_in_interval_and_cycle() -> None:
    """500 devices over 500 ms are a millisecond apart, and a tenth of them asks for B in each round."""
    plan = replace(PLAN, phase="spread")
    assert [plan.offset(c) for c in (0, 1, 499)] == pytest.approx([0.0, 0.001, 0.499])
    assert sum(plan.joins(c, 1) for c in range(500)) == 50


def test_random_phases_fill_the_interval_and_the_cycle() -> None:
    """No quarter of the interval and no place of the cycle is left empty or crowded."""
    plan = replace(PLAN, phase="random")
    quarters = [int(plan.offset(c) / plan.interval_s * 4) for c in range(500)]
    assert all(90 <= quarters.count(q) <= 160 for q in range(4))
    assert all(25 <= [plan.cycle_start(c) for c in range(500)].count(k) <= 80 for k in range(10))


def test_the_seed_chooses_the_random_phases() -> None:
    """The same seed gives the same phases, another seed others."""
    phases = [[replace(PLAN, phase="random", seed=seed).offset(c) for c in range(20)] for seed in (1, 1, 2)]
    assert phases[0] == phases[1] != phases[2]


def test_random_phases_are_what_they_were_when_older_records_were_made() -> None:
    """Golden values: a change here would make every old record disagree with its plan."""
    plan = replace(PLAN, phase="random")
    assert [(plan.due(c, 1), plan.cycle_start(c)) for c in (0, 1, 499)] == GOLDEN


GOLDEN = [(-4.522148132324219, 7), (-4.585655689239502, 8), (-4.615683317184448, 8)]


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_shards_share_the_devices_out_completely(count: int) -> None:
    """Every device is in exactly one shard, whatever the number of generators."""
    plan = replace(PLAN, clients=23)
    assert sorted(c for i in range(count) for c in plan.shard(i, count)) == list(range(23))


@given(plans)
@settings(max_examples=200, deadline=None)
def test_counts_in_closed_form_are_those_of_walking_through_the_rounds(plan: Plan) -> None:
    """`planned` and `measured_rounds` agree with going from round to round."""
    client = plan.clients - 1
    counts = {"status": 0, "bulk": 0}
    round_ = 1
    while (due := plan.due(client, round_)) < plan.window_s and round_ < 3000:
        if due >= 0:
            for endpoint in plan.endpoints(client, round_):
                counts[endpoint] += 1
        round_ += 1
    if round_ < 3000:
        assert plan.planned(client) == counts


@given(plans, st.integers(1, 10_000))
@settings(max_examples=200, deadline=None)
def test_every_cycle_keeps_the_exact_ratio(plan: Plan, first: int) -> None:
    """Any run of whole cycles holds the endpoints in exactly the proportion that was asked for."""
    rounds = range(first, first + plan.cycle_rounds)
    asked = [endpoint for r in rounds for endpoint in plan.endpoints(0, r)]
    assert asked.count("status") * plan.bulk_weight == asked.count("bulk") * plan.status_weight


@given(plans, st.integers(1, 100_000))
@settings(max_examples=100, deadline=None)
def test_instants_are_whole_ticks_near_the_exact_ones(plan: Plan, round_: int) -> None:
    """A due time is the exact one, rounded to the record's resolution."""
    due = plan.due(0, round_)
    exact = Fraction(plan.first_due(0)) + (round_ - 1) * Fraction(plan.interval_s)
    assert due / TICK_S == int(due / TICK_S)
    assert abs(Fraction(due) - exact) <= Fraction(TICK_S) * Fraction(51, 100)


def test_the_load_asked_for_counts_both_endpoints() -> None:
    """500 devices at 500 ms and 10:1 ask for 1,100 polls a second."""
    assert PLAN.polls_per_s == pytest.approx(1100)
