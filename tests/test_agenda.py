"""What one device does next: rounds are atomic, the earliest due goes first, and answers may move a clock."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.agenda import Agenda
from experiments.schedule import Phase, Plan, Timing, on_tick

PLAN = Plan(
    clients=300,
    interval_s=0.5,
    timings=(Timing("status", every_s=3), Timing("config", every_s=10)),
    phase="together",
    pacing="fixed",
    seed=1,
    warmup_s=0.0,
    window_s=60.0,
)


def next_of(agenda: Agenda) -> tuple[float, int, int]:
    """(due, endpoint, round) of the next poll."""
    return agenda.now.due, agenda.now.endpoint, agenda.now.round


@given(
    st.integers(0, 12), st.integers(1, 12), st.sampled_from(["random", "spread", "together"]),
    st.sampled_from(["fixed", "after"]), st.floats(0, 3),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_a_device_goes_through_the_rounds_of_a_ratio(
    status: int, bulk: int, phase: Phase, pacing: str, took_s: float
) -> None:
    """The second poll of a round is due when the first ended, and the next round by the clock or after the end."""
    plan = Plan.of_ratio(7, 0.37, status, bulk, phase, pacing, 3, 2.0, 60.0)  # type: ignore[arg-type]
    (clock,) = plan.clocks
    agenda = Agenda(plan, 5)
    done = 0.0
    for round_ in range(1, 25):
        first = plan.due(5, clock, round_) if pacing == "fixed" or round_ == 1 else on_tick(done + plan.interval_s)
        for place, endpoint in enumerate(plan.polled(5, clock, round_)):
            assert next_of(agenda) == (done if place else first, endpoint, round_)
            assert agenda.now.round_due == first
            done = max(done, agenda.now.due) + took_s
            agenda.ended(done)


def test_a_round_that_was_begun_is_finished_before_another_clock_has_its_turn() -> None:
    """Even where the other one has been due for long: both polls of a round follow each other on one connection."""
    timings = (Timing("a", 1), Timing("b", 1), Timing("c", every_s=0.5))
    agenda = Agenda(replace(PLAN, timings=timings), 0)
    agenda.ended(4.0)
    assert next_of(agenda) == (4.0, 1, 1)
    agenda.ended(4.5)
    assert next_of(agenda) == (0.0, 2, 1)
    agenda.ended(4.6)
    assert [next_of(agenda)[:2], agenda.now.round] == [(0.5, 0), 2], "of one instant, the file's order"


def test_a_clock_that_fell_behind_goes_on_with_the_earliest_due() -> None:
    """A device that was busy polls what has waited longest first."""
    agenda = Agenda(PLAN, 0)
    agenda.ended(11.0)
    order = []
    for _ in range(4):
        order.append((agenda.now.due, agenda.now.endpoint))
        agenda.ended(11.5)
    assert order == [(0.0, 1), (3.0, 0), (6.0, 0), (9.0, 0)]


def test_the_server_may_say_when_to_poll_next() -> None:
    """The next round is due so long after the end, and the clock goes on from there: nothing is made up for."""
    agenda = Agenda(replace(PLAN, timings=(Timing("status", every_s=3, told=True),)), 0)
    agenda.ended(0.25, wait_s=7.0)
    assert next_of(agenda) == (7.25, 0, 2)
    agenda.ended(7.5)
    assert next_of(agenda) == (10.25, 0, 3)
    agenda.ended(10.5, wait_s=0.0)
    assert next_of(agenda) == (10.5, 0, 4)


def test_what_an_answer_says_in_the_middle_of_a_round_holds_for_the_next_one() -> None:
    """The rest of the round follows at once; the round after waits, and only that one under `after`."""
    timings = (Timing("a", 1, told=True), Timing("b", 1))
    agenda = Agenda(replace(PLAN, timings=timings, pacing="after"), 0)
    agenda.ended(1.0, wait_s=5.0)
    assert next_of(agenda) == (1.0, 1, 1)
    agenda.ended(2.0)
    assert next_of(agenda) == (7.0, 0, 2)
    agenda.ended(8.0)
    agenda.ended(9.0)
    assert next_of(agenda) == (9.5, 0, 3)


@pytest.mark.parametrize("jitter_s", [0.0, 0.2])
def test_a_track_that_skips_polls_counts_them_from_the_start_of_their_round(jitter_s: float) -> None:
    """What was never sent was due when its round was; the round after comes by the clock."""
    plan = replace(PLAN, timings=(Timing("a", 2), Timing("b", 2)), jitter_s=jitter_s)
    (track,) = Agenda(plan, 3).tracks
    (clock,) = plan.clocks
    assert (track.due, track.endpoint) == (plan.due(3, clock, 1), 0)
    assert track.skip()
    assert (track.due, track.endpoint) == (plan.due(3, clock, 1), 1)
    assert not track.skip()
    track.next_round()
    assert (track.due, track.endpoint, track.round) == (plan.due(3, clock, 2), 0, 2)
