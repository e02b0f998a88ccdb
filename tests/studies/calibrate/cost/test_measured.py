"""One tiny round of everybody who is installed: counts and order, never a speed."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.scenario import CALIBRATED
from experiments.studies.calibrate.cost import growth, other, own, part, targets
from experiments.studies.calibrate.cost.load import KINDS, Load
from experiments.studies.tools.catalogue import UNPACKAGED, all_tools
from experiments.studies.tools.catalogue.tool import Tool

pytestmark = pytest.mark.slow

TOOLS = {
    name: tool
    for name, tool in all_tools().items()
    if name in part.PEERS.split(",") and name not in (*UNPACKAGED, "autocannon")
}
"""Those that Debian and PyPI have; what autocannon prints is read in the catalogue's own tests."""


def tiny(name: str, target: str) -> Load:
    """Twenty devices for two seconds."""
    return replace(KINDS[name], target=target, clients=20, seconds=2.0)


def skip_without(*reasons: str | None) -> None:
    """CI has everything; a user's machine may not."""
    for reason in filter(None, reasons):
        pytest.skip(reason)


@pytest.mark.parametrize(("name", "target"), [("aiohttp", "falcon"), *((name, "nginx") for name in TOOLS)])
def test_a_peer_and_the_server_count_the_same_polls(tmp_path: Path, name: str, target: str) -> None:
    """Nothing fails; what a tool says was answered the server has answered, but for what was under way at its end."""
    tool: Tool = TOOLS[name]
    skip_without(tool.missing, targets.missing(target))
    load = tiny(tool.phases[0] if tool.paced else "unpaced", target)
    with targets.TARGETS[target](tmp_path) as there:
        cost = other.measure(tool, load, there, tmp_path, 1)
        answered = there.answered()
    (place,) = tmp_path.glob(f"{name}-*")
    said = tool.read((place / other.OUTPUT).read_text(), load.asked(there.url, 0.0, place)).answered
    assert (cost.contender, cost.load, cost.target, cost.failed) == (name, load.name, target, 0)
    assert said <= answered <= said + load.clients
    assert cost.polls_per_s > 0


@pytest.mark.parametrize("engine", CALIBRATED)
@pytest.mark.parametrize("name", [name for name, load in KINDS.items() if load.paced])
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
