"""How far one system is from another, when the run is the replicate and runs are paired by their block.

Figures of runs -> ratios with intervals, and whether a difference may be claimed. Pure.

Two runs of one block are neighbours in time, so what the machine did then has slowed both; the logarithm of their quotient
is one observation. Five blocks are five observations, whatever the number of polls within a run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from experiments.analyse.student import mean_interval, p_of_mean, t975, two_sided_p

ALPHA = 0.05
"""How often a difference may be claimed where there is none."""
FEWEST_BLOCKS = 5
"""With fewer a ratio is provisional. Source: identical systems, 3 against 3 and 5 against 5 runs, were called different in
24 % and 15 % of cases by a bootstrap (simulated); t-intervals on paired logarithms hold their 5 %, but those of three pairs
are wide enough to say nothing."""

Kind = Literal["more", "less", "cannot tell apart", "provisional"]


@dataclass(frozen=True)
class Ratio:
    """What one system needs for what the other needs, over the blocks that have both."""

    value: float
    """Geometric mean of the quotients."""
    low: float | None
    """Ends of the 95 % interval; None with fewer blocks than an interval takes."""
    high: float | None
    p: float | None
    """How often chance alone would make so great a difference of two equal systems; None likewise."""
    blocks: int
    """Pairs that it rests on: blocks of runs, or the pieces of a duet, of which neighbours that are alike count as one."""

    def kind(self, p: float | None = None) -> Kind:
        """More or less only where that may be claimed.

        Args:
            p: the one to decide by, where several comparisons were made; None for its own.
        """
        decides = self.p if p is None else p
        if decides is None:
            return "provisional"
        if decides > ALPHA:
            return "cannot tell apart"
        return "more" if self.value > 1 else "less"


def ratio(pairs: Sequence[tuple[float, float]]) -> Ratio | None:
    """The ratio of the first to the second of each pair; None without pairs.

    Args:
        pairs: figures above zero of the two systems, a pair per block.
    """
    logs = [math.log(one / other) for one, other in pairs]
    if not logs:
        return None
    if len(logs) < FEWEST_BLOCKS:
        return Ratio(math.exp(fmean(logs)), None, None, None, len(logs))
    mean, half = mean_interval(logs)
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), p_of_mean(logs), len(logs))


def of_pieces(told: Mapping[str, Any]) -> Ratio | None:
    """The ratio of a duet, as its summary has it; None where no piece has both.

    Args:
        told: estimate, low, high, pieces and block; `analyse.duets.interval` says how they come about.
    """
    if told["estimate"] is None:
        return None
    value, low, high = (told[name] for name in ("estimate", "low", "high"))
    pairs = told["pieces"] // told["block"]
    if low is None or high is None:
        return Ratio(value, None, None, None, pairs)
    freedom = max(1, pairs - 1)
    error = math.log(high / low) / 2 / t975(freedom)
    p = two_sided_p(math.log(value) / error, freedom) if error else float(value == 1)
    return Ratio(value, low, high, p, pairs)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """p values, raised so that all claims together are wrong in no more cases than one alone would be.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    raised, so_far = {}, 0.0
    for place, name in enumerate(sorted(values, key=lambda name: values[name])):
        so_far = max(so_far, min(1.0, (len(values) - place) * values[name]))
        raised[name] = so_far
    return raised


def variation(values: Sequence[float]) -> float | None:
    """Coefficient of variation: standard deviation as a part of the mean; None for fewer than two values."""
    return stdev(values) / fmean(values) if len(values) > 1 and fmean(values) else None
