"""The mean of a series of logarithms of ratios, and an interval for it that knows that neighbours are alike.

Numbers -> numbers. What disturbs a machine may last longer than a piece, so that neighbouring pieces are no independent
witnesses: they are averaged in blocks until the blocks are, as far as can be told, and Student's t is that of the blocks. A
moment in which others took the machine away from one server alone would weigh as much as all the rest, so the mean leaves
the tenth of the blocks out that is lowest, and the tenth that is highest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Literal

from experiments.analyse.student import t975

FEWEST_PIECES = 10
"""With fewer there is no interval."""
_FEWEST_BLOCKS = 10
"""Blocks get no longer than leaves so many of them: with 9 degrees of freedom an interval is a sixth wider than with all."""
_TRIMMED = 0.1
"""Part of the blocks that is left out on each side. In 15 real series of a server against itself, while 5 to 27 others
wanted the two cores, intervals were so a tenth narrower for CPU and a quarter for the response than those of the whole
mean; of independent Gaussian blocks they are a thirtieth wider."""
_T90 = 1.3
"""90 % quantile of Student's t with many degrees of freedom; 1.38 with 9."""

Kind = Literal["more", "less", "cannot tell apart", "not measurable"]


@dataclass(frozen=True)
class Ratio:
    """What the second server needs for what the first needs."""

    estimate: float | None
    """Geometric mean over the pieces, without the extreme ones."""
    low: float | None = None
    """Ends of the 95 % interval; None with fewer pieces than it takes."""
    high: float | None = None
    pieces: int = 0
    block: int = 1
    """Neighbouring pieces that were taken as one."""

    @property
    def kind(self) -> Kind:
        """More or less only where the interval leaves the other out."""
        if self.low is None or self.high is None:
            return "not measurable"
        return "more" if self.low > 1 else "less" if self.high < 1 else "cannot tell apart"

    @property
    def half_width_pct(self) -> float | None:
        """Half of the interval, on the scale of logarithms, in percent."""
        if self.low is None or self.high is None:
            return None
        return 100 * (math.sqrt(self.high / self.low) - 1)

    @property
    def smallest_detectable_pct(self) -> float | None:
        """The smallest difference that nine of ten runs like this one would have shown.

        A run shows a difference when its estimate is further from 1 than its interval reaches, and estimates scatter: nine
        of ten are above what is true less 1.3 standard errors.
        """
        if self.low is None or self.high is None:
            return None
        half = math.log(self.high / self.low) / 2
        error = half / t975(_freedom(self.pieces // self.block))
        return 100 * math.expm1(half + _T90 * error)


def ratio(logs: Sequence[float]) -> Ratio:
    """The ratio that a series of logarithms tells of.

    Args:
        logs: of the ratio of each piece, in the order of time.
    """
    if not logs:
        return Ratio(None)
    if len(logs) < FEWEST_PIECES:
        return Ratio(math.exp(fmean(logs)), pieces=len(logs))
    block = block_length(logs)
    mean, half = trimmed(blocks(logs, block))
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), len(logs), block)


def trimmed(values: Sequence[float]) -> tuple[float, float]:
    """The mean of the middle of some values, and half of its 95 % interval.

    Source: Tukey & McLaughlin, "Less vulnerable confidence and significance procedures for location based on a single
    sample", Sankhya A 25, 1963: the standard error is that of the Winsorized values.
    """
    ordered, count = sorted(values), len(values)
    cut = _cut(count)
    middle = ordered[cut : count - cut]
    winsorized = [middle[0]] * cut + middle + [middle[-1]] * cut
    centre = fmean(winsorized)
    spread = math.sqrt(math.fsum((value - centre) ** 2 for value in winsorized) / (count - 1))
    error = spread / ((1 - 2 * cut / count) * math.sqrt(count))
    return fmean(middle), t975(_freedom(count)) * error


def _cut(count: int) -> int:
    return int(_TRIMMED * count)


def _freedom(count: int) -> int:
    return max(1, count - 2 * _cut(count) - 1)


def block_length(values: Sequence[float]) -> int:
    """How many neighbours must be averaged until what comes out is no more like its neighbours than chance has it."""
    length = 1
    while len(values) // (length + 1) >= _FEWEST_BLOCKS and alike(blocks(values, length)):
        length += 1
    return length


def blocks(values: Sequence[float], length: int) -> list[float]:
    """Means of so many neighbours each; the first of all are left out where they do not make a whole block."""
    rest = len(values) % length
    return [fmean(values[place : place + length]) for place in range(rest, len(values), length)]


def alike(values: Sequence[float]) -> bool:
    """Whether neighbours are more alike than one in ten series of independent values has them.

    By the ratio of the mean square of successive differences to the variance, which is 2 for independent values and has the
    standard deviation 2 sqrt((n - 2) / (n^2 - 1)). Source: von Neumann, "Distribution of the Ratio of the Mean Square
    Successive Difference to the Variance", Annals of Mathematical Statistics 12, 1941.
    """
    count, mean = len(values), fmean(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    if count < 4 or not spread:
        return False
    steps = math.fsum((after - before) ** 2 for before, after in pairwise(values))
    deviation = 2 * math.sqrt((count - 2) / (count**2 - 1))
    return steps / spread * count / (count - 1) < 2 * count / (count - 1) - 1.2816 * deviation
