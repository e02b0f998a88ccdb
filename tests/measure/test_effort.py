"""What a generator counts of its own work."""

from experiments.measure.effort import Effort

OF_CONNECTIONS = ("connects", "reconnects", "retries")


def test_what_a_transport_does_not_tell_is_unknown_and_not_nought() -> None:
    """Requests and checksums are counted all the same, and one silent device makes the sum unknown."""
    told = Effort(attempts=3, connects=1, checksums=2)
    assert told.facts() == {"attempts": 3, "connects": 1, "reconnects": 0, "retries": 0, "checksums": 2}
    told.add(Effort(attempts=4, checksums=1, connections_told=False))
    assert told.facts() == {"attempts": 7, "checksums": 3} | dict.fromkeys(OF_CONNECTIONS)


def test_efforts_add_up() -> None:
    """Field by field."""
    both = Effort(1, 2, 3, 4, 5)
    both.add(Effort(10, 20, 30, 40, 50))
    assert list(both.facts().values()) == [11, 22, 33, 44, 55]
