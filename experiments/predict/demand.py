"""Processor time of a poll, from the CPU figures of lightly loaded cells.

Cells -> seconds a poll of A, of B, and a wake-up, for the server and for the generators. A loop that has nothing to do
sleeps, and falling asleep and waking up costs: on a virtual machine about as much as answering. The busier it is the less
often it sleeps, so CPU per request falls with load, and the figure of a light cell alone would put the edge far too low.

A poll finds its loop asleep as often as the loop is idle (Poisson arrivals see time averages; many devices with random
phases are near enough), so with x polls a second a loop uses

    u = x_A s_A + x_B s_B + x w (1 - u)

cores: s for a poll, w for a wake-up. That is linear in s_A, s_B and w, and is fitted by least squares. Full load is u = 1,
where nobody sleeps: 1 / s polls a second.

Source: the M/G/1 queue whose first service of a busy period is longer; Welch, "On a generalized M/G/1 queuing process in
which the first customer of each busy period receives exceptional service", Operations Research 12, 1964.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.predict.linear import least_squares
from experiments.schedule import Plan

_APART = 0.02
"""Shares of B that differ by less tell A and B no better apart than CPU repeats: 2 %."""
_LOADS_APART = 0.15
"""Loads that differ by less do not tell a wake-up from a poll."""


@dataclass(frozen=True)
class Usage:
    """What one side (the server, or the generators) used in one cell."""

    status_per_s: float
    """Polls of A a second."""
    bulk_per_s: float
    """Polls of B a second."""
    cores: float
    """CPU seconds a second, all loops together."""
    loops: int = 1
    """Worker processes of the server, or generators."""

    @property
    def load(self) -> float:
        """Share of the time in which a loop is busy, 0-1."""
        return min(1.0, self.cores / self.loops)


@dataclass(frozen=True)
class Demand:
    """Processor time, in seconds."""

    status_s: float
    """Of a poll of A."""
    bulk_s: float
    """Of a poll of B."""
    wake_s: float
    """Of falling asleep and waking up, each time that a loop does; 0 where that could not be told."""
    split: bool
    """Whether A and B could be told apart; else both carry the mean."""
    residual_ratio: float = 0.0
    """Largest relative difference between a cell and the fit."""

    def mean_s(self, bulk_share: float) -> float:
        """A poll of the mix, wake-ups left out."""
        return self.status_s + bulk_share * (self.bulk_s - self.status_s)

    def cores(self, status_per_s: float, bulk_per_s: float, loops: int, wakes: int = 1) -> float:
        """Cores that these polls take, all loops together; more than `loops` is more than there are."""
        busy = status_per_s * self.status_s + bulk_per_s * self.bulk_s
        asleep = wakes * (status_per_s + bulk_per_s) * self.wake_s / loops
        return (busy + asleep * loops) / (1 + asleep) if busy < loops else busy


def bulk_share(plan: Plan) -> float:
    """Polls of B among all polls of a plan, in the long run, 0-1."""
    return plan.rates["bulk"] / plan.polls_per_s


def fit(cells: Sequence[Usage], wakes: int = 1) -> Demand | None:
    """The demand that explains the cells best; simpler where they cannot tell more, None where they tell nothing.

    Args:
        cells: of one number of loops, lightly loaded.
        wakes: how often a poll may wake the loop: once at the server, twice at a generator (to send, and to read).
    """
    seen = [cell for cell in cells if cell.cores > 0 and cell.status_per_s + cell.bulk_per_s > 0]
    for split, wake in _terms(seen):
        rows = [list(_columns(cell, wakes, split=split, wake=wake)) for cell in seen]
        found = least_squares(rows, [cell.cores for cell in seen])
        if found is not None and min(found) >= 0:
            return _demand(found, rows, seen, split=split, wake=wake)
    return None


def _terms(cells: Sequence[Usage]) -> Iterable[tuple[bool, bool]]:
    """What to try to tell apart (A from B, polls from wake-ups), the most first."""
    split = _spread(cell.bulk_per_s / (cell.status_per_s + cell.bulk_per_s) for cell in cells) > _APART
    wake = _spread(cell.load for cell in cells) > _LOADS_APART
    wanted = [(split, wake), (False, wake), (split, False), (False, False)]
    return dict.fromkeys(wanted)


def _spread(values: Iterable[float]) -> float:
    seen = list(values)
    return max(seen) - min(seen) if seen else 0.0


def _columns(cell: Usage, wakes: int, *, split: bool, wake: bool) -> Iterable[float]:
    total = cell.status_per_s + cell.bulk_per_s
    yield from (cell.status_per_s, cell.bulk_per_s) if split else (total,)
    if wake:
        yield wakes * total * (1 - cell.load)


def _demand(found: list[float], rows: list[list[float]], cells: Sequence[Usage], *, split: bool, wake: bool) -> Demand:
    fitted = [sum(a * b for a, b in zip(row, found, strict=True)) for row in rows]
    off = max(abs(value / cell.cores - 1) for value, cell in zip(fitted, cells, strict=True))
    return Demand(found[0], found[1] if split else found[0], found[-1] if wake else 0.0, split, off)
