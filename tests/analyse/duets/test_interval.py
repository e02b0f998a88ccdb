"""The interval of a ratio holds what it promises, also where neighbouring pieces are alike."""

import math
import random

import pytest

from experiments.analyse.duets.interval import block_length, blocks, ratio

SERIES = 2000


def series(kind: str, chance: random.Random, pieces: int = 30) -> list[float]:
    """Logarithms of ratios of two equal servers, scattered by a twentieth."""
    noise = [chance.gauss(0, 0.05) for _ in range(pieces)]
    if kind == "heavy tails":
        return [one * (6 if chance.random() < 0.05 else 1) for one in noise]
    if kind == "alike":
        for place in range(1, pieces):
            noise[place] = 0.3 * noise[place - 1] + math.sqrt(1 - 0.09) * noise[place]
    return noise


@pytest.mark.parametrize(("kind", "most"), [("independent", 0.07), ("heavy tails", 0.07), ("alike", 0.12)])
def test_equal_servers_are_seldom_called_different(kind: str, most: float) -> None:
    """In one of twenty series a difference is claimed that is not there; in one of ten where pieces are much alike."""
    chance = random.Random(1)
    wrong = sum(ratio(series(kind, chance)).kind != "cannot tell apart" for _ in range(SERIES))
    assert 0.02 * SERIES < wrong < most * SERIES


def test_a_difference_that_can_just_be_shown_is_shown_nine_times_of_ten() -> None:
    """The smallest detectable difference of a series, added to others like it, is found as often as it says."""
    chance = random.Random(2)
    least = [ratio(series("independent", chance)).smallest_detectable_pct or 0.0 for _ in range(300)]
    added = math.log1p(sum(least) / len(least) / 100)
    found = sum(ratio([one + added for one in series("independent", chance)]).kind == "more" for _ in range(SERIES))
    assert 0.86 * SERIES < found < 0.94 * SERIES


def test_neighbours_that_are_alike_are_averaged() -> None:
    """Blocks grow while they are alike, and the interval with them; never so long that fewer than ten are left."""
    slow = [0.05 * math.sin(place / 6) for place in range(40)]
    assert block_length(slow) == 4
    mixed = slow[::2] + slow[1::2]
    random.Random(3).shuffle(mixed)
    assert block_length(mixed) == 1
    assert (ratio(slow).half_width_pct or 0) > 1.3 * (ratio(mixed).half_width_pct or 0)


def test_blocks_are_whole() -> None:
    """What does not make a block is left out at the beginning."""
    assert blocks([9.0, 1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0]


def test_few_pieces_have_no_interval() -> None:
    """With fewer than ten pieces nothing is claimed; without any there is no ratio either."""
    few = ratio([0.1] * 9)
    assert (few.kind, few.low, few.smallest_detectable_pct, few.half_width_pct) == ("not measurable", None, None, None)
    assert few.estimate == pytest.approx(math.exp(0.1))
    assert ratio([]).estimate is None


def test_more_and_less_are_told() -> None:
    """The kind says on which side of equal the whole interval lies."""
    chance = random.Random(4)
    assert ratio([one + 0.2 for one in series("independent", chance)]).kind == "more"
    assert ratio([one - 0.2 for one in series("independent", chance)]).kind == "less"
