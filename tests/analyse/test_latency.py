"""Percentiles: order statistics of rows, with intervals that hold what they promise."""

import math
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.analyse.latency import (
    Times,
    curve,
    interval_ranks,
    nearest_rank,
    percentiles,
    population,
    supported,
    times,
)
from experiments.analyse.polls import prepare
from experiments.record.schema import Outcome
from tests.support.made_up import SMALL, Answer, Poll, made_up


def by_hand(values: list[float], percent: float) -> float:
    """The smallest value that at least that share of all values do not exceed."""
    ordered = sorted(set(values))
    return next(value for value in ordered if 100 * sum(one <= value for one in values) >= percent * len(values))


@given(st.randoms(use_true_random=False), st.integers(1000, 1300), st.sampled_from([50.0, 90.0, 95.0, 99.0]))
@settings(max_examples=30, deadline=None)
def test_a_percentile_is_the_nearest_rank(chance: random.Random, count: int, percent: float) -> None:
    """It is a value that was measured, the one that counting finds, whatever the order."""
    values = [chance.randrange(500) / 8 for _ in range(count)]
    (found,) = percentiles(pl.Series(values, dtype=pl.Float64), (percent,))
    assert found.value_s == sorted(values)[nearest_rank(count, percent) - 1] == by_hand(values, percent)
    assert found.low_s is not None
    assert found.high_s is not None
    assert found.low_s <= found.value_s <= found.high_s


def test_percentiles_of_one_to_ten_thousand_are_known() -> None:
    """Closed form: the p-th percentile of 1 .. n is ceil(p n)."""
    values = pl.Series(range(10_000, 0, -1), dtype=pl.Float64)
    assert [one.value_s for one in percentiles(values)] == [5000, 9000, 9500, 9900, 9990]


@pytest.mark.parametrize(
    ("percent", "fewest"), [(50.0, 20), (90.0, 100), (95.0, 200), (99.0, 1000), (99.9, 10_000), (99.99, 100_000)]
)
def test_a_percentile_needs_ten_polls_beyond_it(percent: float, fewest: int) -> None:
    """One poll fewer than n(1 - p) = 10 and it is null."""
    assert supported(fewest, percent)
    assert not supported(fewest - 1, percent)
    (lacking,) = percentiles(pl.Series([1.0] * (min(fewest, 10_000) - 1)), (percent,))
    assert (lacking.value_s, lacking.low_s, lacking.high_s) == (None, None, None)


def test_no_values_have_no_percentiles() -> None:
    """An empty series gives five nulls and no error."""
    assert [one.value_s for one in percentiles(pl.Series([], dtype=pl.Float64))] == [None] * 5


@pytest.mark.parametrize(("count", "percent"), [(20, 50.0), (200, 50.0), (500, 95.0), (1000, 99.0), (3000, 99.0)])
def test_the_interval_holds_the_true_percentile_19_times_in_20(count: int, percent: float) -> None:
    """Over 2,000 made-up samples of the uniform distribution, whose percentiles are known."""
    chance = random.Random(7)
    low, high = interval_ranks(count, percent)
    assert 1 <= low <= nearest_rank(count, percent) <= high <= count
    held = 0
    for _ in range(2000):
        # The k-th smallest of n uniform values is Gamma(k) / (Gamma(k) + Gamma(n + 1 - k)).
        below, between, above = (chance.gammavariate(k, 1) for k in (low, high - low, count + 1 - high))
        total = below + between + above
        held += below / total <= percent / 100 <= (below + between) / total
    assert held / 2000 == pytest.approx(0.955, abs=0.025)


def test_the_interval_is_the_binomial_one() -> None:
    """The probability that exactly so many of n values lie below the percentile, summed between the two ranks."""
    count, p = 1000, 0.9
    low, high = interval_ranks(count, 100 * p)
    ways = [math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(count + 1)]
    logs = [ways[k] + k * math.log(p) + (count - k) * math.log(1 - p) for k in range(low, high)]
    assert 0.95 <= sum(map(math.exp, logs)) < 0.965


def test_percentiles_cover_what_was_answered_or_waited_for(tmp_path: Path) -> None:
    """Timeouts and polls unsent behind them count at the time waited; fast errors and interruptions do not."""
    scenario = SMALL.model_copy(update={"timeout_s": 5.0, "ratio": "1:0"})

    def server(poll: Poll) -> Answer:
        if poll.client == 0:
            return Answer(0.001, Outcome.HTTP_ERROR, 503, 10)
        return Answer(100.0) if poll.client == 1 else Answer(0.001)

    polls = prepare(made_up(tmp_path, scenario, server=server))
    outcomes = dict(polls["outcome"].cast(pl.String).value_counts().iter_rows())
    response, latency = population(polls, "status"), population(polls, "status", "latency")
    assert outcomes["http_error"] == 120
    assert len(response) == outcomes["ok"] + outcomes["read_timeout"] + outcomes["unsent_busy"]
    assert len(latency) == outcomes["ok"] + outcomes["read_timeout"]
    assert latency.max() == pytest.approx(5.0, abs=1e-6)
    assert response.max() > 20
    assert len(population(polls, "bulk")) == 0


def test_the_curve_ends_where_ten_polls_are_left() -> None:
    """Its points are nearest-rank percentiles, from the fastest to the last that is supported."""
    points = curve(pl.Series(range(1, 60_001), dtype=pl.Float64))
    assert len(points) == 200
    assert points["value_s"][0] == 1
    assert points["value_s"][-1] == 60_000 - 10
    assert points["tail"][-1] == pytest.approx(6000)
    assert points["tail"].is_sorted()
    assert points["value_s"].is_sorted()
    assert points["percent"][-1] == pytest.approx(100 * (1 - 1 / 6000))


@pytest.mark.parametrize(("count", "rows"), [(0, 0), (9, 0), (10, 1), (11, 200)])
def test_a_short_curve_is_short(count: int, rows: int) -> None:
    """Below ten values there is no curve, from ten on there is."""
    assert len(curve(pl.Series([1.0] * count, dtype=pl.Float64))) == rows


# -- polls without an answer ---------------------------------------------------------------------


def watched(taken: list[float], given_up: list[float]) -> Times:
    """What is seen of polls that take so long, each watched until it is given up."""
    waited = [min(pair) for pair in zip(taken, given_up, strict=True)]
    answered = [time for time, end in zip(taken, given_up, strict=True) if time <= end]
    return Times.of(pl.Series(waited, dtype=pl.Float64), pl.Series(answered, dtype=pl.Float64))


@given(st.randoms(use_true_random=False), st.integers(20, 400), st.sampled_from([50.0, 90.0, 95.0]))
@settings(max_examples=60, deadline=None)
def test_the_true_percentile_is_never_below_the_figure(chance: random.Random, count: int, percent: float) -> None:
    """Whatever polls took that were given up; and where the figure is not marked, it lies below the end of the interval."""
    taken = [chance.expovariate(1) for _ in range(count)]
    end = chance.choice([0.01, 0.1, 1.0, 100.0])
    (found,) = percentiles(watched(taken, [end * chance.random() for _ in taken]), (percent,))
    if found.value_s is None or found.high_s is None:
        assert not supported(count, percent)
        return
    true = sorted(taken)[nearest_rank(count, percent) - 1]
    assert found.value_s <= true
    assert found.censored or true <= found.high_s


def test_where_nobody_is_answered_everything_is_longer() -> None:
    """Each percentile that there is, and the end of its interval."""
    found = percentiles(watched([9.0] * 2000, [0.4] * 2000))
    assert [(one.value_s, one.censored, one.open_ended) for one in found[:4]] == [(0.4, True, True)] * 4
    assert found[4].value_s is None


def test_a_percentile_below_the_polls_that_were_given_up_is_known() -> None:
    """4 of 1,000 time out: the median has nothing to do with them, p99 neither, the end of its interval does."""
    taken = [number / 1000 for number in range(1000)]
    given_up = [math.inf] * 996 + [0.995] * 4
    p50, p99 = percentiles(watched(taken, given_up), (50.0, 99.0))
    assert (p50.censored, p50.open_ended) == (False, False)
    assert (p99.censored, p99.open_ended) == (False, True)


def test_a_single_poll_cut_off_at_once_does_not_unsettle_a_run() -> None:
    """It might be the slowest of all, which moves the median by one place: less than sampling leaves open."""
    taken = [number / 1000 for number in range(1000)]
    (found,) = percentiles(watched(taken, [0.0001, *[math.inf] * 999][::-1]), (50.0,))
    assert not found.censored


def test_many_polls_cut_off_early_make_the_median_a_bound() -> None:
    """A quarter of them had hardly waited: the median may lie anywhere up to the upper third of the others."""
    taken = [number / 1000 for number in range(1000)]
    found = percentiles(watched(taken, [0.001 if number % 4 == 3 else math.inf for number in range(1000)]), (50.0,))[0]
    assert found.censored
    assert found.value_s is not None
    assert found.value_s < 0.5


def test_a_curve_says_from_where_on_it_is_a_bound() -> None:
    """Known points come first, and after the first censored one none is known."""
    taken = [number / 1000 for number in range(1, 1001)]
    points = curve(watched(taken, [0.7] * 1000))
    assert points["censored"].is_sorted()
    assert points.filter(~pl.col("censored"))["value_s"].max() == pytest.approx(0.7, abs=0.005)
    assert points.filter("censored")["value_s"].to_list() == [0.7] * points["censored"].sum()
    assert not curve(pl.Series(taken))["censored"].any()


def test_only_answers_are_known_times(tmp_path: Path) -> None:
    """A poll that timed out, or could not be sent behind one, has no known time."""
    scenario = SMALL.model_copy(update={"timeout_s": 5.0, "ratio": "1:0"})
    polls = prepare(made_up(tmp_path, scenario, server=lambda poll: Answer(100.0 if poll.client == 1 else 0.001)))
    found = times(polls, "status")
    assert len(found) == len(polls)
    assert found.answers == (polls["outcome"] == "ok").sum() < len(polls)
    assert found.censored
