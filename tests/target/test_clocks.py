"""The schedule of any number of endpoints and clocks: the article's ratio, and properties over many plans."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import schedule
from experiments.errors import ParameterError
from experiments.target.clocks import TICK_S, Agenda, Clocks, Timing

PHASES = st.sampled_from(["random", "spread", "together"])

ratios = st.builds(
    schedule.Plan,
    clients=st.integers(1, 50),
    interval_s=st.floats(0.001, 10),
    status_weight=st.integers(0, 12),
    bulk_weight=st.integers(1, 12),
    phase=PHASES,
    pacing=st.sampled_from(["fixed", "after"]),
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
    Clocks,
    timings=timings,
    clients=st.integers(1, 50),
    interval_s=st.floats(0.05, 10),
    phase=PHASES,
    pacing=st.just("fixed"),
    seed=st.integers(0, 2**63 - 1),
    warmup_s=st.floats(0, 20),
    window_s=st.floats(0.01, 60),
    ramp_up_s=st.sampled_from([0.0, 7.5]),
    jitter_s=st.sampled_from([0.0, 0.02]),
)


def of_ratio(plan: schedule.Plan) -> Clocks:
    """The two endpoints of a plan, as a target names them."""
    return Clocks(
        timings=(Timing("status", plan.status_weight), Timing("bulk", plan.bulk_weight)),
        clients=plan.clients,
        interval_s=plan.interval_s,
        phase=plan.phase,
        pacing=plan.pacing,
        seed=plan.seed,
        warmup_s=plan.warmup_s,
        window_s=plan.window_s,
    )


@given(ratios, st.integers(1, 100_000))
@settings(max_examples=300, deadline=None)
def test_two_shares_are_exactly_the_plan_of_a_ratio(plan: schedule.Plan, round_: int) -> None:
    """Due times to the last bit, endpoints of each round, planned counts and the load are those of `Plan`."""
    clocks = of_ratio(plan)
    (clock,) = clocks.clocks
    client = plan.clients - 1
    assert clocks.due(client, clock, round_) == plan.due(client, round_)
    assert clocks.first_due(client, clock) == plan.first_due(client)
    polled = tuple(clocks.timings[place].name for place in clocks.polled(client, clock, round_))
    assert polled == plan.endpoints(client, round_)
    assert clocks.cycle_start(client, clock) == plan.cycle_start(client)
    assert clock.cycle_rounds == plan.cycle_rounds
    assert clocks.measured_rounds(client, clock) == plan.measured_rounds(client)
    assert clocks.planned(client) == plan.planned(client)
    assert clocks.planned(client, plan.window_s / 3) == plan.planned(client, plan.window_s / 3)
    assert clocks.polls_per_s == pytest.approx(plan.polls_per_s)


@given(ratios, st.floats(0, 3))
@settings(max_examples=100, deadline=None)
def test_a_device_goes_through_the_rounds_of_a_ratio_as_before(plan: schedule.Plan, took_s: float) -> None:
    """The second poll of a round is due when the first ended, and the next round by the clock or after the end."""
    clocks = of_ratio(plan)
    agenda = Agenda(clocks, 0)
    done = 0.0
    for round_ in range(1, 25):
        names = plan.endpoints(0, round_)
        first = plan.due(0, round_) if plan.pacing == "fixed" or round_ == 1 else schedule.on_tick(done + plan.interval_s)
        for place, name in enumerate(names):
            assert (agenda.round, clocks.timings[agenda.endpoint].name) == (round_, name)
            assert agenda.due == (done if place else first)
            assert agenda.round_due == first
            done = max(done, agenda.due) + took_s
            agenda.ended(done)


@given(swarms)
@settings(max_examples=200, deadline=None)
def test_planned_counts_are_those_of_walking_through_the_schedule(clocks: Clocks) -> None:
    """The closed form counts what a device that is always answered at once polls in the window."""
    client = clocks.clients - 1
    polls = list(takewhile(lambda poll: poll[0] < clocks.window_s, _bounded(clocks, client)))
    counts = Counter(clocks.timings[endpoint].name for due, endpoint, _ in polls if due >= 0)
    assert len(polls) < 20_000
    assert clocks.planned(client) == {one.name: counts[one.name] for one in clocks.timings}


def _bounded(clocks: Clocks, client: int) -> list[tuple[float, int, int]]:
    schedule_ = clocks.schedule(client)
    return [next(schedule_) for _ in range(20_000)] if _many(clocks) else [next(schedule_) for _ in range(8000)]


def _many(clocks: Clocks) -> bool:
    return (clocks.window_s + clocks.warmup_s) * clocks.polls_per_s / clocks.clients > 4000


@given(swarms)
@settings(max_examples=100, deadline=None)
def test_polls_come_by_due_time_and_of_one_instant_in_the_files_order(clocks: Clocks) -> None:
    """The order in which a device polls, and every poll has a key of its own."""
    walk = clocks.schedule(0)
    polls = [next(walk) for _ in range(200)]
    keys = [(due, endpoint) for due, endpoint, _ in polls]
    assert keys == sorted(keys)
    assert len({(endpoint, round_) for _, endpoint, round_ in polls}) == 200


@given(swarms, st.integers(1, 100_000))
@settings(max_examples=100, deadline=None)
def test_instants_are_whole_ticks_near_the_exact_ones(clocks: Clocks, round_: int) -> None:
    """Every clock is on the record's grid."""
    for clock in clocks.clocks:
        due = clocks.due(0, clock, round_)
        exact = Fraction(clocks.first_due(0, clock)) + (round_ - 1) * Fraction(clock.interval_s)
        exact += Fraction(clocks.late(0, clock, round_))
        assert due / TICK_S == int(due / TICK_S)
        assert abs(Fraction(due) - exact) <= Fraction(TICK_S) * Fraction(51, 100)


PLAN = Clocks(
    timings=(Timing("status", every_s=3), Timing("config", every_s=10)),
    clients=300,
    interval_s=0.5,
    phase="together",
    pacing="fixed",
    seed=1,
    warmup_s=5.0,
    window_s=60.0,
)


def test_endpoints_with_a_clock_of_their_own_keep_it() -> None:
    """Every 3 s and every 10 s: 20 and 6 polls a minute, and the first of the file where both are due."""
    assert PLAN.planned(0) == {"status": 20, "config": 6}
    walk = PLAN.schedule(0)
    assert [next(walk) for _ in range(6)] == [
        (-5.0, 0, 1), (-5.0, 1, 1), (-2.0, 0, 2), (1.0, 0, 3), (4.0, 0, 4), (5.0, 1, 2),
    ]  # fmt: skip
    assert PLAN.polls_per_s == pytest.approx(300 / 3 + 300 / 10)


def test_another_endpoint_in_the_file_leaves_the_phases_as_they_were() -> None:
    """A clock's phase depends on its endpoint's name, not on its place."""
    alone = replace(PLAN, phase="random", timings=(Timing("config", every_s=10),))
    both = replace(PLAN, phase="random")
    assert [alone.offset(c, alone.clocks[0]) for c in range(20)] == [both.offset(c, both.clocks[1]) for c in range(20)]


def test_random_phases_of_a_clock_fill_its_interval_and_differ_between_clocks() -> None:
    """No quarter of the interval is left empty, and two clocks do not move together."""
    plan = replace(PLAN, phase="random", clients=1000)
    for clock in plan.clocks:
        quarters = Counter(int(plan.offset(c, clock) / clock.interval_s * 4) for c in range(1000))
        assert all(200 <= quarters[q] <= 300 for q in range(4))
    same = sum(
        int(plan.offset(c, plan.clocks[0]) / 3 * 4) == int(plan.offset(c, plan.clocks[1]) / 10 * 4) for c in range(1000)
    )
    assert 200 <= same <= 300


def test_three_shares_keep_their_proportion() -> None:
    """10:5:1 over 40 rounds: 40, 20 and 4 polls; the largest share is in every round."""
    plan = replace(PLAN, timings=(Timing("b", 5), Timing("a", 10), Timing("c", 1)), warmup_s=0, window_s=20.0)
    assert plan.planned(0) == {"b": 20, "a": 40, "c": 4}
    (clock,) = plan.clocks
    assert plan.polled(0, clock, 10) == (0, 1, 2)
    assert plan.polled(0, clock, 1) == (1,)


def test_the_server_may_say_when_to_poll_next() -> None:
    """`wait_s` puts the next round so long after the end, and only that one."""
    agenda = Agenda(replace(PLAN, timings=(Timing("status", every_s=3),), warmup_s=0), 0)
    agenda.ended(0.25, wait_s=7.0)
    assert (agenda.due, agenda.round) == (7.25, 2)
    agenda.ended(7.5)
    assert (agenda.due, agenda.round) == (6.0, 3)


def test_devices_join_over_the_ramp_up() -> None:
    """The first at once, the last just before its end, evenly."""
    plan = replace(PLAN, ramp_up_s=30.0)
    assert [plan.first_due(client, plan.clocks[0]) for client in (0, 150, 299)] == [-5.0, 10.0, pytest.approx(24.9)]


def test_jitter_makes_rounds_late_and_never_overtake() -> None:
    """Each by its own, at most so much; the same in every repeat."""
    plan = replace(PLAN, jitter_s=2.5)
    late = [plan.late(7, plan.clocks[0], round_) for round_ in range(1, 500)]
    assert 0 <= min(late) < 0.1
    assert 2.4 < max(late) < 2.5
    assert len(set(late)) > 490
    assert late == [plan.late(7, plan.clocks[0], round_) for round_ in range(1, 500)]
    assert late != [plan.late(7, plan.clocks[1], round_) for round_ in range(1, 500)]
    with pytest.raises(ParameterError, match="jitter_ms=3500 is longer than the shortest interval, 3000 ms"):
        replace(PLAN, jitter_s=3.5)


def test_a_clock_that_fell_behind_goes_on_with_the_earliest_due() -> None:
    """A device that was busy polls what has waited longest first."""
    agenda = Agenda(replace(PLAN, warmup_s=0), 0)
    agenda.ended(11.0)
    order = []
    for _ in range(4):
        order.append((agenda.due, agenda.endpoint))
        agenda.ended(11.5)
    assert order == [(0.0, 1), (3.0, 0), (6.0, 0), (9.0, 0)]
