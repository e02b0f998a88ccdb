"""Which light cells are measured, for servers whose load is known."""

from collections.abc import Callable

import pytest

from experiments.scenario import Scenario
from experiments.studies.capacity.light import next_light, other_mix


def way(load: Callable[[int], float], smallest: int = 300, largest: int = 20_000) -> list[int]:
    """The devices of all light cells, in order."""
    seen: dict[int, list[float]] = {}
    order = []
    for _ in range(20):
        wanted = next_light(seen, smallest, largest)
        if wanted is None:
            return order
        assert wanted.number == 1 + len(seen.get(wanted.clients, []))
        seen.setdefault(wanted.clients, []).append(load(wanted.clients))
        order.append(wanted.clients)
    raise AssertionError("it does not end")


def test_cells_span_the_light_range() -> None:
    """The smallest, one below 60 %, one between, and both ends again, although CPU grows less than devices do."""

    def load(clients: int) -> float:
        x = 2.2 * clients
        return x * 235e-6 / (1 + x * 110e-6)

    order = way(load)
    assert order[0] == 300
    top = max(order)
    assert 0.42 <= load(top) <= 0.6
    assert order.count(300) == order.count(top) == 2
    assert sum(300 < clients < top for clients in set(order)) >= 1
    assert len(order) <= 7


def test_a_smallest_load_that_is_not_light_gives_nothing_to_learn() -> None:
    """One cell shows that the server is busy already, and the climb ends with it."""
    assert way(lambda clients: 0.9) == [300]


def test_cells_without_figures_end_the_climb() -> None:
    """A cell that was invalid or failed has load 0, is measured once more, and nothing is divided by it."""
    assert way(lambda clients: 0.0) == [300, 300]


def test_a_single_cell_without_figures_is_measured_again() -> None:
    """A machine that did something else for a moment does not end the forecast."""
    lost = iter([0.0])
    order = way(lambda clients: next(lost, clients / 4000))
    assert order[:2] == [300, 300]
    assert max(order) > 1500


def test_the_largest_load_is_never_exceeded() -> None:
    """Where everything is light, the largest is the upper end."""
    order = way(lambda clients: clients / 1e6, smallest=100, largest=1000)
    assert max(order) == 1000
    assert order.count(1000) == 2


@pytest.mark.parametrize(
    ("ratio", "mix"),
    [("10:1", ("1:1", 165)), ("10:3", ("1:1", 195)), ("1:10", ("1:1", 165)), ("1:1", ("3:1", 450)), ("1:0", None)],
)
def test_the_other_mix_polls_as_often(ratio: str, mix: tuple[str, int] | None) -> None:
    """300 devices of the plan and those of the mix ask for the same polls a second; one endpoint has no other mix."""
    assert other_mix(Scenario(clients=300, ratio=ratio).plan) == mix
