"""The schedule is arithmetic: the article's ratio, any number of endpoints and clocks, and properties over many plans."""

import json
import math
from collections import Counter
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.agenda import walk
from experiments.errors import ParameterError
from experiments.schedule import TICK_S, Plan, Timing

PLAN = Plan.of_ratio(
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

(CLOCK,) = PLAN.clocks

MADE = Plan(
    timings=(Timing("status", every_s=3), Timing("config", every_s=10)),
    clients=300,
    interval_s=0.5,
    phase="together",
    pacing="fixed",
    seed=1,
    warmup_s=5.0,
    window_s=60.0,
)

plans = st.builds(
    Plan.of_ratio,
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

timings = st.lists(
    st.one_of(st.builds(lambda n: (n, None), st.integers(1, 12)), st.builds(lambda s: (None, s), st.floats(0.05, 20))),
    min_size=1,
    max_size=5,
).map(lambda several: tuple(Timing(f"e{i}", share, every) for i, (share, every) in enumerate(several)))

swarms = st.builds(
    Plan,
    timings=timings,
    clients=st.integers(1, 50),
    interval_s=st.floats(0.05, 10),
    phase=st.sampled_from(["random", "spread", "together"]),
    pacing=st.just("fixed"),
    seed=st.integers(0, 2**63 - 1),
    warmup_s=st.floats(0, 20),
    window_s=st.floats(0.01, 60),
    ramp_up_s=st.sampled_from([0.0, 7.5]),
    jitter_s=st.sampled_from([0.0, 0.02]),
)


def ratio(status: int, bulk: int) -> Plan:
    """PLAN with another ratio."""
    return replace(PLAN, timings=(Timing("status", status), Timing("bulk", bulk)))


def polled(plan: Plan, client: int, round_: int) -> tuple[str, ...]:
    """What a device polls in a round on the only clock."""
    (clock,) = plan.clocks
    return plan.named(client, clock, round_)


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
    plan = ratio(status, bulk)
    assert [r for r in range(1, 31) if len(polled(plan, 0, r)) == 2] == rounds_with_both


@pytest.mark.parametrize(
    ("status", "bulk", "alone"), [(10, 1, "status"), (1, 1, "status"), (1, 10, "bulk"), (10, 0, "status"), (0, 1, "bulk")]
)
def test_the_endpoint_named_more_often_is_polled_in_every_round(status: int, bulk: int, alone: str) -> None:
    """The primary endpoint is the one with the larger weight, A where both are equal."""
    plan = ratio(status, bulk)
    assert all(alone in polled(plan, 3, r) for r in range(1, 40))


def test_where_a_round_has_both_the_status_poll_goes_first() -> None:
    """A before B, also where B is the more frequent one."""
    for status, bulk in ((10, 1), (1, 10)):
        assert polled(ratio(status, bulk), 0, 10) == ("status", "bulk")


def test_rounds_are_an_interval_apart_from_the_start_of_the_warm_up() -> None:
    """Round 1 begins with the warm-up, and the measured window begins at zero."""
    assert [PLAN.due(7, CLOCK, r) for r in (1, 2, 11, 12)] == [-5.0, -4.5, 0.0, 0.5]
    assert PLAN.measured_rounds(7, CLOCK) == range(11, 1211)


def test_together_starts_every_device_at_the_same_instant() -> None:
    """As after a power cut: one instant, and all cycles in step."""
    assert {(PLAN.first_due(c, CLOCK), PLAN.cycle_start(c, CLOCK)) for c in range(500)} == {(-5.0, 0)}


def test_spread_places_devices_evenly_in_interval_and_cycle() -> None:
    """500 devices over 500 ms are a millisecond apart, and a tenth of them asks for B in each round."""
    plan = replace(PLAN, phase="spread")
    assert [plan.offset(c, CLOCK) for c in (0, 1, 499)] == pytest.approx([0.0, 0.001, 0.499])
    assert sum(len(polled(plan, c, 1)) == 2 for c in range(500)) == 50


def test_random_phases_fill_the_interval_and_the_cycle() -> None:
    """No quarter of the interval and no place of the cycle is left empty or crowded."""
    plan = replace(PLAN, phase="random")
    quarters = [int(plan.offset(c, CLOCK) / plan.interval_s * 4) for c in range(500)]
    assert all(90 <= quarters.count(q) <= 160 for q in range(4))
    assert all(25 <= [plan.cycle_start(c, CLOCK) for c in range(500)].count(k) <= 80 for k in range(10))


def test_the_seed_chooses_the_random_phases() -> None:
    """The same seed gives the same phases, another seed others."""
    phases = [[replace(PLAN, phase="random", seed=seed).offset(c, CLOCK) for c in range(20)] for seed in (1, 1, 2)]
    assert phases[0] == phases[1] != phases[2]


def test_random_phases_are_what_they_were_when_older_records_were_made() -> None:
    """Golden values: a change here would make every old record disagree with its plan."""
    plan = replace(PLAN, phase="random")
    assert [(plan.due(c, CLOCK, 1), plan.cycle_start(c, CLOCK)) for c in (0, 1, 499)] == GOLDEN


GOLDEN = [(-4.522148132324219, 7), (-4.585655689239502, 8), (-4.615683317184448, 8)]


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_shards_share_the_devices_out_completely(count: int) -> None:
    """Every device is in exactly one shard, whatever the number of generators."""
    plan = replace(PLAN, clients=23)
    assert sorted(c for i in range(count) for c in plan.shard(i, count)) == list(range(23))


@given(plans, st.integers(1, 10_000))
@settings(max_examples=200, deadline=None)
def test_every_cycle_keeps_the_exact_ratio(plan: Plan, first: int) -> None:
    """Any run of whole cycles holds the endpoints in exactly the proportion that was asked for."""
    status, bulk = (one.share or 0 for one in plan.timings)
    (clock,) = plan.clocks
    rounds = range(first, first + clock.cycle_rounds)
    asked = [endpoint for r in rounds for endpoint in plan.named(0, clock, r)]
    assert asked.count("status") * bulk == asked.count("bulk") * status


def test_the_load_asked_for_counts_both_endpoints() -> None:
    """500 devices at 500 ms and 10:1 ask for 1,100 polls a second."""
    assert PLAN.polls_per_s == pytest.approx(1100)


@given(plans, st.integers(1, 100_000))
@settings(max_examples=300, deadline=None)
def test_the_plan_of_a_ratio_is_what_it_was_when_older_records_were_made(plan: Plan, round_: int) -> None:
    """The arithmetic of the first schema, written out: due times to the last bit, and which rounds have both endpoints."""
    (clock,) = plan.clocks
    status, bulk = (one.share or 0 for one in plan.timings)
    low, high = (weight // math.gcd(status, bulk) for weight in sorted((status, bulk)))
    for client in {0, plan.clients - 1}:
        offset, ahead = 0.0, 0
        if plan.phase == "spread":
            offset, ahead = client / plan.clients * plan.interval_s, client % high
        if plan.phase == "random":
            offset = splitmix(plan.seed, 2 * client) * plan.interval_s
            ahead = int(splitmix(plan.seed, 2 * client + 1) * high)
        due = math.floor((offset - plan.warmup_s + (round_ - 1) * plan.interval_s) * 2.0**22 + 0.5) * 2.0**-22
        place = round_ + ahead
        both = place * low // high > (place - 1) * low // high
        assert plan.due(client, clock, round_) == due
        assert plan.named(client, clock, round_) == (
            ("status", "bulk") if both else ("status",) if status >= bulk else ("bulk",)
        )


def splitmix(seed: int, number: int) -> float:
    """Steele, Lea & Flood, 2014, as the first schema had it."""
    mask = 2**64 - 1
    z = (seed * 0xD1342543DE82EF95 + (number + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def test_a_plan_is_plain_data() -> None:
    """Through JSON and back it is the same plan, whatever clocks it has."""
    for plan in (PLAN, MADE, replace(MADE, ramp_up_s=3.0, jitter_s=0.5)):
        assert Plan(**json.loads(json.dumps(asdict(plan)))) == plan


def test_every_endpoint_has_its_rate_and_its_clock() -> None:
    """Also one that is never polled, which has no clock."""
    plan = ratio(3, 0)
    assert plan.endpoints == ("status", "bulk")
    assert plan.ever_polled == ("status",)
    assert plan.rates == {"status": 1000.0, "bulk": 0.0}
    assert plan.clock_of("status") == plan.clocks[0]
    with pytest.raises(KeyError):
        plan.clock_of("bulk")
    assert [clock.endpoints for clock in MADE.clocks] == [(0,), (1,)]


def test_a_clock_whose_rounds_answers_decide_does_not_follow_the_plan() -> None:
    """Nobody can foretell its due times, and nobody can any under `after`."""
    told = replace(MADE, timings=(Timing("status", every_s=3, told=True), Timing("config", every_s=10)))
    assert [told.follows_the_clock(clock) for clock in told.clocks] == [False, True]
    assert not any(replace(told, pacing="after").follows_the_clock(clock) for clock in told.clocks)


@given(swarms)
@settings(max_examples=200, deadline=None)
def test_planned_counts_are_those_of_walking_through_the_schedule(plan: Plan) -> None:
    """The closed form counts what a device that is always answered at once polls in the window."""
    client = plan.clients - 1
    polls = list(takewhile(lambda poll: poll[0] < plan.window_s, _bounded(plan, client)))
    counts = Counter(plan.timings[endpoint].name for due, endpoint, _ in polls if due >= 0)
    assert len(polls) < 20_000
    assert plan.planned(client) == {one.name: counts[one.name] for one in plan.timings}


def _bounded(plan: Plan, client: int) -> list[tuple[float, int, int]]:
    schedule_ = walk(plan, client)
    return [next(schedule_) for _ in range(20_000)] if _many(plan) else [next(schedule_) for _ in range(8000)]


def _many(plan: Plan) -> bool:
    return (plan.window_s + plan.warmup_s) * plan.polls_per_s / plan.clients > 4000


@given(swarms)
@settings(max_examples=100, deadline=None)
def test_polls_come_by_due_time_and_of_one_instant_in_the_files_order(plan: Plan) -> None:
    """The order in which a device polls, and every poll has a key of its own."""
    polls_of = walk(plan, 0)
    polls = [next(polls_of) for _ in range(200)]
    dues = [due for due, _, _ in polls]
    assert dues == sorted(dues)
    for clock in plan.clocks:
        mine = [(round_, endpoint) for _, endpoint, round_ in polls if endpoint in clock.endpoints]
        assert mine == sorted(mine)
    assert len({(endpoint, round_) for _, endpoint, round_ in polls}) == 200


@given(swarms, st.integers(1, 100_000))
@settings(max_examples=100, deadline=None)
def test_instants_are_whole_ticks_near_the_exact_ones(plan: Plan, round_: int) -> None:
    """Every clock is on the record's grid."""
    for clock in plan.clocks:
        due = plan.due(0, clock, round_)
        exact = Fraction(plan.first_due(0, clock)) + (round_ - 1) * Fraction(clock.interval_s)
        exact += Fraction(plan.late(0, clock, round_))
        assert due / TICK_S == int(due / TICK_S)
        assert abs(Fraction(due) - exact) <= Fraction(TICK_S) * Fraction(51, 100)


def test_endpoints_with_a_clock_of_their_own_keep_it() -> None:
    """Every 3 s and every 10 s: 20 and 6 polls a minute, and the first of the file where both are due."""
    assert MADE.planned(0) == {"status": 20, "config": 6}
    polls_of = walk(MADE, 0)
    assert [next(polls_of) for _ in range(6)] == [
        (-5.0, 0, 1), (-5.0, 1, 1), (-2.0, 0, 2), (1.0, 0, 3), (4.0, 0, 4), (5.0, 1, 2),
    ]  # fmt: skip
    assert MADE.polls_per_s == pytest.approx(300 / 3 + 300 / 10)


def test_another_endpoint_in_the_file_leaves_the_phases_as_they_were() -> None:
    """A clock's phase depends on its endpoint's name, not on its place."""
    alone = replace(MADE, phase="random", timings=(Timing("config", every_s=10),))
    both = replace(MADE, phase="random")
    assert [alone.offset(c, alone.clocks[0]) for c in range(20)] == [both.offset(c, both.clocks[1]) for c in range(20)]


def test_random_phases_of_a_clock_fill_its_interval_and_differ_between_clocks() -> None:
    """No quarter of the interval is left empty, and two clocks do not move together."""
    plan = replace(MADE, phase="random", clients=1000)
    for clock in plan.clocks:
        quarters = Counter(int(plan.offset(c, clock) / clock.interval_s * 4) for c in range(1000))
        assert all(200 <= quarters[q] <= 300 for q in range(4))
    same = sum(
        int(plan.offset(c, plan.clocks[0]) / 3 * 4) == int(plan.offset(c, plan.clocks[1]) / 10 * 4) for c in range(1000)
    )
    assert 200 <= same <= 300


def test_three_shares_keep_their_proportion() -> None:
    """10:5:1 over 40 rounds: 40, 20 and 4 polls; the largest share is in every round."""
    plan = replace(MADE, timings=(Timing("b", 5), Timing("a", 10), Timing("c", 1)), warmup_s=0, window_s=20.0)
    assert plan.planned(0) == {"b": 20, "a": 40, "c": 4}
    (clock,) = plan.clocks
    assert plan.polled(0, clock, 10) == (0, 1, 2)
    assert plan.polled(0, clock, 1) == (1,)


def test_devices_join_over_the_ramp_up() -> None:
    """The first at once, the last just before its end, evenly."""
    plan = replace(MADE, ramp_up_s=30.0)
    assert [plan.first_due(client, plan.clocks[0]) for client in (0, 150, 299)] == [-5.0, 10.0, pytest.approx(24.9)]


def test_jitter_makes_rounds_late_and_never_overtake() -> None:
    """Each by its own, at most so much; the same in every repeat."""
    plan = replace(MADE, jitter_s=2.5)
    late = [plan.late(7, plan.clocks[0], round_) for round_ in range(1, 500)]
    assert 0 <= min(late) < 0.1
    assert 2.4 < max(late) < 2.5
    assert len(set(late)) > 490
    assert late == [plan.late(7, plan.clocks[0], round_) for round_ in range(1, 500)]
    assert late != [plan.late(7, plan.clocks[1], round_) for round_ in range(1, 500)]
    with pytest.raises(ParameterError, match="jitter_ms=3500 is longer than the shortest interval, 3000 ms"):
        replace(MADE, jitter_s=3.5)
