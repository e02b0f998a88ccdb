"""Least squares of a few unknowns."""

import pytest

from experiments.predict.linear import least_squares


def test_exact_observations_give_the_coefficients() -> None:
    """More observations than unknowns, without noise, and columns of very different size."""
    rows = [[1.0, 1e-3 * n, 1e3 * n * n] for n in range(1, 6)]
    found = least_squares(rows, [2 + 3e-3 * n + 4e3 * n * n for n in range(1, 6)])
    assert found == pytest.approx([2, 3, 4], rel=1e-6)


def test_relative_errors_count() -> None:
    """Two readings of one figure, 1 and 2: the answer minimises the squares of the errors in percent, not in units."""
    found = least_squares([[1.0], [1.0]], [1.0, 2.0])
    assert found == pytest.approx([(1 + 1 / 2) / (1 + 1 / 4)])


@pytest.mark.parametrize("rows", [[], [[1.0, 2.0]], [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [[1.0, 0.0], [2.0, 0.0]]], ids=str)
def test_observations_that_cannot_tell_give_none(rows: list[list[float]]) -> None:
    """Too few, columns that go together, a column of nothing."""
    assert least_squares(rows, [1.0] * len(rows)) is None
