"""What a generator counts of its own work."""

from collections import Counter

from experiments.measure.engines.counters import Counters

OF_CONNECTIONS = ("connects", "reconnects", "closes", "retries", "handshakes", "resumptions", "idle_close_s")
BY_ENDPOINT = {name: {"status": 0, "bulk": 0} for name in ("compared", "differed")}


def test_what_a_transport_does_not_tell_is_unknown_and_not_nought() -> None:
    """Requests and checksums are counted all the same, and one silent device makes the sum unknown."""
    told = Counters(attempts=3, connects=1, checksums=2)
    counts = {"attempts": 3, "connects": 1, "reconnects": 0, "closes": 0, "retries": 0, "checksums": 2}
    counts |= {"handshakes": 0, "resumptions": 0}
    assert told.facts(("status", "bulk")) == counts | BY_ENDPOINT | {"idle_close_s": None}
    told.add(Counters(attempts=4, checksums=1, connections_told=False))
    assert told.facts(("status", "bulk")) == {"attempts": 7, "checksums": 3} | BY_ENDPOINT | dict.fromkeys(OF_CONNECTIONS)


def test_efforts_add_up() -> None:
    """Field by field: counts, counts by endpoint, and times of rest one after the other."""
    both = Counters(1, 2, 3, 4, 5, 6, Counter({0: 7, 1: 8}), Counter({1: 10}), [0.5])
    both.add(Counters(10, 20, 30, 40, 50, 60, Counter({0: 70}), Counter({0: 90, 1: 100}), [0.25]))
    assert both == Counters(11, 22, 33, 44, 55, 66, Counter({0: 77, 1: 8}), Counter({0: 90, 1: 110}), [0.5, 0.25])
