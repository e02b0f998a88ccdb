"""The Universal Scalability Law on points whose coefficients are known."""

import math

import pytest

from experiments.predict.usl import Law, Unidentified, fit

LEVELS = (1, 2, 4, 8, 16, 32)


def points(law: Law, noise: float = 0.0) -> list[tuple[int, float]]:
    """Throughput by the law, alternately too high and too low."""
    return [(n, law.throughput(n) * (1 + noise * (-1) ** i)) for i, n in enumerate(LEVELS)]


@pytest.mark.parametrize(("contention", "coherency"), [(0.05, 0.001), (0.3, 0.0), (0.0, 0.002), (0.9, 0.01), (0.0, 0.0)])
def test_the_law_behind_exact_points_is_found(contention: float, coherency: float) -> None:
    """All three coefficients come out as they went in, zeros included."""
    found = fit(points(Law(1000.0, contention, coherency, 0.0)))
    assert isinstance(found, Law)
    assert [found.one_per_s, found.contention, found.coherency] == pytest.approx([1000, contention, coherency], abs=1e-6)
    assert found.residual_ratio < 1e-6


def test_noise_of_two_percent_moves_the_peak_little() -> None:
    """The highest throughput is within 5 % of the true one."""
    true = Law(1000.0, 0.05, 0.001, 0.0)
    found = fit(points(true, noise=0.02))
    assert isinstance(found, Law)
    assert found.most_per_s == pytest.approx(true.most_per_s, rel=0.05)


def test_where_throughput_ends() -> None:
    """Coherency gives a peak, contention a ceiling, and a law with neither has no end."""
    assert Law(10.0, 0.04, 0.06, 0).most_at == 4
    assert Law(10.0, 0.04, 0.06, 0).most_per_s == Law(10.0, 0.04, 0.06, 0).throughput(4)
    assert Law(10.0, 0.5, 0.0, 0).most_per_s == 20
    assert math.isinf(Law(10.0, 0.0, 0.0, 0).most_per_s)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ([(1, 10.0), (2, 19.0)], "2 different N"),
        ([(1, 10.0), (1, 10.1), (2, 19.0), (4, 30.0)], "3 different N"),
        ([(1, 10.0), (2, 0.0), (4, 30.0), (8, 40.0)], "3 different N"),
        ([(1, 10.0), (2, 40.0), (4, 5.0), (8, 90.0)], "does not describe"),
    ],
)
def test_points_that_identify_no_law_are_refused_with_the_reason(seen: list[tuple[int, float]], says: str) -> None:
    """Too few levels, or a shape that is not the law's: no coefficients are made up."""
    found = fit(seen)
    assert isinstance(found, Unidentified)
    assert says in found.reason
