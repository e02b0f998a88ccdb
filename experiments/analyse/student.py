"""Student's t, as far as few repeats need it: intervals of a mean, and how surprising a mean away from zero is.

Numbers -> numbers. Degrees of freedom are whole numbers here, for which the distribution has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

_T975 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantile of Student's t with 1 to 30 degrees of freedom; the last one serves for more, which is on the safe side.
Source: NIST/SEMATECH, "e-Handbook of Statistical Methods", section 1.3.6.7.2."""


def t975(freedom: int) -> float:
    """The quantile that a two-sided 95 % interval needs."""
    return _T975[min(freedom, len(_T975)) - 1]


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean of two values or more, and half of its 95 % interval.

    Source: NIST/SEMATECH, "e-Handbook of Statistical Methods", section 1.3.5.2.
    """
    return fmean(values), t975(len(values) - 1) * _standard_error(values)


def p_of_mean(values: Sequence[float]) -> float:
    """How often a mean of two values or more would lie so far from zero if nothing but chance were at work."""
    error = _standard_error(values)
    if not error:
        return 0.0 if fmean(values) else 1.0
    return two_sided_p(fmean(values) / error, len(values) - 1)


def _standard_error(values: Sequence[float]) -> float:
    """Of the mean of two values or more. Plain floats: `statistics.variance` counts in fractions, at 20 times the cost."""
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


def two_sided_p(t: float, freedom: int) -> float:
    """The part of Student's t beyond `t` on both sides.

    Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 26.7.3 (odd degrees of freedom) and 26.7.4 (even).
    """
    angle = math.atan(abs(t) / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for step in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine**2 * (step - 1) / step
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return min(1.0, max(0.0, 1.0 - within))
