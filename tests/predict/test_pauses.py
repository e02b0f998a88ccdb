"""Pauses found again in the delays that they cause."""

import random

import pytest

from experiments.predict.pauses import pauses_behind


def delays(pauses: list[tuple[float, float]], polls: int = 100_000) -> list[float]:
    """What polls at evenly spaced quantiles wait for pauses (length, rate) that never overlap: the closed form, inverted."""
    shares = [(place + 0.5) / polls for place in range(polls)]
    longest = max(length for length, _ in pauses)

    def longer(t: float) -> float:
        return sum(rate * max(0.0, length - t) for length, rate in pauses)

    found = []
    for share in shares:
        low, high = 0.0, longest
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if longer(middle) > share else (low, middle)
        found.append(high if high > 1e-9 else 0.0)
    return found


def test_pauses_of_two_lengths_are_told_apart() -> None:
    """Each with its rate: lengths within 1 %, rates within 3 %."""
    found = pauses_behind(delays([(0.004, 10.0), (0.050, 0.4)], polls=10_000))
    short = [(length, rate) for length, rate in found if length < 0.01]
    long = [(length, rate) for length, rate in found if length >= 0.01]
    for each, (length, rate) in ((short, (0.004, 10.0)), (long, (0.050, 0.4))):
        assert sum(one for _, one in each) == pytest.approx(rate, rel=0.03)
        assert sum(a * b for a, b in each) / sum(b for _, b in each) == pytest.approx(length, rel=0.01)


def test_pauses_at_random_are_found_in_polls_at_random() -> None:
    """Simulated: 20 pauses of 5 ms a second, polls at any moment; the time that pauses take is right within 5 %."""
    chance = random.Random(3)
    waits = [max(0.0, 0.005 - chance.expovariate(1.0) / 20) for _ in range(50_000)]
    # Time since the last pause began is exponential where pauses are rare; polls within its length wait for the rest.
    found = pauses_behind(waits)
    taken = sum(length * rate for length, rate in found)
    assert taken == pytest.approx(sum(wait > 0 for wait in waits) / len(waits), rel=0.05)


@pytest.mark.parametrize("waits", [[], [0.0] * 10], ids=str)
def test_without_delays_there_are_no_pauses(waits: list[float]) -> None:
    """Zeros or no figures at all give an empty result."""
    assert pauses_behind(waits) == ()


def test_rates_are_never_negative() -> None:
    """Fifty mixtures of delays give lengths and rates above zero, sorted by length."""
    chance = random.Random(1)
    for _ in range(50):
        waits = [chance.choice([0.0, chance.uniform(0, 0.01), chance.expovariate(100)]) for _ in range(200)]
        found = pauses_behind(waits)
        assert all(length > 0 and rate > 0 for length, rate in found)
        assert [length for length, _ in found] == sorted(length for length, _ in found)
