"""Hosts of their own on this machine: network namespaces that a bridge joins, each with its own address and loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Hosts:
    """What was made."""

    address: str
    """Of this machine, as the hosts see it."""
    prefixes: list[tuple[str, ...]]
    """What runs a command on a host, for each."""


@contextmanager
def hosts(count: int) -> Iterator[Hosts]:
    """Makes hosts, and removes them whatever happens; skips the test where that is not allowed."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and the command ip (iproute2)")
    number = os.getpid()
    net, bridge = f"10.231.{number % 250}", f"lb{number}"
    with ExitStack() as removing:
        if subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], capture_output=True, check=False).returncode:
            pytest.skip("this machine does not allow network namespaces and bridges")
        removing.callback(_ip, f"link del {bridge}")
        _ip(f"addr add {net}.1/24 dev {bridge}")
        _ip(f"link set {bridge} up")
        names = [f"lab{number}-{one}" for one in range(count)]
        for one, name in enumerate(names):
            _ip(f"netns add {name}")
            removing.callback(_ip, f"netns del {name}")
            _ip(f"link add lv{number}-{one} type veth peer name eth0 netns {name}")
            _ip(f"link set lv{number}-{one} master {bridge} up")
            _ip(f"-n {name} addr add {net}.{one + 11}/24 dev eth0")
            _ip(f"-n {name} link set eth0 up")
            _ip(f"-n {name} link set lo up")
        yield Hosts(f"{net}.1", [("ip", "netns", "exec", name) for name in names])


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], capture_output=True, check=True)
