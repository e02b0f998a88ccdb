"""The one contract of all systems, held against the real server of each: bytes, heads, connections, counts, end."""

import asyncio
import http.client
import ipaddress
import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from experiments.measure import limits
from experiments.measure.host import network
from experiments.measure.servers.local import ServerProcess
from server.catalogue import BACKLOG, HEALTH_PATH, SYSTEMS, System, body, obstacle
from tests.support.processes import descendants, listening, still_alive

SIZES = {"status_bytes": 100, "bulk_bytes": 204_800}
ASKED = (("1", 200, body(100)), ("200", 200, body(204_800)), ("3", 404, None), ("1", 200, body(100)))
"""(page, HTTP status, body), asked one after the other on each connection; None for any words."""
CONNECTIONS = 6
MANY = 1100
"""More connections than gunicorn and granian hold if nobody tells them to: 1,000 and 1,024."""
STOP_S = 4.0
"""A server that stops by itself takes 3 s at most for what is still asked, and here nothing is."""

PEERS = [one for one in SYSTEMS.values() if one.comparison != "instrument" and "static" in one.workloads]
CASES = [(system.name, workers) for system in PEERS for workers in (1, 2) if workers <= (system.most_workers or workers)]
OURS = [case for case in CASES if not SYSTEMS[case[0]].isolated]
ISOLATED = [case for case in CASES if SYSTEMS[case[0]].isolated]


def talk(connections: list[http.client.HTTPConnection], pages: tuple[tuple[str, int, bytes | None], ...]) -> None:
    """Asks for pages on open connections in turn; each must stay the same connection, and each answer be right."""
    sockets = [connection.sock for connection in connections]
    for page, status, expected in pages:
        for connection in connections:
            connection.request("GET", f"/hello?page={page}")
        for connection in connections:
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == status
            assert expected is None or content == expected
            assert answer.getheader("Content-Length") == str(len(content))
            assert answer.getheader("Transfer-Encoding") is None
    assert [connection.sock for connection in connections] == sockets


def talk_on_many(url: str) -> None:
    """Opens connections together and asks the same on each."""
    with ExitStack() as stack:
        connections = [
            stack.enter_context(closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)))
            for _ in range(CONNECTIONS)
        ]
        for connection in connections:
            connection.connect()
        talk(connections, ASKED)


def health(url: str) -> dict[str, Any]:
    """What a worker says of itself."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
        connection.request("GET", HEALTH_PATH)
        said: dict[str, Any] = json.load(connection.getresponse())
        return said


async def check_answers(server: ServerProcess) -> None:
    """Both pages come whole, plain, with their length, as text."""
    for name, headers in (await server.verify()).items():
        assert headers["content-length"] == str(SIZES[f"{name}_bytes"])
        assert headers["content-type"].lower() == "text/plain; charset=utf-8"
        assert {"content-encoding", "transfer-encoding"} & headers.keys() == set()


async def check_counts(server: ServerProcess, system: System, workers: int) -> None:
    """Each worker is known by its pid, and together they count every request for /hello and no other."""
    said = health(server.url)
    assert said.keys() == {"pid", "framework", "version", "served"}
    assert said["pid"] in server.worker_pids()
    assert len(server.worker_pids()) == workers
    before = await server.served()
    talk_on_many(server.url)
    after = await server.served()
    assert sorted(after) == (server.worker_pids() if system.counts else [])
    if system.counts:
        assert sum(before.values()) == 2  # What verify asked.
        assert sum(after.values()) - sum(before.values()) == CONNECTIONS * len(ASKED)
    else:
        assert said["served"] is None


async def check_connections(server: ServerProcess, system: System, workers: int) -> None:
    """As many may wait to be accepted as is said, and a worker holds more than the usual limits, each of them served."""
    port = urlsplit(server.url).port
    assert port is not None
    assert network.backlog({"127.0.0.1"}, port) == min(system.backlog, network.most_backlog() or BACKLOG)
    if workers > 1:
        return
    limits.allow_files([limits.Need(MANY + limits.SPARE_FILES)])
    held: list[asyncio.StreamWriter] = []
    try:
        for _ in range(MANY):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            held.append(writer)
            writer.write(b"GET /hello?page=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert head.startswith(b"HTTP/1.1 200 ")
    finally:
        for writer in held:
            writer.close()


async def live(system: System, workers: int, log_path: Path) -> None:
    """The whole life of a server."""
    server = ServerProcess(system=system.name, workers=workers, log_path=log_path, **SIZES)
    try:
        await server.start()
        assert server.main_pid is not None
        assert [one for one in listening(server.main_pid) if not ipaddress.ip_address(one).is_loopback] == []
        await check_answers(server)
        await check_counts(server, system, workers)
        await check_connections(server, system, workers)
        facts = server.facts()
        assert facts["framework"]
        assert facts["framework_version"]
        family = descendants(server.main_pid)
    finally:
        ended = await server.stop()
    assert ended is not None
    assert ended.how == "terminated"
    assert ended.seconds < STOP_S
    assert still_alive(family) == []


@pytest.mark.slow
def test_an_instrument_lets_as_many_wait(tmp_path: Path) -> None:
    """A server with known answers has the backlog of the systems that it stands for."""

    async def run() -> int | None:
        server = ServerProcess(system="known-constant", workers=1, log_path=tmp_path / "server.log", **SIZES)
        try:
            await server.start()
            return network.backlog({"127.0.0.1"}, urlsplit(server.url).port or 0)
        finally:
            await server.stop()

    assert asyncio.run(run()) == min(BACKLOG, network.most_backlog() or BACKLOG)


def hold(name: str, workers: int, tmp_path: Path) -> None:
    """Holds a system to the contract, if it can run here."""
    if why := obstacle(SYSTEMS[name]):
        pytest.skip(why)
    log_path = tmp_path / "server.log"
    asyncio.run(live(SYSTEMS[name], workers, log_path))
    assert "hello" not in log_path.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "workers"), OURS)
def test_a_system_keeps_the_contract(name: str, workers: int, tmp_path: Path) -> None:
    """Every system answers the same bytes on connections that stay, counts what it served, logs no request, and ends."""
    hold(name, workers, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "workers"), ISOLATED)
def test_a_system_of_an_older_python_keeps_the_contract(name: str, workers: int, tmp_path: Path) -> None:
    """What runs in an environment of its own does all that the others do."""
    hold(name, workers, tmp_path)
