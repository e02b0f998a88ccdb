"""Medians, ranges and ratios of few rounds."""

from typing import Any

import pytest

from experiments.analyse.instrument import Compared, Cost, Memory, Spread, compare, cost_ratio, spread


def cost(contender: str, round_: int, cpu_us: float, **more: Any) -> Cost:
    """One measurement under the random load against Falcon."""
    told = {"load": "random", "target": "falcon", "polls_per_s": 1000.0, "failed": 0} | more
    return Cost(round=round_, contender=contender, cpu_us_per_poll=cpu_us, **told)


def test_a_spread_is_the_median_between_its_ends() -> None:
    """What is not known does not count, and of nothing there is none."""
    assert spread([3.0, None, 1.0, 9.0]) == Spread(3.0, 1.0, 9.0)
    assert spread([None]) is None


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is twice as slow in one round changes no ratio; a round without both does not count."""
    ours = [cost("ours", 1, 100), cost("ours", 2, 200), cost("ours", 3, 100)]
    theirs = [cost("theirs", 1, 300), cost("theirs", 2, 600), cost("theirs", 4, 1)]
    assert cost_ratio(ours, theirs) == Spread(3.0, 3.0, 3.0)
    assert cost_ratio(ours, []) is None


def test_rounds_become_a_line_a_contender_the_cheapest_first() -> None:
    """Costs and lags are medians with their range, failures are summed, loads are kept apart."""
    costs = [
        cost("expensive", 1, 50, failed=1),
        cost("expensive", 2, 70, failed=2),
        cost("cheap", 1, 10, lag_p99_ms=1.0),
        cost("cheap", 2, 30, lag_p99_ms=3.0),
        cost("cheap", 1, 5, load="mix"),
    ]
    assert compare(costs) == [
        Compared("random", "falcon", "cheap", 2, Spread(20, 10, 30), 1000, None, 2.0, 0),
        Compared("random", "falcon", "expensive", 2, Spread(60, 50, 70), 1000, None, None, 3),
        Compared("mix", "falcon", "cheap", 1, Spread(5, 5, 5), 1000, None, None, 0),
    ]


@pytest.mark.parametrize(("few", "many", "bytes_"), [(30_000_000, 57_000_000, 15_000.0), (30_000_000, 30_000_000, 0.0)])
def test_memory_a_device_is_the_growth_alone(few: int, many: int, bytes_: float) -> None:
    """What a generator takes without any device is no device's."""
    one = Memory(engine="httpx", few=200, many=2000, few_rss_bytes=few, many_rss_bytes=many)
    assert one.bytes_per_device == bytes_
