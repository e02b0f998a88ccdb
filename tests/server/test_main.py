"""`python -m server`, as people start it and as the author's script asks it."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil
import pytest
import requests

from tests.support.processes import descendants, still_alive

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@contextmanager
def serving(*options: str, shown: str = "localhost") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server on a free port, from its first printed address on."""
    with subprocess.Popen(
        [sys.executable, "-m", "server", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline()
            assert address.startswith(f"http://{shown}:"), process.communicate()
            yield process, int(address.split(":")[-1].partition("/")[0])
        finally:
            process.terminate()


def get(url: str) -> bytes:
    """One answer; the server listens before its workers do, so the first may take a while."""
    with build_opener(ProxyHandler({})).open(url, timeout=30) as response:
        body: bytes = response.read()
        return body


def refused(*options: str) -> subprocess.CompletedProcess[str]:
    """What a server says that should not come up."""
    command = [sys.executable, "-m", "server", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_authors_script_works_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that call A, on every tenth round also B, on a new connection each time, all succeed."""
    monkeypatch.setenv("NO_PROXY", "localhost")
    clients, rounds = 5, 10
    seen: Counter[tuple[int, int, int]] = Counter()

    def client() -> None:
        for number in range(1, rounds + 1):
            for page in (1, 200) if number % 10 == 0 else (1,):
                answer = requests.get(f"http://localhost:{port}/hello?page={page}", timeout=30)
                seen[page, answer.status_code, len(answer.content)] += 1
            time.sleep(0.01)

    with serving() as (_, port):
        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        served = json.loads(get(f"http://localhost:{port}/health"))["served"]
    assert seen == {(1, 200, 100): clients * rounds, (200, 200, 204_800): clients}
    assert served == clients * rounds + clients


def test_localhost_is_served_under_every_loopback_address_of_this_machine() -> None:
    """Whichever address a client tries first under "localhost", it is the server that answers."""
    with serving() as (_, port):
        answers = [get(f"http://{address}:{port}/hello?page=1") for address in loopback()]
    assert [len(answer) for answer in answers] == [100] * len(answers)


def test_nobody_else_is_served_unless_asked_for() -> None:
    """By default every socket that listens has an address of this machine alone."""
    with serving() as (process, port):
        get(f"http://localhost:{port}/health")
        sockets = psutil.Process(process.pid).net_connections("tcp")
    listening = {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}
    assert listening == {address.strip("[]") for address in loopback()}


def test_one_address_can_be_asked_for() -> None:
    """An explicit host is the only one that is served."""
    with serving("--host", "127.0.0.1", shown="127.0.0.1") as (process, port):
        get(f"http://127.0.0.1:{port}/health")
        sockets = psutil.Process(process.pid).net_connections("tcp")
    assert [one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN] == ["127.0.0.1"]


def test_sizes_and_workers_are_options() -> None:
    """Two workers answer bodies of the lengths that were asked for, and end with their parent."""
    sizes = ("--status-bytes", "7", "--bulk-bytes", "300000")
    with serving("--workers", "2", *sizes) as (process, port):
        url = f"http://127.0.0.1:{port}"
        assert len(get(f"{url}/hello?page=1")) == 7
        assert len(get(f"{url}/hello?page=200")) == 300_000
        deadline, pids = time.monotonic() + 30, set[int]()
        while len(pids) < 2 and time.monotonic() < deadline:
            pids.add(json.loads(get(f"{url}/health"))["pid"])
        family = descendants(process.pid)
    assert len(pids) == 2
    assert pids <= {one.pid for one in family} - {process.pid}
    assert still_alive(family) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_it_without_a_traceback(workers: str) -> None:
    """Ctrl-C is the way to stop it: no process and no traceback is left."""
    with serving("--workers", workers) as (process, port):
        get(f"http://127.0.0.1:{port}/health")
        family = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert "Traceback" not in log
    assert still_alive(family) == []


def test_it_writes_no_access_log() -> None:
    """A request leaves no line behind, on either output."""
    with serving() as (process, port):
        get(f"http://localhost:{port}/hello?page=1")
        process.terminate()
        output = process.communicate(timeout=30)
    assert "GET" not in "".join(output)


def test_a_port_in_use_is_one_clear_sentence() -> None:
    """Who asks for a port that somebody has is told so, and nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = refused("--port", str(port))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (f"Port {port} of localhost is in use: end what listens there, or choose another with --port.\n")


def test_a_stranger_on_the_other_loopback_address_is_not_overlooked() -> None:
    """A port that is free on one loopback address only is in use, or a client would get the stranger's answers."""
    last = loopback()[-1].strip("[]")
    family = socket.AF_INET6 if ":" in last else socket.AF_INET
    with socket.create_server((last, 0), family=family) as taken:
        result = refused("--port", str(taken.getsockname()[1]))
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "is in use" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "203.0.113.1"), "Cannot listen on port 8000 of 203.0.113.1: "),
        (("--host", "no host"), "Cannot listen on port 8000 of no host: "),
        (("--port", "65536"), "'65536' is not a whole number from 0 to 65535"),
        (("--port", "http"), "'http' is not a whole number"),
        (("--workers", "0"), "'0' is not a whole number from 1 to 256"),
        (("--status-bytes", "-1"), "'-1' is not a whole number"),
    ],
)
def test_a_wrong_option_is_named(options: tuple[str, ...], said: str) -> None:
    """Nothing starts, and the sentence says which value and what is allowed."""
    result = refused(*options)
    assert result.returncode != 0
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_it_takes_as_many_connections_as_this_user_may_open() -> None:
    """A low soft limit of open files, as a shell sets it, does not limit the devices."""
    with serving() as (process, port):
        get(f"http://localhost:{port}/health")
        soft, hard = psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


def loopback() -> list[str]:
    """The addresses of this machine that "localhost" may mean, as a URL has them."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return ["127.0.0.1", "[::1]"]
    except OSError:
        return ["127.0.0.1"]
