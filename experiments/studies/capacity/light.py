"""Which light cells a forecast is learnt from: pure, like the search.

What was seen so far -> the next light load to measure. CPU per poll falls with load, so the ends of the light range tell
most:
the smallest load, one a little below the highest that counts as light, each twice, one between them; and, to tell A from B,
one of another mix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.predict.forecast import LIGHT
from experiments.schedule import Plan

_AIM = 0.52
"""Load to aim at for the upper end: CPU grows less than devices do, so aiming higher would overshoot at times."""
_NEAR = 0.42
"""From which load on the upper end is high enough."""
_MOST_AT_ONCE = 4
"""Times as many devices as in the cell before."""
_TRIES = 4
_BLIND = 2
"""Runs without figures after which a load is given up."""


@dataclass(frozen=True)
class Light:
    """A light cell to measure."""

    clients: int
    number: int = 1
    """Which of the runs with so many."""


def next_light(seen: Mapping[int, Sequence[float]], smallest: int, largest: int) -> Light | None:
    """What to measure next; None when that is all, or when nothing light is to be had.

    Args:
        seen: devices -> load of each cell with so many, as a share of a worker's core, 0 where a cell gave none.
    """
    climb = _climb(seen, smallest, largest)
    if isinstance(climb, Light):
        return climb
    light = [clients for clients in climb if 0 < _load(seen[clients]) <= LIGHT]
    if not light:
        return None
    wanted = [min(light), max(light)]
    middle = round(math.sqrt(min(light) * max(light)))
    if middle not in seen and max(light) > 2 * min(light):
        return Light(middle)
    return next((Light(clients, 2) for clients in dict.fromkeys(wanted) if len(seen[clients]) < 2), None)


def _climb(seen: Mapping[int, Sequence[float]], smallest: int, largest: int) -> Light | list[int]:
    """The next cell on the way up to the upper end of the light range, or all cells of the way."""
    way = [smallest]
    while way[-1] in seen:
        load = _load(seen[way[-1]])
        if not load and len(seen[way[-1]]) < _BLIND:
            return Light(way[-1], 1 + len(seen[way[-1]]))
        further = min(largest, int(way[-1] * min(_MOST_AT_ONCE, _AIM / load))) if load > 0 else way[-1]
        if load >= _NEAR or further <= way[-1] or len(way) >= _TRIES:
            return way
        way.append(further)
    return Light(way[-1])


def _load(loads: Sequence[float]) -> float:
    """Of the first cell that gave one; 0 if none did."""
    return next((load for load in loads if load > 0), 0.0)


def other_mix(plan: Plan) -> tuple[str, int] | None:
    """A ratio that tells A from B, and how many devices then poll as often as those of the plan; None for one endpoint.

    The mix is 1:1, or 3:1 where it is about that already.
    """
    low, high = sorted(plan.rates.values())
    if low == 0:
        return None
    ratio, per_round = ("1:1", 2.0) if low / high < 0.6 else ("3:1", 4 / 3)
    return ratio, max(1, round(plan.clients * (1 + low / high) / per_round))
