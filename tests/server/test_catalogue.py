"""The catalogue of systems, and whether each can run here, without a server."""

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.runner import run
from experiments.scenario import Scenario
from server import catalogue
from server.catalogue import BACKLOG, KEEP_ALIVE_S, SYSTEMS, System, obstacle
from server.systems.availability import program
from server.systems.isolated import find, make
from server.systems.model import Isolated

ROOT = Path(__file__).parents[2]
FALCON = SYSTEMS["falcon"]
PEERS = {name: system for name, system in SYSTEMS.items() if system.comparison != "instrument"}
ABSENT = dataclasses.replace(FALCON, name="absent", needs=("falcon", "no-such-distribution"), extra="servers")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a system into the catalogue that cannot run here."""
    monkeypatch.setattr(catalogue, "SYSTEMS", {**SYSTEMS, "absent": ABSENT})


def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A system that would have its environment in a temporary folder, on a Python that nobody has."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return dataclasses.replace(FALCON, name="old", isolated=Isolated(pythons=("2.0", "2.1"), packages=("no-such==1",)))


def test_the_catalogue_loads_no_framework() -> None:
    """Whoever reads the catalogue, as each generator process does, pays for none of its systems."""
    names = ("falcon", "django", "fastapi", "starlette", "litestar", "blacksheep", "aiohttp", "tornado", "uvicorn")
    code = f"import sys, server.catalogue; print(sorted(set(sys.modules) & set({names!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", PEERS)
def test_whatever_is_not_equal_is_said(name: str) -> None:
    """A system with another server than Falcon's says what else differs; the same server means the same loop and parser."""
    system = PEERS[name]
    if system.comparison == "framework":
        ours = (FALCON.loop, FALCON.http_parser, FALCON.keep_alive_s, FALCON.threads)
        assert (system.loop, system.http_parser, system.keep_alive_s, system.threads) == ours
        differing = [one for one in zip(system.template, FALCON.template, strict=True) if one[0] != one[1]]
        assert all(part.startswith("server.") for part, _ in differing)
    else:
        assert system.unequal


@pytest.mark.parametrize("name", [name for name, system in PEERS.items() if system.keep_alive_s == KEEP_ALIVE_S])
def test_connections_are_kept_for_all_alike(name: str) -> None:
    """A command names the common keep-alive, unless it starts a module of this package, which knows it."""
    shown = " ".join(PEERS[name].template)
    assert f"keep-alive {KEEP_ALIVE_S}" in shown or f"channel-timeout {KEEP_ALIVE_S}" in shown or "-m server." in shown


@pytest.mark.parametrize("name", PEERS)
def test_as_many_may_wait_for_all_alike(name: str) -> None:
    """A command names the common backlog, unless it starts a module of this package, which knows it."""
    shown = " ".join(PEERS[name].template)
    assert f"backlog {BACKLOG}" in shown or f"backlog={BACKLOG}" in shown or "-m server." in shown


@pytest.mark.parametrize("name", PEERS)
def test_the_default_load_fits_each_system(name: str) -> None:
    """No limit of a server's own connections is below the devices that a scenario has by default."""
    most = PEERS[name].most_connections
    assert most is None or most >= 10 * Scenario().clients


def test_more_devices_than_a_server_holds_are_refused() -> None:
    """One sentence says what it holds, what was asked and what to do; more workers hold more."""
    system = dataclasses.replace(FALCON, title="One", most_connections=1000)
    assert obstacle(system, clients=1000) is None
    assert obstacle(system, clients=1001, workers=2) is None
    said = "One holds 1,000 connections a worker, and clients=1,001 need more: ask for at most 1,000 clients, or for more "
    assert obstacle(system, clients=1001) == f"{said}workers"


def test_a_scenario_is_held_to_what_its_server_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything starts."""
    monkeypatch.setattr(catalogue, "SYSTEMS", {**SYSTEMS, "falcon": dataclasses.replace(FALCON, most_connections=100)})
    expected = r"^server='falcon' cannot run here: .* 100 connections a worker, and clients=101 need more"
    with pytest.raises(ParameterError, match=expected):
        Scenario.from_parameters({"server": "falcon", "clients": 101})


@pytest.mark.parametrize(
    "module",
    ["__init__", "settings", "payloads", "responses", "apps/__init__"]
    + [f"apps/django/{name}" for name in ("__init__", "project", "version_1_11")],
)
def test_what_django_1_11_reads_is_python_3_7(module: str) -> None:
    """The modules that are loaded by the oldest system use no newer syntax."""
    ast.parse((ROOT / "server" / f"{module}.py").read_text(), feature_version=(3, 7))


@pytest.mark.parametrize(
    "module",
    ["settings", "payloads", "responses", "database/access", "database/url"]
    + [f"apps/django/{name}" for name in ("channels_asgi", "channels_consumers")],
)
def test_what_channels_3_reads_is_python_3_9(module: str) -> None:
    """It asks, like the newer Channels, whether there is a database, and so loads what knows."""
    ast.parse((ROOT / "server" / f"{module}.py").read_text(), feature_version=(3, 9))


def test_whatever_is_not_equal_with_a_database_is_said() -> None:
    """Each system that offers rows says what it does for them; Channels alone works one by one, and says why."""
    systems = [SYSTEMS[name] for name in catalogue.offering("database")]
    assert all(system.rows and system.database_needs for system in systems)
    assert [system.name for system in systems if system.serial] == ["channels", "channels-daphne"]


def test_a_database_needs_more_than_constant_bytes() -> None:
    """What a driver lacks is named only where a database is asked for."""
    system = dataclasses.replace(FALCON, database_needs=("no-such-driver",))
    assert obstacle(system) is None
    assert obstacle(system, workload="database") == "for a database no-such-driver is not installed: make servers"


def test_what_the_lab_itself_needs_is_no_obstacle() -> None:
    """Falcon, and the servers with known answers, run wherever the lab is installed."""
    systems = [FALCON, *(system for system in SYSTEMS.values() if system.comparison == "instrument")]
    assert [obstacle(system, workers=256) for system in systems] == [None] * len(systems)


def test_a_missing_distribution_is_named_with_what_installs_it() -> None:
    """Only what is missing is named, and the command beside it."""
    assert obstacle(ABSENT) == "no-such-distribution is not installed: make servers"
    two = dataclasses.replace(ABSENT, needs=("no-such-1", "no-such-2"))
    assert obstacle(two) == "no-such-1, no-such-2 are not installed: make servers"


def test_a_missing_program_is_named_with_what_installs_it() -> None:
    """A system that rests on a program is refused where there is none."""
    system = dataclasses.replace(FALCON, program="no-such-program")
    assert obstacle(system) == "there is no no-such-program: apt-get install no-such-program"
    assert program("sh") is not None


def test_more_workers_than_a_server_can_have_are_refused() -> None:
    """A server of one process is not asked for two."""
    system = dataclasses.replace(FALCON, title="One", most_workers=1)
    assert obstacle(system) is None
    assert obstacle(system, workers=2) == "One has at most 1 worker: set workers=1"


def test_an_environment_that_is_not_made_is_an_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system of its own environment runs there, once it is complete, and names the Pythons that it needs until then."""
    system = isolated(tmp_path, monkeypatch)
    assert "make servers, where there is a Python 2.0 or 2.1" in str(obstacle(system))
    system.home.mkdir(parents=True)
    (system.home / "complete").touch()
    assert obstacle(system) is None
    assert system.python == str(tmp_path / "isolated" / "old" / "bin" / "python")


def test_without_its_python_an_environment_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no Python fits, nothing is made, and the reason is given."""
    system = isolated(tmp_path, monkeypatch)
    assert make(system) == "skipped: no Python 2.0 or 2.1"
    assert not system.home.exists()


def test_a_python_that_does_not_run_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A python on the path that refuses, as pyenv's may, or says another version, is passed over."""
    for name, words in (("python2.0", "exit 127"), ("python2.1", "echo 3.3"), ("python2.2", "echo 2.2")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{words}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert [find("2.0"), find("2.1"), find("2.2")] == [None, None, tmp_path / "python2.2"]


@pytest.mark.usefixtures("absent")
def test_a_system_that_cannot_run_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """A scenario of a system that is missing ends in one sentence, and leaves no record."""
    expected = r"^server='absent' cannot run here: no-such-distribution is not installed: make servers\.$"
    with pytest.raises(ParameterError, match=expected):
        Scenario.from_parameters({"server": "absent"})
    with pytest.raises(ParameterError, match=expected):
        run(Scenario(server="absent", results_dir=str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("absent")
def test_a_record_or_a_running_server_needs_nothing_installed() -> None:
    """Who only reads an old run, or measures a server of his own, is not refused."""
    for elsewhere in ({"run_dir": "results/old"}, {"server_url": "http://127.0.0.1:8000"}):
        assert Scenario.from_parameters({"server": "absent", **elsewhere}).server == "absent"
