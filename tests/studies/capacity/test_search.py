"""The search for the edge, over levels whose answers are known."""

import random
from collections.abc import Callable

import pytest

from experiments.studies.capacity.search import Finding, Rules, Shown, confirmed, confirming, decided, next_step

RULES = Rules(smallest=100, largest=100_000, step_pct=5, confirmations=5)


def search(shows: Callable[[int], Shown], rules: Rules = RULES) -> tuple[Finding, dict[int, list[Shown]]]:
    """Goes on until there is a finding, and gives what was seen on the way."""
    seen: dict[int, list[Shown]] = {}
    for _ in range(500):
        step = next_step(seen, rules)
        if isinstance(step, Finding):
            return step, seen
        seen.setdefault(step.clients, []).append(shows(step.clients))
    raise AssertionError("the search does not end")


def below(edge: int, beyond: Shown = "fail") -> Callable[[int], Shown]:
    return lambda clients: "pass" if clients <= edge else beyond


@pytest.mark.parametrize("edge", [100, 101, 199, 200, 399, 1234, 1840, 3199, 3200, 9999, 50_001])
def test_an_edge_is_found_to_a_step(edge: int) -> None:
    """The answer holds in five new runs; a step above it, two new misses leave no chance of four in five, and it ends."""
    found, seen = search(below(edge))
    assert found.how == "edge"
    assert found.above is not None
    assert found.clients <= edge < found.above
    assert found.above - found.clients <= max(1, 0.05 * found.clients + 1)
    assert confirming(seen, RULES, found.clients) == ["pass"] * 5
    assert confirming(seen, RULES, found.above) == ["fail"] * 2


def test_the_way_to_an_edge() -> None:
    """Doubling, then halving on the grid of 5 % of 1,600, then five new runs at the answer and two above it."""
    found, seen = search(below(1840))
    assert found == Finding("edge", 1840, 1920)
    assert list(seen) == [100, 200, 400, 800, 1600, 3200, 2400, 2000, 1760, 1840, 1920]
    assert {clients: len(runs) for clients, runs in seen.items() if len(runs) > 1} == {
        3200: 2, 2400: 2, 2000: 2, 1840: 6, 1920: 4,
    }  # fmt: skip


def test_a_level_that_the_smallest_load_misses_is_the_answer() -> None:
    """It is said after two runs, and nothing smaller is tried."""
    found, seen = search(below(99))
    assert found == Finding("smallest misses", 0, 100)
    assert seen == {100: ["fail"] * 2}


def test_a_search_that_meets_no_edge_says_so() -> None:
    """The largest load allowed is measured and confirmed, and nothing beyond it."""
    found, seen = search(below(10**9), Rules(100, 1000, 5, 5))
    assert found == Finding("largest holds", 1000, None)
    assert list(seen) == [100, 200, 400, 800, 1000]
    assert seen[1000] == ["pass"] * 6


def test_an_edge_just_below_the_largest_load() -> None:
    """The step above the answer ends at the largest load, never beyond."""
    found, seen = search(below(990), Rules(100, 1000, 5, 5))
    assert found == Finding("edge", 960, 1000)
    assert max(seen) == 1000


@pytest.mark.parametrize("edge", [100, 777, 1840])
def test_what_only_the_generator_limits_is_no_edge(edge: int) -> None:
    """The last level that could be seen to hold is named, and that nothing above it could be seen."""
    found, seen = search(below(edge, "inconclusive"))
    assert found.how == "generator first"
    assert found.clients <= edge
    assert confirmed(confirming(seen, RULES, found.clients), RULES) == "pass"


def test_nothing_seen_at_all_is_no_evidence() -> None:
    """If even the smallest load gives no record to be believed, there is no answer, not even none."""
    found, _ = search(lambda clients: "inconclusive")
    assert found == Finding("no evidence", 0, 100)


def test_a_single_miss_does_not_end_the_doubling() -> None:
    """A machine that did something else for a moment: the level is measured twice more, and counts as held."""
    missed_once: set[int] = set()

    def shows(clients: int) -> Shown:
        first = clients == 400 and clients not in missed_once
        missed_once.add(clients)
        return "fail" if first else below(1840)(clients)

    found, seen = search(shows)
    assert found == Finding("edge", 1840, 1920)
    assert seen[400] == ["fail", "pass", "pass"]


def test_an_answer_that_is_not_confirmed_moves_down() -> None:
    """A level that held once by luck, and then in one of five, gives way to the step below."""
    lucky = iter(["pass"])
    found, seen = search(lambda clients: next(lucky, "fail") if clients == 1920 else below(1840)(clients))
    assert found == Finding("edge", 1840, 1920)
    assert seen[1920].count("pass") == 1


def test_an_answer_that_was_missed_by_ill_luck_moves_up() -> None:
    """A level that missed twice and then holds in all new runs is the answer, if the next is not."""
    unlucky = iter(["fail", "fail"])
    found, seen = search(lambda clients: next(unlucky, "pass") if clients == 1840 else below(1900)(clients))
    assert found == Finding("edge", 1840, 1920)
    assert seen[1840] == ["fail", "fail", *["pass"] * 5]
    assert confirming(seen, RULES, 1840) == ["pass"] * 5


def test_the_run_that_chose_the_edge_does_not_confirm_it() -> None:
    """A level that held once, then in three of five new runs, is not the answer, although that is four of its six runs."""
    shows = iter(["pass", "fail", "pass", "pass", "fail"])
    found, seen = search(lambda clients: next(shows) if clients == 1840 else below(1760)(clients))
    assert found == Finding("edge", 1760, 1840)
    assert seen[1840] == ["pass", "fail", "pass", "pass", "fail"]


def test_a_level_is_left_as_soon_as_it_can_hold_in_enough_runs_no_more() -> None:
    """Two misses of five settle it: three more runs could not make four of five, and none is measured."""
    lucky = iter(["pass"])
    _, seen = search(lambda clients: next(lucky, "fail") if clients == 1920 else below(1840)(clients))
    assert seen[1920] == ["pass", "fail", "fail"]


def test_a_search_of_before_ends_as_it_did() -> None:
    """Where the runs that decided a level counted, what lies there of such a search is still its end."""
    old = Rules(100, 100_000, 5, 5, anew=False)
    found, seen = search(below(1840), old)
    assert found == Finding("edge", 1840, 1920)
    assert (seen[1840], seen[1920]) == (["pass"] * 5, ["fail"] * 5)


def test_noise_is_survived() -> None:
    """Where each level holds with a probability that falls over 20 %, the search ends in that range nine times in ten."""
    inside = 0
    for seed in range(100):
        chance = random.Random(seed)
        found, _ = search(lambda clients: "pass" if clients < 1800 + 360 * chance.random() else "fail")  # noqa: B023
        inside += found.how == "edge" and 1680 <= found.clients <= 2160
    assert inside >= 90


def test_a_search_goes_on_where_it_was() -> None:
    """What was seen alone decides, so every beginning of a search leads to the same end."""
    _, seen = search(below(1840))
    order = [(clients, shown) for clients, runs in seen.items() for shown in runs]
    for kept in range(len(order)):
        before: dict[int, list[Shown]] = {}
        for clients, shown in order[:kept]:
            before.setdefault(clients, []).append(shown)
        step = next_step(before, RULES)
        assert not isinstance(step, Finding)


@pytest.mark.parametrize(
    ("runs", "shows"),
    [
        ([], None),
        (["pass"], "pass"),
        (["fail"], None),
        (["fail", "fail"], "fail"),
        (["fail", "pass"], None),
        (["fail", "pass", "pass"], "pass"),
        (["fail", "pass", "fail"], "fail"),
        (["inconclusive"], None),
        (["inconclusive", "inconclusive"], "inconclusive"),
        (["inconclusive", "pass"], "pass"),
        (["inconclusive", "fail"], None),
    ],
    ids=str,
)
def test_when_a_level_is_decided(runs: list[Shown], shows: Shown | None) -> None:
    """A hold decides at once, a miss or a inconclusive run only if it is repeated."""
    assert decided(runs) == shows


@pytest.mark.parametrize(
    ("runs", "shows"),
    [
        (["pass"] * 4, None),
        (["pass"] * 5, "pass"),
        (["pass"] * 4 + ["fail"], "pass"),
        (["pass"] * 3 + ["fail"] * 2, "fail"),
        (["fail"], None),
        (["fail", "pass", "fail"], "fail"),
        (["fail", "inconclusive", "fail"], "fail"),
        (["inconclusive"] + ["pass"] * 4, None),
        (["inconclusive"] + ["pass"] * 5, "pass"),
        (["inconclusive", "inconclusive"], "inconclusive"),
        (["pass", "pass", "pass", "inconclusive", "inconclusive"], None),
    ],
    ids=str,
)
def test_when_a_level_is_confirmed(runs: list[Shown], shows: Shown | None) -> None:
    """Four of five, inconclusive runs not counted but measured again."""
    assert confirmed(runs, RULES) == shows
