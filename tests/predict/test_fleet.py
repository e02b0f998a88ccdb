"""Extrapolation: arithmetic that can be done by hand."""

import pytest

from experiments.predict.demand import Demand
from experiments.predict.fleet import Memory, extrapolate, memory
from experiments.scenario import Scenario

SERVER, GENERATOR = Demand(100e-6, 210e-6, 50e-6, split=True), Demand(70e-6, 70e-6, 35e-6, split=False)


def test_a_fleet_of_a_million() -> None:
    """1,000,000 devices a second apart, 10:1: 1,100,000 polls/s of 110 us, and what follows from that."""
    found = extrapolate(Scenario(interval_ms=1000), 1_000_000, SERVER, GENERATOR, Memory(50e6, 1000), cores=2)
    assert found.polls_per_s == pytest.approx(1.1e6)
    assert found.server_cores == pytest.approx((1.1e6 * 110e-6 / 0.7, 1.1e6 * 160e-6 / 0.7))
    assert found.generator_cores == pytest.approx((1.1e6 * 70e-6 / 0.7, 1.1e6 * 140e-6 / 0.7))
    assert found.generator_machines == (55, 110)
    assert found.network_bits_per_s == pytest.approx(8 * (1.1e6 * 400 + (1e6 * 100 + 1e5 * 204_800) * (1 + 66 / 1448)))
    assert found.memory_bytes == pytest.approx(50e6 * found.server_cores[1] + 1e9)
    assert found.generator_addresses == 36


@pytest.mark.parametrize(("ratio", "body"), [("1:0", 100), ("0:1", 204_800), ("1:1", 102_450), ("1:10", 186_190.9)])
def test_network_follows_the_ratio(ratio: str, body: float) -> None:
    """Whichever endpoint is polled more often."""
    found = extrapolate(Scenario(ratio=ratio), 10_000, SERVER, GENERATOR, None, cores=2)
    assert found.network_bits_per_s / found.polls_per_s == pytest.approx(8 * (body * (1 + 66 / 1448) + 400), rel=1e-6)
    assert found.memory_bytes is None


def test_memory_is_the_line_through_the_cells() -> None:
    """Exact points give the line; memory never falls with devices, and one size tells nothing."""
    assert memory([(100, 60_000_000), (300, 62_000_000)]) == Memory(59_000_000, 10_000)
    falling = memory([(100, 62_000_000), (300, 60_000_000)])
    assert falling == Memory(61_000_000, 0)
    assert memory([(100, 60_000_000), (100, 61_000_000)]) is None
