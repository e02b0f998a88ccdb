"""The machine is short of something before or while the run goes on: files or ports. Nobody blames the server."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

import experiments as lab
from experiments.scenario import OWN_ENGINES
from tests.faults.harm import apart, assert_all_planned, check, ends

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("earlier")]

_PORTS = 20
"""For outgoing connections, of which each device keeps one."""


def shell(words: str, command: list[str], *prefix: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command after some words of the shell that change what it may have."""
    script = f"{words} && exec {shlex.join(command)}"
    return subprocess.run([*prefix, "sh", "-c", script], capture_output=True, text=True, timeout=120, check=False)


def test_a_machine_that_allows_too_few_files_is_told_before_anything_starts(tmp_path: Path) -> None:
    """One sentence: what is needed, what is allowed, what to do; no folder is made."""
    done = shell("ulimit -n 200", apart(tmp_path, clients=500))
    assert done.returncode == 1
    assert "this machine allows a process 200 open files. Each generator needs 600 " in done.stderr
    assert "ask for generators=5; the server needs 600 open files in one process: ask for at most 100 clients" in done.stderr
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["earlier"]


def test_a_soft_limit_of_files_is_raised(tmp_path: Path) -> None:
    """What may be had is taken, without a word."""
    done = shell("ulimit -S -n 64", apart(tmp_path, clients=100, interval_ms=500, minutes=1 / 60))
    assert done.returncode == 0, done.stderr
    record = lab.load(tmp_path / "results" / "it")
    assert_all_planned(record)
    assert ends(record).keys() == {"ok"}


def network_of_its_own() -> list[str]:
    """What runs a command in a network of its own, in which nothing else can be reached; empty if it may not be made."""
    prefix = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    try:
        works = subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0
    except OSError:
        return []
    return prefix if works else []


def ports(number: int) -> str:
    """The words of the shell that leave outgoing connections so many of them, in a network of its own."""
    return f"ip link set lo up && echo 40000 {40000 + number - 1} > /proc/sys/net/ipv4/ip_local_port_range"


def test_a_machine_with_too_few_ports_is_told_before_anything_starts(tmp_path: Path) -> None:
    """The refusal gives how many are needed and how many there are, and leaves no run behind."""
    prefix = network_of_its_own()
    if not prefix:
        pytest.skip("this process may make no network of its own")
    done = shell(ports(_PORTS), apart(tmp_path, clients=_PORTS + 1, engine="httpx-stock"), *prefix)
    assert done.returncode == 1
    assert "21 connections to one server need as many ports, and one local address has 20" in done.stderr
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["earlier"]


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_more_devices_than_an_address_has_ports_connect_from_several(tmp_path: Path, engine: str) -> None:
    """On the loopback the lab takes as many addresses as there is room in, and the record says which."""
    prefix = network_of_its_own()
    if not prefix:
        pytest.skip("this process may make no network of its own")
    asked = {"clients": _PORTS + 5, "engine": engine, "interval_ms": 500, "minutes": 1 / 60}
    done = shell(ports(_PORTS), apart(tmp_path, **asked), *prefix)
    assert done.returncode == 0, done.stderr
    record = lab.load(tmp_path / "results" / "it")
    assert_all_planned(record)
    assert ends(record).keys() == {"ok"}
    assert record.facts["generator"]["source_addresses"] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_a_machine_out_of_ports_fails_polls_by_its_own_fault(tmp_path: Path) -> None:
    """Others have half of the ports: polls that find none are the generator's errors, and the run is invalid."""
    prefix = network_of_its_own()
    if not prefix:
        pytest.skip("this process may make no network of its own")
    taken = f"echo {40000 + _PORTS}-{40000 + 2 * _PORTS - 1} > /proc/sys/net/ipv4/ip_local_reserved_ports"
    asked = apart(tmp_path, clients=2 * _PORTS, source_addresses="127.0.0.1")
    done = shell(f"{ports(2 * _PORTS)} && {taken}", asked, *prefix)
    assert done.returncode == 0, done.stderr
    record = lab.load(tmp_path / "results" / "it")
    assert_all_planned(record)
    assert record.missing == ()
    assert ends(record).keys() == {"ok", "generator_error"}
    assert record.summary()["verdict"]["status"] == "invalid"
    assert check(record, "generator_errors")["status"] == "invalid"
    assert check(record, "generator_errors")["kind"] == "failed"
    assert check(record, "served")["status"] == "valid"
