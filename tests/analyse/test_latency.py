"""Percentiles: order statistics of rows, with intervals that hold what they promise."""

import math
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.analyse.latency import curve, interval_ranks, nearest_rank, percentiles, population, supported
from experiments.analyse.polls import prepare
from experiments.record.schema import Outcome
from tests.made_up import SMALL, Answer, Poll, made_up


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
    """Nothing is asked of nothing."""
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
