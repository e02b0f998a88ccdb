"""Who listens at an address: on real sockets of this machine, and in a made-up /proc."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import experiments as lab
from experiments.measure.host.port_owner import Owner, answering, find, named
from tests.faults.harm import scenario
from tests.support.processes import descendants, still_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")

SHARED = """
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
if os.fork():
    print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""
"""Two processes that share one listening socket, as workers do."""


@contextmanager
def running(code: str) -> Iterator[tuple[int, int]]:
    """Process id and port of a server in this code, which ends with its standard input."""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        family = descendants(process.pid)
        process.stdin.close()
        process.stdout.close()
        process.wait()
        assert still_alive(family) == []


def made_up(proc: Path, port: int, *pids: int, name: str = "server", uid: int = 0, address: str = "0100007F") -> Path:
    """A /proc in which these processes share one socket that listens on 127.0.0.1."""
    (proc / "net").mkdir()
    line = f"0: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid} 0 4711 1 0 100 0 0 10 0"
    (proc / "net" / "tcp").write_text(f"sl local_address rem_address st\n{line}\n")
    for pid in pids:
        (proc / str(pid) / "fd").mkdir(parents=True)
        (proc / str(pid) / "fd" / "3").symlink_to("socket:[4711]")
        (proc / str(pid) / "comm").write_text(f"{name}\n")
        (proc / str(pid) / "status").write_text(f"Name: {name}\nNSpid:\t{pid}\t7\n")
    return proc


def test_all_that_share_a_port_are_found() -> None:
    """A server without /health is known by its port: each of its processes that listens there."""
    with running(SHARED) as (pid, port):
        owner = find("localhost", port)
        assert owner.pids == tuple(sorted(one.pid for one in descendants(pid)))
        assert len(owner.pids) == 2
        assert (owner.unseen, owner.here, owner.name) == (None, True, psutil.Process(pid).name())


def test_another_address_of_this_machine_is_somebody_elses() -> None:
    """The same port of 127.0.0.2 is not that server."""
    with running(SHARED) as (_, port):
        assert "nothing that can be seen from here listens" in str(find("127.0.0.2", port).unseen)


def test_a_server_of_another_machine_is_said_to_be_there() -> None:
    """An address that no interface has: not here, and for that reason not sampled."""
    assert find("192.0.2.1", 80) == Owner(unseen="the server is not on this machine", here=False)


def test_a_server_in_this_very_process_is_not_sampled() -> None:
    """Its cost is that of the experiment as well."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        owner = find("127.0.0.1", listener.getsockname()[1])
    assert owner.pids == ()
    assert "the process that runs the experiment" in str(owner.unseen)


@pytest.mark.parametrize(
    ("pids", "changes", "said"),
    [
        ((), {}, "it is in another container, or the lab is in one"),
        ((), {"uid": 4_000_000}, "belongs to another user"),
        ((5,), {"name": "docker-proxy"}, "is docker-proxy, which hands requests on"),
        ((5,), {"address": "020010AC"}, "in a container, or in another network namespace"),
    ],
    ids=str,
)
def test_why_a_server_of_this_machine_cannot_be_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pids: tuple[int, ...], changes: dict[str, Any], said: str
) -> None:
    """Each reason in its own words: not permitted, in a container, only a forwarder of it here."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    proc = made_up(tmp_path, 8000, *pids, **({"uid": 1000} | changes))
    owner = find("127.0.0.1", 8000, proc)
    assert (owner.pids, owner.here) == ((), True)
    assert said in str(owner.unseen)


@pytest.mark.parametrize("address", ["0100007F", "00000000"])
def test_a_socket_for_all_addresses_is_one_for_this(tmp_path: Path, address: str) -> None:
    """A server that listens everywhere is found under any address of this machine."""
    assert find("127.0.0.1", 8000, made_up(tmp_path, 8000, 5, 6, address=address)) == Owner((5, 6), "server")


def test_a_socket_of_ipv6_takes_ipv4_too(tmp_path: Path) -> None:
    """Both [::] and ::ffff:127.0.0.1 are looked for in the second table."""
    proc = made_up(tmp_path, 1, 5)
    for address in ("0" * 32, "0000000000000000FFFF00000100007F"):
        line = f"0: {address}:1F40 {'0' * 32}:0000 0A 0:0 0:0 0 0 0 4711 1 0"
        (proc / "net" / "tcp6").write_text(f"sl local_address\n{line}\n")
        assert find("127.0.0.1", 8000, proc).pids == (5,)


@pytest.mark.parametrize(("told", "sampled"), [(set(), True), ({5}, True), ({7}, True), ({8}, False)])
def test_what_listens_need_not_be_what_answers(tmp_path: Path, told: set[int], sampled: bool) -> None:
    """A proxy in front is told apart by the numbers in /health; those of a container are the same processes."""
    owner = answering(Owner((5,), "nginx"), told, 8000, made_up(tmp_path, 8000, 5))
    assert bool(owner.pids) is sampled
    assert sampled or "(nginx) is not what answers" in str(owner.unseen)


WITHOUT_HEALTH = """
import http.server, threading, sys
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = {"/hello?page=1": b"y" * 100, "/hello?page=200": b"z" * 2000}.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_server_without_health_costs_what_it_costs(tmp_path: Path) -> None:
    """It is found by its port and sampled, and what others used can be told from it."""
    with running(WITHOUT_HEALTH) as (pid, port):
        record = lab.run(scenario(tmp_path, server_url=f"http://127.0.0.1:{port}"))
    server = record.facts["server"]
    assert (server["sampled"]["pids"], server["unseen"], server["on_this_machine"]) == ([pid], None, True)
    summary = record.summary()
    assert summary["server"]["cpu_us_per_request"] > 0
    assert summary["server"]["rss_peak_bytes"] > 0
    checks = {check["name"]: check for check in summary["verdict"]["checks"]}
    assert checks["competitors"]["status"] != "not_applicable"


def test_a_file_names_the_process(tmp_path: Path) -> None:
    """As daemons write it; what is no number, or of no process, is said instead."""
    file = tmp_path / "it.pid"
    assert "no number of a process in pid_file it.pid" in (named(file).unseen or "")
    file.write_text("soon\n")
    assert "no number of a process" in (named(file).unseen or "")
    with running(SHARED) as (pid, _):
        file.write_text(f"{pid}\n0.0.0.0\n")
        assert (named(file).pids, named(file).unseen) == ((pid,), None)
    assert f"names process {pid}, which is not there" in (named(file).unseen or "")
