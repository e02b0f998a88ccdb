"""Processor time of a poll, found again in made-up CPU figures."""

import pytest

from experiments.predict.demand import Demand, Usage, fit

TRUE = Demand(120e-6, 200e-6, 90e-6, split=True)


def used(rate: float, bulk_share: float, *, true: Demand = TRUE, loops: int = 1, wakes: int = 1, noise: float = 0) -> Usage:
    """What a side with a known demand uses."""
    rates = rate * (1 - bulk_share), rate * bulk_share
    return Usage(*rates, true.cores(*rates, loops, wakes) * (1 + noise), loops)


def figures(found: Demand | None) -> list[float]:
    assert found is not None
    return [1e6 * value for value in (found.status_s, found.bulk_s, found.wake_s)]


@pytest.mark.parametrize(("loops", "wakes"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_the_demand_behind_exact_figures_is_found(loops: int, wakes: int) -> None:
    """Two loads and two mixes tell A, B and the wake-up apart, with any number of loops."""
    asked = [(500, 1 / 11), (2500, 1 / 11), (1000, 1 / 2), (1500, 1 / 11)]
    cells = [used(loops * rate, share, loops=loops, wakes=wakes) for rate, share in asked]
    assert figures(fit(cells, wakes)) == pytest.approx([120, 200, 90], rel=1e-6)


def test_full_load_is_told_from_light_cells() -> None:
    """CPU that repeats within 2 % gives the highest rate within 10 %, where one light cell alone is 70 % off."""
    cells = [used(rate, 1 / 11, noise=noise) for rate, noise in [(500, 0.02), (1500, -0.02), (3000, 0.02), (3500, -0.02)]]
    found = fit(cells)
    assert found is not None
    assert found.mean_s(1 / 11) == pytest.approx(TRUE.mean_s(1 / 11), rel=0.1)
    alone = fit(cells[:1])
    assert alone is not None
    assert alone.mean_s(1 / 11) > 1.6 * TRUE.mean_s(1 / 11)


def test_cells_of_one_mix_carry_the_mean() -> None:
    """A and B cannot be told apart then, and that is said."""
    found = fit([used(rate, 1 / 11) for rate in (500, 1500, 3000)])
    assert found is not None
    assert not found.split
    assert figures(found) == pytest.approx([127.27, 127.27, 90], rel=1e-3)


def test_cells_of_one_load_tell_no_wake_up() -> None:
    """The wake-ups are in the time of a poll then."""
    found = fit([used(rate, 1 / 11) for rate in (1000, 1010, 1020)])
    assert found is not None
    assert found.wake_s == 0


def test_a_demand_is_never_negative() -> None:
    """CPU per request that grows with load leaves no room for wake-ups; the mean remains."""
    found = fit([Usage(500, 0, 0.05), Usage(1500, 0, 0.16), Usage(3000, 0, 0.4)])
    assert found is not None
    assert found.wake_s == 0
    assert 100e-6 < found.status_s < 134e-6
    assert found.residual_ratio > 0.05


def test_nothing_measured_tells_nothing() -> None:
    """No cell, no CPU, no poll: there is no demand."""
    assert [fit(cells) for cells in ([], [Usage(0, 0, 0.5)], [Usage(100, 10, 0)])] == [None, None, None]


def test_wake_ups_vanish_at_full_load() -> None:
    """Where the loops are busy all the time, only the polls count, and beyond that the demand says by how much."""
    full = 1 / TRUE.status_s
    assert TRUE.cores(full, 0, 1) == pytest.approx(1)
    assert TRUE.cores(2 * full, 0, 1) == pytest.approx(2)
    assert TRUE.cores(0.01 * full, 0, 1) == pytest.approx(0.01 * (120 + 90) / 120, rel=0.02)
