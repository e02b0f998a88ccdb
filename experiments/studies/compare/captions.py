"""What stands below the tables of a comparison: how its figures came about, and what may be claimed of them."""

from __future__ import annotations

from experiments.studies.compare.statistics import FEWEST_BLOCKS

RANKING = (
    "Values are medians over the blocks; below each its ratio to Falcon, geometric mean of the runs paired by block, with "
    "the 95 % t-interval. Falcon's value in a block is the geometric mean of all its runs there. More or less is claimed at "
    f"5 % after Holm's correction over all systems of a column; with fewer than {FEWEST_BLOCKS} blocks a ratio is "
    "provisional and has no interval. Falcon against itself stands outside that family, and is decided alone."
)
OF_DUETS = (
    "Where a system was polled at once with what it is held against, its ratio is the geometric mean over the pieces of "
    "that run, with a 95 % interval that takes into account that neighbouring pieces are alike; more or less is claimed at "
    "5 % after Holm's correction over all systems of a column. Memory was not compared piece by piece."
)
MADE_UP = (
    "Made-up data: normal is what the interval assumes; with heavy tails one run in 65 is off by more than five times the "
    "usual; drifting is a machine that gets 10 % slower over a block, in which the order of runs is drawn."
)
