"""Least squares for a handful of unknowns, so that a fit of three figures needs no numerical library.

Rows and targets -> coefficients. Knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence

_SINGULAR = 1e-9
"""A pivot this small beside its column says that two columns tell the same."""


def least_squares(rows: Sequence[Sequence[float]], targets: Sequence[float]) -> list[float] | None:
    """Coefficients b that make the sum of ((row . b - target) / target)^2 smallest.

    Relative errors, because CPU and throughput are measured to so many percent, not to so many units.

    Args:
        rows: one line an observation, one figure an unknown.
        targets: above zero.

    Returns:
        None where the observations cannot tell the unknowns apart: too few, or columns that go together.

    Source: normal equations solved by Gauss-Jordan elimination with pivoting; Golub & Van Loan, "Matrix Computations",
    section 5.3.
    """
    if not rows or len(rows) < len(rows[0]):
        return None
    scaled = [[value / target for value in row] for row, target in zip(rows, targets, strict=True)]
    norms = [sum(row[i] ** 2 for row in scaled) ** 0.5 for i in range(len(rows[0]))]
    if 0 in norms:
        return None
    unit = [[value / norm for value, norm in zip(row, norms, strict=True)] for row in scaled]
    places = range(len(norms))
    system = [[sum(row[i] * row[j] for row in unit) for j in places] + [sum(row[i] for row in unit)] for i in places]
    solved = _solved(system)
    return None if solved is None else [value / norm for value, norm in zip(solved, norms, strict=True)]


def _solved(system: list[list[float]]) -> list[float] | None:
    """What the unknowns of a square system are, each row with its right side last; None where it is singular."""
    places = range(len(system))
    for column in places:
        pivot = max(places[column:], key=lambda i: abs(system[i][column]))
        if abs(system[pivot][column]) < _SINGULAR:
            return None
        system[column], system[pivot] = system[pivot], system[column]
        for i in places:
            if i != column:
                factor = system[i][column] / system[column][column]
                system[i] = [a - factor * b for a, b in zip(system[i], system[column], strict=True)]
    return [system[i][-1] / system[i][i] for i in places]
