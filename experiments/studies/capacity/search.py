"""The search for the edge: which load to measure next, and what is known in the end.

Levels that were measured -> the next level, or a finding. Pure: a state worked out anew from everything that was seen, so a
search that was killed goes on by seeing the same again. A level is a number of devices; what it shows is `held`, `missed`,
or `inconclusive` (no evidence: the generator gave up first, or the record is not to be believed).

1. Double from the smallest load until a level does not hold.
2. Bisect between the last that held and the first that did not, on a grid of steps above the former.
3. Confirm with several new runs at the answer, and a step above. Where they say otherwise, the answer moves by a step.

A level is decided by its first run if that holds. A miss is measured once more, since a machine that did something else for
a moment looks the same, and a third time if the two differ: two of three decide. Confirmation makes up for the favour: an
answer must hold in four of five runs, and the step above must not. The runs that decided a level are no confirmation of it:
they were chosen for what they showed. A level that can no longer hold in enough runs is not measured any further.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Shown = Literal["pass", "fail", "inconclusive"]
Seen = Mapping[int, Sequence[Shown]]
"""Devices -> what each run with so many showed, in the order in which they were measured."""

_AGREE = 2
"""Misses that decide a level, and inconclusive runs that show that nothing is to be seen there."""
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
    """New runs at the answer, and a step above it; fewer where it can hold in enough of them no more."""
    anew: bool = True
    """Whether the runs that decided a level are left out of its confirmation. False in searches of before, where they
    counted and every level had all its runs: what they found stays what they found."""

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


@dataclass(frozen=True)
class _Edge:
    """What is to be confirmed."""

    answer: int
    step: int
    decided: frozenset[int]
    """Levels that were decided on the way here."""


def next_step(seen: Seen, rules: Rules) -> Measure | Finding:
    """What to do after everything seen so far; the same for the same."""
    found = _edge(seen, rules)
    return _confirm(seen, rules, found) if isinstance(found, _Edge) else found


def confirming(seen: Seen, rules: Rules, clients: int) -> Sequence[Shown]:
    """The runs at a level that confirm it or not: those by which it was decided on the way are left out."""
    found = _edge(seen, rules)
    return _confirming(seen, rules, found, clients) if isinstance(found, _Edge) else ()


def _edge(seen: Seen, rules: Rules) -> Measure | Finding | _Edge:
    """Doubles until a level does not hold, then halves the steps between."""
    low, level, tried = 0, min(rules.smallest, rules.largest), set[int]()
    while (shown := decided(seen.get(level, ()))) == "pass":
        tried.add(level)
        low, level = level, min(2 * level, rules.largest)
        if low == level:
            return _Edge(low, rules.step(low), frozenset(tried))
    if shown is None:
        return Measure(level, "doubling")
    if not low:
        return Finding("smallest misses" if shown == "fail" else "no evidence", 0, level)
    return _bisect(seen, rules, low, level, {*tried, level})


def _bisect(seen: Seen, rules: Rules, base: int, high: int, tried: set[int]) -> Measure | _Edge:
    """Halves the steps between `base`, which holds, and `high`, which does not."""
    step = rules.step(base)
    held, not_held = 0, math.ceil((high - base) / step)
    while not_held - held > 1:
        middle = (held + not_held) // 2
        shown = decided(seen.get(base + middle * step, ()))
        if shown is None:
            return Measure(base + middle * step, "bisecting")
        tried.add(base + middle * step)
        held, not_held = (middle, not_held) if shown == "pass" else (held, middle)
    return _Edge(base + held * step, step, frozenset(tried))


def _confirm(seen: Seen, rules: Rules, edge: _Edge) -> Measure | Finding:
    """Moves the answer by steps until it is confirmed and the step above it is not; each level has one verdict: it ends."""
    answer = edge.answer
    while True:
        above = min(answer + edge.step, rules.largest)
        shown = confirmed(_confirming(seen, rules, edge, answer), rules)
        if shown is None:
            return Measure(answer, "confirming")
        if shown != "pass":
            if answer <= rules.smallest:
                return Finding("smallest misses" if shown == "fail" else "no evidence", 0, answer)
            answer = max(rules.smallest, answer - edge.step)
            continue
        if above <= answer:
            return Finding("largest holds", answer, None)
        further = confirmed(_confirming(seen, rules, edge, above), rules)
        if further is None:
            return Measure(above, "confirming")
        if further != "pass":
            return Finding("edge" if further == "fail" else "generator first", answer, above)
        answer = above


def _confirming(seen: Seen, rules: Rules, edge: _Edge, clients: int) -> Sequence[Shown]:
    runs = seen.get(clients, ())
    if not rules.anew or clients not in edge.decided:
        return runs
    by = next(number for number in range(1, len(runs) + 1) if decided(runs[:number]))
    return runs[by:]


def decided(runs: Sequence[Shown]) -> Shown | None:
    """What a level shows while the edge is looked for; None while that takes another run."""
    evidence = [shown for shown in runs if shown != "inconclusive"]
    if evidence[:1] == ["pass"]:
        return "pass"
    for shown in ("pass", "fail"):
        if evidence.count(shown) >= _AGREE:
            return shown
    return "inconclusive" if len(runs) - len(evidence) >= _AGREE else None


def confirmed(runs: Sequence[Shown], rules: Rules) -> Shown | None:
    """What a level shows after its confirming runs; None while that takes another run."""
    evidence = [shown for shown in runs if shown != "inconclusive"][: rules.confirmations]
    if rules.anew and evidence.count("fail") > rules.confirmations - rules.needed:
        return "fail"
    if len(evidence) == rules.confirmations:
        return "pass" if evidence.count("pass") >= rules.needed else "fail"
    inconclusive = runs.count("inconclusive")
    return "inconclusive" if inconclusive >= _AGREE and inconclusive >= len(evidence) else None
