"""Pauses of a loop, found again in what they did to the polls of a light cell.

Now and then a loop stands still although it has work: the hypervisor takes its core, another program runs, memory is
collected. At light load only those polls notice that come during the pause, and each waits for the rest of it. At high load
the backlog has to be worked off as well, so the same pause is felt by many more. Hence the long delays of a light cell are
not replayed poll by poll, but as the pauses behind them.

Polls come at any moment alike, so with pauses of length D at rate r the share that waits longer than t is
r E[max(0, D - t)]. Over t that is a convex polyline, and each of its corners is a pause of that length; its rate is by how
much the slope changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Pauses = tuple[tuple[float, float], ...]
"""(length in seconds, pauses a second)."""


def pauses_behind(delays: Sequence[float]) -> Pauses:
    """The pauses that delay polls so.

    Args:
        delays: of evenly spaced quantiles of all polls, in seconds; 0 for those that met no pause.
    """
    ordered = sorted(delays)
    count = len(ordered)
    share = [(0.0, sum(delay > 0 for delay in ordered) / max(1, count))]
    share += [(delay, (count - place - 0.5) / count) for place, delay in enumerate(ordered) if delay > 0]
    corners = _convex(share)
    slopes = [(before[1] - after[1]) / (after[0] - before[0]) for before, after in pairwise(corners)]
    return tuple(
        (corner[0], slope - following)
        for corner, slope, following in zip(corners[1:], slopes, (*slopes[1:], 0.0), strict=False)
        if slope > following
    )


def _convex(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of the convex polyline just below these points, which come by rising x.

    Source: the lower half of Andrew, "Another efficient algorithm for convex hulls in two dimensions", 1979.
    """
    corners: list[tuple[float, float]] = []
    for x, y in points:
        while len(corners) > 1 and _bends_down(corners[-2], corners[-1], (x, y)):
            corners.pop()
        if corners and corners[-1][0] == x:
            corners[-1] = (x, min(y, corners[-1][1]))
        else:
            corners.append((x, y))
    return corners


def _bends_down(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0])
