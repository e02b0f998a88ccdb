"""What a swarm does beside its polls: ends those that took too long, and notices when it was held up itself."""

from dataclasses import dataclass

import pytest

from experiments.measure.engines.watchdog import Watchdog


class Poll:
    """A poll that remembers how often its time was over."""

    def __init__(self) -> None:
        self.expired = 0

    def expire(self) -> None:
        self.expired += 1


@dataclass
class Window:
    """A measured window."""

    start_at: float
    close_at: float = 1000.0


def nothing(now: float) -> None:
    """No chores."""


def test_only_polls_that_took_too_long_expire() -> None:
    """A beat ends what is older than the timeout, once, and leaves the rest in flight."""
    watchdog = Watchdog(30.0, Window(0.0), nothing)
    old, ended, young = Poll(), Poll(), Poll()
    watchdog.in_flight.update({old: 60.0, ended: 61.0, young: 90.0})
    del watchdog.in_flight[ended]
    watchdog.beat(100.0)
    watchdog.beat(100.1)
    assert [poll.expired for poll in (old, ended, young)] == [1, 0, 0]
    assert list(watchdog.in_flight) == [young]


def test_a_poll_expires_when_its_whole_time_has_passed() -> None:
    """It is given up at the timeout, and a millisecond earlier it is not."""
    watchdog, poll = Watchdog(30.0, Window(0.0), nothing), Poll()
    watchdog.in_flight[poll] = 0.0
    watchdog.beat(29.999)
    assert poll.expired == 0
    watchdog.beat(30.0)
    assert poll.expired == 1


def test_a_stall_is_noticed_once_the_window_has_begun() -> None:
    """The longest time for which the loop did nothing is kept; what held it up in the warm-up is not."""
    watchdog = Watchdog(30.0, Window(10.0), nothing)
    for now in (5.0, 9.0, 10.0, 10.52, 10.54, 10.56):
        watchdog.beat(now)
    assert watchdog.longest_stall_s == pytest.approx(0.5)


def test_what_holds_the_loop_up_after_the_window_is_no_stall() -> None:
    """Of a stall over the end of the window its part before counts, and nothing of a later one."""
    watchdog = Watchdog(30.0, Window(10.0, close_at=20.0), nothing)
    for now in (19.90, 20.50, 21.50, 21.52):
        watchdog.beat(now)
    assert watchdog.longest_stall_s == pytest.approx(0.08)


def test_a_beat_is_due_when_the_window_closes() -> None:
    """The last beat before the end is cut short, so that what is measured of the window ends with it."""
    window = Window(10.0, close_at=20.0)
    watchdog = Watchdog(30.0, window, nothing)
    watchdog.beat(19.99)
    assert watchdog.next_at == 20.0
    watchdog.beat(20.0)
    assert watchdog.next_at == pytest.approx(20.02)


def test_chores_are_done_at_each_beat() -> None:
    """Whoever has something to do beside the load is told the time."""
    times: list[float] = []
    watchdog = Watchdog(30.0, Window(0.0), times.append)
    watchdog.beat(1.0)
    watchdog.beat(2.0)
    assert times == [1.0, 2.0]
