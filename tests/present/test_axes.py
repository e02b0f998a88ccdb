"""Ranges and steps of axes."""

import math

import pytest

from experiments.present.axes import TimeAxis, log_ticks, milliseconds, spread_layout, step_of, whole_from_zero


def test_values_that_lie_close_together_start_at_zero() -> None:
    """A linear axis begins at zero and leaves room above."""
    assert spread_layout([0.5, 1.0, 2.0])["range"] == [0, 2.2]


def test_an_outlier_makes_the_axis_logarithmic() -> None:
    """A stall of two seconds does not flatten answers of a millisecond."""
    layout = spread_layout([0.5, 1.0, 2000.0])
    assert layout["type"] == "log"
    assert layout["range"][0] < math.log10(0.5) < math.log10(2000) < layout["range"][1]
    assert layout["ticktext"] == ["1", "10", "100", "1,000"]


def test_a_zero_does_not_break_a_logarithmic_axis() -> None:
    """What is below a microsecond counts as one."""
    assert spread_layout([0.0, 5.0])["range"][0] < -3


def test_nothing_has_a_range_too() -> None:
    """An axis without values is still an axis."""
    assert spread_layout([])["range"] == [0, 1.1]


@pytest.mark.parametrize(("low", "high"), [(-3, 4), (0, 1), (-0.3, 0.2), (2.0, 2.1)])
def test_ticks_of_a_logarithmic_axis_are_few_and_inside(low: float, high: float) -> None:
    """No tick lies outside the axis, and there are never too many to read."""
    ticks = log_ticks(low, high)
    assert all(low <= math.log10(tick) <= high for tick in ticks)
    assert len(ticks) <= 8


@pytest.mark.parametrize(("window_s", "unit", "end"), [(5, "s", 5), (300, "s", 300), (600, "min", 10), (14_400, "h", 4)])
def test_time_has_the_unit_that_fits_the_window(window_s: float, unit: str, end: float) -> None:
    """Seconds up to five minutes, then minutes, then hours."""
    time = TimeAxis(window_s)
    assert (time.unit, time.layout()["range"]) == (unit, [0, end])
    assert time.title.endswith(unit)


@pytest.mark.parametrize(("window_s", "at_least"), [(60, 1), (600, 5), (5, 0.05), (47.3, 1.0), (0.2, 3)])
def test_a_step_divides_the_window_and_is_long_enough(window_s: float, at_least: float) -> None:
    """No step is a part of one, and none is shorter than was asked for, unless the window itself is."""
    step = step_of(window_s, at_least)
    assert window_s / step == pytest.approx(round(window_s / step))
    assert step >= min(window_s, at_least) * 0.999


def test_milliseconds_are_rounded_and_gaps_stay_gaps() -> None:
    """Four significant digits keep a chart small; what is not supported stays null."""
    assert milliseconds([0.00123456, None]) == [1.235, None]


def test_counts_have_whole_ticks() -> None:
    """An axis of threads from 2 to 4 steps by one, since there is no half of them."""
    assert whole_from_zero([2.0, 4.0])["dtick"] == 1
