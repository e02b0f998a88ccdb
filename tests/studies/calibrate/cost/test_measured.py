"""One tiny round of everybody who is installed: counts and order, never a speed."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.scenario import CALIBRATED
from experiments.studies.calibrate.cost import growth, other, own, targets
from experiments.studies.calibrate.cost.load import KINDS, Load
from experiments.studies.calibrate.cost.peers import Peer, all_peers

pytestmark = pytest.mark.slow

PEERS = {name: peer for name, peer in all_peers("").items() if name != "wrk2"}


def tiny(name: str, target: str) -> Load:
    """Twenty devices for two seconds."""
    return replace(KINDS[name], target=target, clients=20, seconds=2.0)


def skip_without(*reasons: str | None) -> None:
    """CI has everything; a user's machine may not."""
    for reason in filter(None, reasons):
        pytest.skip(reason)


@pytest.mark.parametrize("target", ["falcon", "nginx"])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_and_the_server_count_the_same_polls(tmp_path: Path, name: str, target: str) -> None:
    """Nothing fails; what a tool says was answered the server has answered, but for what was under way at its end."""
    peer: Peer = PEERS[name]
    skip_without(peer.missing, targets.missing(target))
    load = tiny(peer.phases[0], target)
    with targets.TARGETS[target](tmp_path) as there:
        cost = other.measure(peer, load, there, tmp_path, 1)
        answered = there.answered()
    (log,) = tmp_path.glob(f"{name}-*.log")
    said = peer.read(log.read_text()).answered
    assert (cost.contender, cost.load, cost.target, cost.failed) == (name, load.name, target, 0)
    assert said <= answered <= said + load.clients
    assert cost.polls_per_s > 0


@pytest.mark.parametrize("engine", CALIBRATED)
@pytest.mark.parametrize("name", KINDS)
def test_an_engine_is_measured_by_its_own_record(tmp_path: Path, engine: str, name: str) -> None:
    """Nothing fails, and what only a record can tell is told."""
    with targets.falcon(tmp_path) as there:
        cost = own.measure(engine, tiny(name, "falcon"), there, tmp_path, 1)
    assert (cost.contender, cost.failed, cost.run_id is None) == (engine, 0, False)
    assert cost.cpu_us_per_poll > 0
    assert cost.polls_per_s > 0


def test_memory_and_devices_of_a_generator_come_from_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More devices take more memory, and each number of devices is one step with all its polls."""
    skip_without(targets.missing("nginx"))
    monkeypatch.setattr(growth, "STEPS", (20,))
    monkeypatch.setattr(growth, "_CROWD", replace(growth._CROWD, seconds=2.0))
    monkeypatch.setattr(growth, "_CALM", replace(growth._CALM, interval_ms=1000, seconds=2.0))
    said: list[str] = []
    one = growth.memory("httpx", tmp_path, said.append)
    assert one.many_rss_bytes > one.few_rss_bytes > 0
    step, *_ = growth.devices("httpx", tmp_path, said.append)
    assert (step.clients, step.failed, step.unsent) == (20, 0, 0)
