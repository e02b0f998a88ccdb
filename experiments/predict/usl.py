"""The Universal Scalability Law: what throughput does as more of something works side by side.

Throughput X at N workers (or N devices that poll again as soon as they are answered) is taken for

    X(N) = l N / (1 + s (N - 1) + k N (N - 1))

l: throughput of one; s: the part of the work for which they wait for one another (contention); k: what keeping in step
costs (coherency). Then N / X = 1/l + (s/l) (N - 1) + (k/l) N (N - 1), which is linear, and is fitted by least squares.

Source: Gunther, "Guerrilla Capacity Planning", 2007, chapters 4-6; "A General Theory of Computational Scalability Based on
Rational Functions", arXiv:0808.1431.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.predict.linear import least_squares

FEWEST = 4
"""Different N needed for three coefficients: with three the curve goes through every point and proves nothing."""
_MISFIT = 0.15
"""A curve that is further off at any point describes something else."""


@dataclass(frozen=True)
class Law:
    """The fitted law."""

    one_per_s: float
    """l, polls a second."""
    contention: float
    """s, 0-1 where it is a share."""
    coherency: float
    """k."""
    residual_ratio: float
    """Largest relative difference between a point and the curve."""

    def throughput(self, n: float) -> float:
        """X(N), polls a second."""
        return self.one_per_s * n / (1 + self.contention * (n - 1) + self.coherency * n * (n - 1))

    @property
    def most_at(self) -> float:
        """N at which throughput is highest; infinite without coherency cost."""
        return math.sqrt((1 - self.contention) / self.coherency) if self.coherency > 0 and self.contention < 1 else math.inf

    @property
    def most_per_s(self) -> float:
        """The highest throughput, reached or approached; infinite where nothing limits it."""
        if math.isfinite(self.most_at):
            return self.throughput(max(1.0, self.most_at))
        return self.one_per_s / self.contention if self.contention > 0 else math.inf


@dataclass(frozen=True)
class Unidentified:
    """There is no law to be had from these points."""

    reason: str
    """One sentence."""


def fit(points: Sequence[tuple[int, float]]) -> Law | Unidentified:
    """The law through points (N, throughput); several points of one N are repeats."""
    levels = sorted({n for n, throughput in points if n >= 1 and throughput > 0})
    if len(levels) < FEWEST:
        came = f"{len(levels)} different N were measured" if levels else "nothing was measured"
        return Unidentified(f"The law cannot be identified: {came}, and its three coefficients need at least {FEWEST} N.")
    seen = [(n, x) for n, x in points if n >= 1 and x > 0]
    # A coefficient that comes out below zero is not there as far as these points tell; the law is fitted again without.
    for columns in ((0, 1, 2), (0, 1), (0, 2), (0,)):
        rows = [[(1.0, n - 1.0, n * (n - 1.0))[column] for column in columns] for n, _ in seen]
        found = least_squares(rows, [n / x for n, x in seen])
        if found is not None and found[0] > 0 and min(found) >= 0:
            return _checked(dict(zip(columns, found, strict=True)), seen)
    return Unidentified("The law cannot be identified: its coefficients come out negative; throughput grew faster than N.")


def _checked(found: dict[int, float], points: Sequence[tuple[int, float]]) -> Law | Unidentified:
    one = 1 / found[0]
    law = Law(one, found.get(1, 0.0) * one, found.get(2, 0.0) * one, 0.0)
    off = max(abs(law.throughput(n) / x - 1) for n, x in points)
    if off > _MISFIT:
        return Unidentified(
            f"The law does not describe these points: the best curve is {100 * off:.0f} % off at one of them, more than "
            f"{100 * _MISFIT:.0f} %."
        )
    return Law(law.one_per_s, law.contention, law.coherency, off)
