"""How many polls took how long: exact as long as memory allows, and never further off than it says."""

import math
import random

import polars as pl
import pytest

from experiments.analyse.latency import Times, nearest_rank, percentiles
from experiments.analyse.passes import spread
from experiments.analyse.passes.spread import Spread


def of(values: list[float], most: int, batches: int = 5, groups: int = 1) -> Spread:
    """What is kept of these times; every tenth of them is only known to be longer."""
    made = Spread(most)
    frame = pl.DataFrame({"value": values}).with_row_index().with_columns(
        group=pl.col("index").cast(pl.Int64) % groups, answered=pl.col("index") % 10 != 0
    )  # fmt: skip
    for number in range(batches):
        made.add(frame.gather_every(batches, number))
    return made


_CHANCE = random.Random(3)
VALUES = [_CHANCE.lognormvariate(-6, 2) for _ in range(20_000)]


def test_times_are_exact_as_long_as_they_may_all_be_kept() -> None:
    """The percentile of the counts is the percentile of the values."""
    times = Times.counted(of(VALUES, most=20_000))
    assert times.off_by == 0.0
    ordered = sorted(VALUES)
    assert [times.waited_at(rank) for rank in (1, 500, 20_000)] == [ordered[0], ordered[499], ordered[-1]]
    assert (len(times), times.answers) == (20_000, 18_000)
    assert times.mean_s == pytest.approx(math.fsum(VALUES) / 20_000)


@pytest.mark.parametrize("most", [10_000, 3000, 200])
def test_fewer_times_are_longer_by_no_more_than_is_said(most: int) -> None:
    """Every rank lies at the exact time or a little above it; counts, mean and maximum are exact."""
    times = Times.counted(of(VALUES, most))
    ordered = sorted(VALUES)
    assert 0 < times.off_by < 0.006
    for rank in range(1, 20_001, 37):
        assert ordered[rank - 1] <= times.waited_at(rank) * (1 + 1e-12)
        assert times.waited_at(rank) <= ordered[rank - 1] * (1 + times.off_by) * (1 + 1e-12)
    assert (len(times), times.answers, times.longest_s) == (20_000, 18_000, ordered[-1])
    assert times.mean_s == pytest.approx(math.fsum(VALUES) / 20_000)
    assert [one.value_s is None for one in percentiles(times)] == [False] * 5


def test_no_more_is_kept_than_may_be() -> None:
    """Whatever comes, until a step is as large as it may become."""
    assert of(VALUES, most=2500).frame().height <= 2500
    assert of([2.0**-number for number in range(60)] * 50, most=10).frame().height == 60


def test_groups_do_not_mix() -> None:
    """Each has its own percentile, off by no more than all."""
    for most in (20_000, 3000):
        made = of(VALUES, most, groups=4)
        found = made.frame().group_by("group", maintain_order=True).agg(p90=spread.percentile(90), n=spread.count())
        assert found["n"].to_list() == [5000] * 4
        for group, value, _ in found.rows():
            exact = sorted(VALUES[group::4])[nearest_rank(5000, 90) - 1]
            assert exact * (1 - 1e-12) <= value <= exact * (1 + made.off_by) * (1 + 1e-12)


def test_what_lies_at_zero_or_below_is_kept_as_the_shortest() -> None:
    """A damaged record has such times, and must not end the analysis."""
    made = of([-1.0, 0.0] * 50 + VALUES[:5000], most=100)
    assert made.frame()["polls"].sum() == 5100
    assert made.frame()["value"][0] < 1e-9
