"""How often the method is wrong: measured on runs of one and the same system, and on made-up data whose truth is known.

Figures of runs -> rates. Random, but with a seed of its own, so that a report made again says the same.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Literal, get_args

from experiments.studies.compare.statistics import ALPHA, FEWEST_BLOCKS, holm, ratio

FEWEST_RUNS = 30
"""Runs of a pool that is worth splitting."""
SPLITS = 200
_TRIALS = 2000
_RUNS_APART = 0.02
"""Logarithmic spread of made-up runs of one system: CPU per request repeats within about 2 %."""
_BLOCKS_APART = 0.10
"""That of made-up blocks: what else the machine does drifts more than runs in a row do, and hits both of a pair."""
_DRIFT = 0.10
"""How much dearer the last run of a made-up block is than its first, where the machine drifts: as much as blocks differ."""
_CONTROLS = 2
"""Runs of the system that all are held against, in every block of every series."""
_KNOWN_RATIO = 1.2
_SEED = 1

Data = Literal["normal", "heavy tails", "drifting"]
"""Of made-up runs. normal: as the interval assumes. heavy tails: Student's t with 3 degrees of freedom, where one run in
65 is off by more than five times the usual. drifting: the machine gets slower over a block, and the order is drawn."""
DATA: tuple[Data, ...] = get_args(Data)
MADE_UP = (
    "Made-up data: normal is what the interval assumes; with heavy tails one run in 65 is off by more than five times the "
    "usual; drifting is a machine that gets 10 % slower over a block, in which the order of runs is drawn."
)


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    wrong: int
    tried: int

    @property
    def percent(self) -> float:
        return 100 * self.wrong / self.tried


def resplit(pool: Mapping[int, Sequence[float]], *, splits: int = SPLITS) -> Rate | None:
    """How often a system is called different from itself.

    Each split draws two runs of every block in a random order, as if they were of two systems, and decides as for two
    systems.

    Args:
        pool: block -> figures of its runs, all of one system.

    Returns:
        None where the pool is too small: fewer than 30 runs, or fewer than 5 blocks with two.
    """
    blocks = [values for values in pool.values() if len(values) > 1]
    if len(blocks) < FEWEST_BLOCKS or sum(map(len, blocks)) < FEWEST_RUNS:
        return None
    chance = random.Random(_SEED)

    def differs() -> bool:
        drawn = (chance.sample(list(values), 2) for values in blocks)
        found = ratio([(first, second) for first, second in drawn])
        return found is not None and found.kind() in ("more", "less")

    return Rate(sum(differs() for _ in range(splits)), splits)


@cache
def missed_truth(data: Data = "normal", *, trials: int = _TRIALS) -> Rate:
    """How often a 95 % interval of five blocks leaves out the ratio of which the data were made."""
    chance = random.Random(_SEED)

    def missed() -> bool:
        (found,) = (ratio(pairs) for pairs in _made_up(chance, data, {"one": _KNOWN_RATIO}).values())
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        return not found.low <= _KNOWN_RATIO <= found.high

    return Rate(sum(missed() for _ in range(trials)), trials)


@cache
def false_claims(systems: int, data: Data = "normal", *, trials: int = _TRIALS) -> Rate:
    """How often any of so many systems, all equal to the first, is called different from it, after Holm."""
    chance = random.Random(_SEED)

    def claimed() -> bool:
        found = (ratio(pairs) for pairs in _made_up(chance, data, {str(n): 1.0 for n in range(systems)}).values())
        values = {str(n): one.p for n, one in enumerate(found) if one is not None and one.p is not None}
        return any(p <= ALPHA for p in holm(values).values())

    return Rate(sum(claimed() for _ in range(trials)), trials)


def _made_up(chance: random.Random, data: Data, truth: Mapping[str, float]) -> dict[str, list[tuple[float, float]]]:
    """Pairs of each system with the one that all are held against, which has two runs a block, and others one."""
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in truth}
    for _ in range(FEWEST_BLOCKS):
        runs = len(truth) + _CONTROLS
        block = chance.gauss(0, _BLOCKS_APART)
        logs = [block + off + run_off(chance, data) for off in drift(chance, data, runs)]
        control = math.exp(fmean(logs[-_CONTROLS:]))
        for (name, known), log in zip(truth.items(), logs, strict=False):
            pairs[name].append((known * math.exp(log), control))
    return pairs


def run_off(chance: random.Random, data: Data) -> float:
    """How far a run is off, as a logarithm."""
    normal = chance.gauss(0, _RUNS_APART)
    # Student's t with 3 degrees of freedom: a normal variate over the root of the mean of three squared ones.
    return normal / math.sqrt(chance.gammavariate(1.5, 2.0) / 3) if data == "heavy tails" else normal


def drift(chance: random.Random, data: Data, runs: int) -> list[float]:
    """How much slower the machine is at each of a block's runs, in the order that was drawn for them."""
    slope = _DRIFT if data == "drifting" else 0.0
    return [slope * place / (runs - 1) for place in chance.sample(range(runs), runs)]
