"""Who polls which server and when: divided evenly, known beforehand, and each with its turn."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import turns
from experiments.agenda import walk
from experiments.errors import ParameterError
from experiments.schedule import Plan, Timing

PLAN = replace(Plan.of_ratio(100, 0.5, 10, 1, "random", "fixed", 7, 2.0, 20.0), systems=2, halves=True, piece_rounds=4)
(CLOCK,) = PLAN.clocks


@given(st.integers(0, 2**63 - 1), st.integers(2, 8), st.integers(1, 40))
def test_each_server_gets_as_many_devices(seed: int, systems: int, groups: int) -> None:
    """Whole groups of devices are divided without remainder, whatever chance says."""
    polled = Counter(turns.system_of(seed, client, systems) for client in range(systems * groups))
    assert set(polled.values()) == {groups}


def test_chance_and_not_the_number_says_which_device_polls_which_server() -> None:
    """Generators take every n-th device: if a parity told the server, each of two generators would have one server."""
    first = [turns.system_of(1, client, 2) for client in range(0, 400, 2)]
    assert 60 < sum(first) < 140


@given(st.integers(0, 2**63 - 1), st.integers(2, 8), st.integers(-50, 50))
def test_every_server_has_every_turn_equally_often(seed: int, systems: int, block: int) -> None:
    """Within as many pieces as there are servers each has each turn once, and in no piece two have the same."""
    pieces = range(block * systems, (block + 1) * systems)
    table = [[turns.turn_of(seed, piece, system, systems) for piece in pieces] for system in range(systems)]
    assert all(sorted(row) == [*range(systems)] for row in [*table, *zip(*table, strict=True)])


def test_polls_lie_in_the_turn_of_their_server() -> None:
    """In each interval one server is polled in the first half alone and the other in the second, and they take turns."""
    firsts = set()
    for client in range(PLAN.clients):
        for round_ in PLAN.measured_rounds(client, CLOCK):
            due = PLAN.due(client, CLOCK, round_)
            turn = turns.turn_of(7, int(due // 2.0), PLAN.system(client), 2)
            assert int(due % 0.5 // 0.25) == turn
            firsts.add((PLAN.system(client), turn))
    assert len(firsts) == 4


def test_the_devices_of_a_group_poll_alike() -> None:
    """They have the same place in their turn and the same rounds with a large answer: both servers are asked alike."""
    for client in range(0, 100, 2):
        within = {round(PLAN.due(one, CLOCK, 9) % 0.25, 5) for one in (client, client + 1)}
        assert len(within) == 1
        assert PLAN.polled(client, CLOCK, 9) == PLAN.polled(client + 1, CLOCK, 9)
        assert {PLAN.system(client), PLAN.system(client + 1)} == {0, 1}


def test_a_device_walks_as_the_plan_says() -> None:
    """What a device does, one poll after the other, is what the closed form has, turns and all, and never goes back."""
    for client in (0, 1, 57):
        made = [(due, round_) for due, endpoint, round_ in islice(walk(PLAN, client), 40) if endpoint == 0]
        assert made == [(PLAN.due(client, CLOCK, round_), round_) for _, round_ in made]
        assert [due for due, _ in made] == sorted(due for due, _ in made)


def test_clocks_of_several_intervals_keep_the_turns_of_the_shortest() -> None:
    """A poll every three intervals lies in its server's turn as well, in any of the three."""
    timings = (Timing("often", every_s=0.5), Timing("seldom", every_s=1.5))
    plan = replace(PLAN, timings=timings, window_s=60.0)
    seldom = plan.clock_of("seldom")
    intervals = set()
    for client in range(plan.clients):
        for round_ in plan.measured_rounds(client, seldom):
            due = plan.due(client, seldom, round_)
            assert int(due % 0.5 // 0.25) == turns.turn_of(7, int(due // 2.0), plan.system(client), 2)
            intervals.add(int(due % 1.5 // 0.5))
    assert intervals == {0, 1, 2}


def test_pieces_begin_with_an_interval() -> None:
    """Where the warm-up is no whole number of intervals, the first border is a little after the window's begin."""
    assert PLAN.borders(20.0) == [2.0 * number for number in range(11)]
    assert replace(PLAN, warmup_s=1.75).borders(20.0)[:2] == [0.25, 2.25]
    assert replace(PLAN, warmup_s=1.75).borders(20.0)[-1] == 18.25
    assert replace(PLAN, systems=1, halves=False).borders(20.0) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"pacing": "after"}, "depends on how the one before went"),
        ({"timings": (Timing("a", share=1, told=True),)}, "depends on how the one before went"),
        ({"timings": (Timing("a", every_s=0.5), Timing("b", every_s=0.8))}, "no whole multiples"),
        ({"jitter_s": 0.3}, "longer than a turn"),
    ],
)
def test_what_cannot_have_turns_is_refused(changes: dict[str, object], why: str) -> None:
    """One sentence says why, and what to set instead."""
    with pytest.raises(ParameterError, match=rf"{why}.*beside_split='mixed'"):
        replace(PLAN, **changes)  # type: ignore[arg-type]
