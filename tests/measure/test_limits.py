"""What the machine does not allow is refused before anything starts, with the number that would do."""

import resource
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.measure import limits
from experiments.measure.engines import sources
from experiments.scenario import Scenario


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A process may open 1,000 files here, and nobody may raise that."""
    state: dict[str, Any] = {"limit": (500, 1000)}

    def set_to(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > state["limit"][1]:
            raise ValueError("not allowed to raise maximum limit")
        state["limit"] = wanted

    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: state["limit"])
    monkeypatch.setattr(limits.resource, "setrlimit", set_to)
    return state


def allow(url: str = "", **asked: Any) -> None:
    """Has every process of that scenario its files."""
    limits.allow_files(limits.needs(Scenario(**asked).parts, url))


def test_the_limit_is_raised_as_far_as_is_needed(allowed: dict[str, Any]) -> None:
    """To the devices and what a process needs besides; the hard limit stays."""
    allow(clients=800)
    assert allowed["limit"] == (900, 1000)
    allow(clients=300)
    assert allowed["limit"] == (900, 1000)


def test_a_privileged_process_raises_the_hard_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may, up to what the kernel allows."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (500, 1000))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda _, wanted: told.append(wanted))
    allow(clients=5000, server_url="http://127.0.0.1:1")
    assert told == [(5100, 5100)]


@pytest.mark.usefixtures("allowed")
def test_a_generator_without_files_enough_says_how_many_would_do() -> None:
    """That many are then allowed."""
    remote = {"clients": 4000, "server_url": "http://127.0.0.1:1"}
    with pytest.raises(ParameterError, match=r"1,000 open files\. Each generator needs 4,100 .* ask for generators=5\. Or"):
        allow("http://127.0.0.1:1", **remote)
    allow("http://127.0.0.1:1", **remote, generators=5)


@pytest.mark.usefixtures("allowed")
def test_workers_with_queues_of_their_own_share_the_connections() -> None:
    """nginx with as many workers as are named is allowed; a little more than its share is kept for each."""
    asked = {"clients": 4000, "generators": 5, "server": "nginx"}
    with pytest.raises(ParameterError, match=r"(?i)each worker of the server needs 4,100 .*: ask for workers=6\."):
        allow(**asked)
    allow(**asked, workers=6)


@pytest.mark.usefixtures("allowed")
def test_workers_that_share_one_queue_may_each_get_all() -> None:
    """So more of them do not help, and the sentence does not say so."""
    with pytest.raises(ParameterError, match=r"The server needs 4,100 .*: ask for at most 900 clients\. Or raise"):
        allow(clients=4000, generators=5, workers=8)


@pytest.mark.usefixtures("allowed")
def test_all_that_is_too_little_is_said_at_once() -> None:
    """Nobody learns the second number only after having set the first."""
    with pytest.raises(ParameterError, match=r"generators=5; each worker of the server .* workers=6\."):
        allow(clients=4000, server="nginx")


@pytest.mark.usefixtures("allowed")
def test_a_thread_has_a_connection_to_redis_as_well() -> None:
    """The author's client needs two files a device."""
    author = {"engine": "threads", "pacing": "after", "keep_alive": False, "server_url": "http://127.0.0.1:1"}
    with pytest.raises(ParameterError, match=r"ask for generators=2\."):
        allow("http://127.0.0.1:1", clients=600, **author)
    allow("http://127.0.0.1:1", clients=600, generators=2, **author)


def test_no_limit_needs_no_raising(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the soft limit is unlimited nothing is set."""
    unlimited = resource.RLIM_INFINITY
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (unlimited, unlimited))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda *_: pytest.fail("set"))
    allow(clients=1_000_000)


def check_ports(*, own: bool = True, **asked: Any) -> None:
    """Looks at the ports of a scenario."""
    scenario = Scenario(**asked)
    given = scenario.parts.engine.source_addresses
    limits.check_ports(scenario.parts.load, scenario.server_url, scenario.plan.polls_per_s, given, own_connections=own)


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual ports of Linux."""
    (tmp_path / "range").write_text("32768\t60999\n")
    monkeypatch.setattr(sources, "RANGE", tmp_path / "range")
    return tmp_path / "range"


REMOTE: dict[str, Any] = {"server_url": "http://192.0.2.1", "allow_remote": True}


@pytest.mark.usefixtures("ports")
def test_the_loopback_has_ports_for_every_device_that_the_lab_connects() -> None:
    """Other engines' connections all come from one address."""
    check_ports(clients=1_000_000)
    check_ports(clients=28_232, own=False)
    with pytest.raises(ParameterError, match=r"one local address has 28,232 .*: use engine='epoll'.*at most 28,232"):
        check_ports(clients=28_233, own=False)


@pytest.mark.usefixtures("ports")
def test_elsewhere_the_addresses_that_are_given_must_have_the_ports() -> None:
    """The sentence says how many would do, and those that are not this machine's are refused."""
    with pytest.raises(ParameterError, match=r"100,000 connections .* one local address has 28,232 .*: give 4 addresses"):
        check_ports(clients=100_000, **REMOTE)
    with pytest.raises(ParameterError, match=r"2 local addresses have 56,464 .*: give 4 addresses"):
        check_ports(clients=100_000, source_addresses="127.0.0.1-127.0.0.2", **REMOTE)
    check_ports(clients=100_000, source_addresses="127.0.0.1-127.0.0.4", **REMOTE)
    with pytest.raises(ParameterError, match=r"192\.0\.2\.77 is no address of this machine"):
        check_ports(clients=1, source_addresses="192.0.2.77", **REMOTE)


@pytest.mark.usefixtures("ports")
def test_new_connections_keep_their_ports_for_a_minute_elsewhere() -> None:
    """On the loopback they are free again at once, and more addresses have more of them."""
    often = {"keep_alive": False, "interval_ms": 1000}
    check_ports(clients=1000, **often)
    check_ports(clients=400, **often, **REMOTE)
    with pytest.raises(ParameterError, match=r"new connections/s to another machine .* or give 3 addresses"):
        check_ports(clients=1000, **often, **REMOTE)
    check_ports(clients=1000, source_addresses="127.0.0.1-127.0.0.3", **often, **REMOTE)


def test_where_the_range_of_ports_is_not_told_all_of_them_count(ports: Path) -> None:
    """Nothing is refused that might work."""
    ports.unlink()
    check_ports(clients=60_000, own=False)


def test_where_all_is_done_elsewhere_nothing_is_needed() -> None:
    """Devices of a cluster, and a server that is not ours, open no files here."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits.allow_files([])
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
