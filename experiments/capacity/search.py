"""The search for the edge: which load to measure next, and what is known in the end.

Levels that were measured -> the next level, or a finding. Pure: a state worked out anew from everything that was seen, so a
search that was killed goes on by seeing the same again. A level is a number of devices; what it shows is `held`, `missed`,
or `blind` (no evidence: the generator gave up first, or the record is not to be believed).

1. Double from the smallest load until a level does not hold.
2. Bisect between the last that held and the first that did not, on a grid of steps above the former.
3. Confirm with several runs at the answer and as many a step above. Where they say otherwise, the answer moves by a step.

A level is decided by its first run if that holds. A miss is measured once more, since a machine that did something else for
a moment looks the same, and a third time if the two differ: two of three decide. Confirmation makes up for the favour: an
answer must hold in four of five runs, and the step above must not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Shown = Literal["held", "missed", "blind"]
Seen = Mapping[int, Sequence[Shown]]
"""Devices -> what each run with so many showed, in the order in which they were measured."""

_AGREE = 2
"""Misses that decide a level, and blind runs that show that nothing is to be seen there."""
_SURE = 0.8
"""Share of the confirming runs in which an answer must hold: 4 of 5."""


@dataclass(frozen=True)
class Rules:
    """How far and how finely to search."""

    smallest: int
    """Devices to begin with."""
    largest: int
    """Devices beyond which nothing is measured."""
    step_pct: float
    """A step of the grid, in percent of the level above which it begins."""
    confirmations: int
    """Runs at the answer, and a step above it."""

    def step(self, base: int) -> int:
        """Devices of a step above `base`."""
        return max(1, math.ceil(base * self.step_pct / 100))

    @property
    def needed(self) -> int:
        """Confirming runs that must hold."""
        return math.ceil(_SURE * self.confirmations)


@dataclass(frozen=True)
class Measure:
    """Measure this many devices next."""

    clients: int
    why: Literal["doubling", "bisecting", "confirming"]


Ending = Literal["edge", "smallest misses", "largest holds", "generator first", "no evidence"]


@dataclass(frozen=True)
class Finding:
    """The end of a search."""

    how: Ending
    """edge: `clients` hold and a step more do not. smallest misses: not even the smallest load is held. largest holds: no
    edge up to the largest load allowed. generator first: `clients` hold, and what lies above could not be seen. no
    evidence: nothing could be seen at all."""
    clients: int
    """The most devices that hold; 0 if none do."""
    above: int | None
    """The next level above, a step further; None where nothing above counts."""


def next_step(seen: Seen, rules: Rules) -> Measure | Finding:
    """What to do after everything seen so far; the same for the same."""
    low, level = 0, min(rules.smallest, rules.largest)
    while (shown := decided(seen.get(level, ()))) == "held":
        low, level = level, min(2 * level, rules.largest)
        if low == level:
            return _confirm(seen, rules, low, rules.step(low))
    if shown is None:
        return Measure(level, "doubling")
    if not low:
        return Finding("smallest misses" if shown == "missed" else "no evidence", 0, level)
    return _bisect(seen, rules, low, level)


def _bisect(seen: Seen, rules: Rules, base: int, high: int) -> Measure | Finding:
    """Halves the steps between `base`, which holds, and `high`, which does not."""
    step = rules.step(base)
    held, not_held = 0, math.ceil((high - base) / step)
    while not_held - held > 1:
        middle = (held + not_held) // 2
        shown = decided(seen.get(base + middle * step, ()))
        if shown is None:
            return Measure(base + middle * step, "bisecting")
        held, not_held = (middle, not_held) if shown == "held" else (held, middle)
    return _confirm(seen, rules, base + held * step, step)


def _confirm(seen: Seen, rules: Rules, answer: int, step: int) -> Measure | Finding:
    """Moves the answer by steps until it is confirmed and the step above it is not; each level has one verdict: it ends."""
    while True:
        above = min(answer + step, rules.largest)
        shown = confirmed(seen.get(answer, ()), rules)
        if shown is None:
            return Measure(answer, "confirming")
        if shown != "held":
            if answer <= rules.smallest:
                return Finding("smallest misses" if shown == "missed" else "no evidence", 0, answer)
            answer = max(rules.smallest, answer - step)
            continue
        if above <= answer:
            return Finding("largest holds", answer, None)
        further = confirmed(seen.get(above, ()), rules)
        if further is None:
            return Measure(above, "confirming")
        if further != "held":
            return Finding("edge" if further == "missed" else "generator first", answer, above)
        answer = above


def decided(runs: Sequence[Shown]) -> Shown | None:
    """What a level shows while the edge is looked for; None while that takes another run."""
    evidence = [shown for shown in runs if shown != "blind"]
    if evidence[:1] == ["held"]:
        return "held"
    for shown in ("held", "missed"):
        if evidence.count(shown) >= _AGREE:
            return shown
    return "blind" if len(runs) - len(evidence) >= _AGREE else None


def confirmed(runs: Sequence[Shown], rules: Rules) -> Shown | None:
    """What a level shows after its confirming runs; None while that takes another run."""
    evidence = [shown for shown in runs if shown != "blind"][: rules.confirmations]
    if len(evidence) == rules.confirmations:
        return "held" if evidence.count("held") >= rules.needed else "missed"
    blind = runs.count("blind")
    return "blind" if blind >= _AGREE and blind >= len(evidence) else None
