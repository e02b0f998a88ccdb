"""The workload `database`, held against the real server of each system, on SQLite and on a real PostgreSQL."""

import asyncio
import http.client
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from experiments.measure.servers.local import ServerProcess
from server.catalogue import SYSTEMS, body, obstacle, offering
from server.database.__main__ import keeper
from server.database.access import NOBODY, WAIT_S, Access
from server.database.keeper import Keeper, Order
from tests.server.test_contract import SIZES, STOP_S, check_answers, health
from tests.support.postgres import Cluster, cluster
from tests.support.processes import descendants, still_alive

DEVICES = 8
DELAY_S = 0.05
SERIAL = {name for name in offering("database") if SYSTEMS[name].serial}
SECRET = "s@cret"
ROUNDS = 20
"""Most times that devices ask together until all of them were seen within the database at once."""

pytestmark = pytest.mark.slow


def order(url: str, **changes: Any) -> Order:
    given: dict[str, Any] = {"url": url, "devices": DEVICES, "workers": 1, "connections": DEVICES, "delay_s": DELAY_S}
    return Order(**given | SIZES | changes)


def rows_written(access: Access) -> dict[int, int]:
    """Device -> how often it polled, of those that did."""
    query = "SELECT device, polls FROM device_status WHERE polls > 0"
    if not access.url:
        with closing(sqlite3.connect(access.file)) as connection:
            return dict(connection.execute(query).fetchall())
    import psycopg

    with psycopg.connect(**access.connect_arguments()) as connection:  # type: ignore[arg-type]
        return dict(connection.execute(query).fetchall())


class Devices:
    """Some connections, each with a number."""

    def __init__(self, url: str, names: list[str | None]) -> None:
        self._headers = [{} if name is None else {"X-Device": name} for name in names]
        netloc = urlsplit(url).netloc
        # Longer than a request may wait for a connection of a pool that lost all of them.
        self._connections = [http.client.HTTPConnection(netloc, timeout=2 * WAIT_S) for _ in names]

    def ask(self, page: str) -> list[tuple[int, bytes]]:
        """Each asks for that page before any is answered; status and body of each."""
        for connection, headers in zip(self._connections, self._headers, strict=True):
            connection.request("GET", f"/hello?page={page}", headers=headers)
        answers = [connection.getresponse() for connection in self._connections]
        return [(answer.status, answer.read()) for answer in answers]

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def ask_one(url: str, page: str, device: str | None) -> tuple[int, bytes]:
    with closing(Devices(url, [device])) as one:
        return one.ask(page)[0]


def check_rows(url: str, access: Access, name: str) -> int:
    """All devices ask together; each gets what it should, and moves its own row and no other. Requests for /hello."""
    with closing(Devices(url, [str(number) for number in range(DEVICES)])) as devices:
        assert devices.ask("200") == [(200, body(SIZES["bulk_bytes"]))] * DEVICES
        assert rows_written(access) == {NOBODY: 1}, "what verify asked, and no more for B"
        for rounds in range(1, ROUNDS + 1):
            assert devices.ask("1") == [(200, body(SIZES["status_bytes"]))] * DEVICES
            at_once = health(url)["at_once"]
            if at_once == DEVICES or (name in SERIAL and rounds == 2):
                break
    assert at_once == (1 if name in SERIAL else DEVICES)
    assert rows_written(access) == {NOBODY: 1} | dict.fromkeys(range(DEVICES), rounds)
    return DEVICES * (1 + rounds)


def check_strangers(url: str, access: Access) -> int:
    """Who is no device, and what is no page, is refused, and moves nothing. Requests for /hello."""
    before = rows_written(access)
    for stranger in (str(DEVICES), "x", "-1", "1.5"):
        assert ask_one(url, "1", stranger)[0] == 404
    assert ask_one(url, "3", "0")[0] == 404
    assert rows_written(access) == before
    return 5


async def live(name: str, kept: Keeper, log_path: Path) -> None:
    """The whole life of a server with a database."""
    environment = kept.access.to_environment()
    server = ServerProcess(system=name, workers=1, log_path=log_path, environment=environment, **SIZES)
    try:
        await server.start()
        assert server.main_pid is not None
        await check_answers(server)
        asked = 2 + await asyncio.to_thread(check_rows, server.url, kept.access, name)
        asked += await asyncio.to_thread(check_strangers, server.url, kept.access)
        assert sum((await server.served()).values()) == asked
        assert server.at_once == (1 if name in SERIAL else DEVICES)
        family = descendants(server.main_pid)
    finally:
        ended = await server.stop()
    assert ended is not None
    assert ended.how == "terminated"
    assert ended.seconds < STOP_S
    assert still_alive(family) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", offering("database"))
def test_a_system_keeps_the_contract_with_a_database(
    name: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The same bytes as without one, each A written once into the row of its device, and only Channels one by one."""
    if why := obstacle(SYSTEMS[name], workload="database"):
        pytest.skip(why)
    kept = keeper(order(request.getfixturevalue("postgresql").url if kind == "postgresql" else ""))
    kept.check()
    kept.prepare(tmp_path)
    try:
        asyncio.run(live(name, kept, tmp_path / "server.log"))
    finally:
        kept.clear()
    log = (tmp_path / "server.log").read_text()
    assert "hello" not in log
    assert SECRET not in log
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]


@pytest.fixture(scope="module")
def failing() -> Iterator[Cluster]:
    """A PostgreSQL that may be stopped, and runs otherwise."""
    with cluster() as made:
        made.start()
        yield made


async def outlive(name: str, kept: Keeper, failing: Cluster, log_path: Path) -> None:
    """Asks a server before, while and after its PostgreSQL is away."""
    environment = kept.access.to_environment()
    server = ServerProcess(system=name, workers=1, log_path=log_path, environment=environment, **SIZES)
    try:
        await server.start()
        assert ask_one(server.url, "1", "0")[0] == 200
        failing.stop()
        assert ask_one(server.url, "1", "0")[0] == 503
        assert ask_one(server.url, "200", "0")[0] == 503
        failing.start()
        deadline = time.monotonic() + 2 * WAIT_S
        while (status := ask_one(server.url, "1", "0")[0]) != 200:
            assert status == 503
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    finally:
        await server.stop()


@pytest.mark.parametrize("name", ["falcon", "falcon-sqlalchemy", "django", "django-asgi", "channels"])
def test_a_server_outlives_its_postgresql(name: str, failing: Cluster, tmp_path: Path) -> None:
    """While the database is away requests are refused with 503, and when it is back they are answered again."""
    if why := obstacle(SYSTEMS[name], workload="database"):
        pytest.skip(why)
    kept = keeper(order(failing.url, delay_s=0.0))
    kept.check()
    kept.prepare(tmp_path)
    try:
        asyncio.run(outlive(name, kept, failing, tmp_path / "server.log"))
        assert rows_written(kept.access)[0] == 2
    finally:
        if failing.process is None:
            failing.start()
        kept.clear()
    assert len((tmp_path / "server.log").read_text()) < 20_000, "a database that is away must not fill the disk"


def connections(url: str) -> int:
    """How many others there are to the tests' database."""
    import psycopg

    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


async def crowd(name: str, kept: Keeper, url: str, log_path: Path) -> tuple[int, int | None]:
    """More devices than connections; how many connections there were, and how many requests were within at once."""
    environment = kept.access.to_environment()
    server = ServerProcess(system=name, workers=1, log_path=log_path, environment=environment, **SIZES)
    try:
        await server.start()
        with closing(Devices(server.url, [str(number) for number in range(DEVICES)])) as devices:
            for _ in range(3):
                answers = await asyncio.to_thread(devices.ask, "1")
                assert answers == [(200, body(SIZES["status_bytes"]))] * DEVICES
        counted = connections(url)
        await server.served()
    finally:
        await server.stop()
    return counted, server.at_once


@pytest.mark.parametrize("name", sorted({*offering("database")} - SERIAL))
def test_no_system_has_more_connections_than_the_others(name: str, tmp_path: Path, postgresql: Cluster) -> None:
    """Who finds all connections taken waits for one, and is answered."""
    if why := obstacle(SYSTEMS[name], workload="database"):
        pytest.skip(why)
    kept = keeper(order(postgresql.url, connections=2))
    kept.prepare(tmp_path)
    try:
        assert asyncio.run(crowd(name, kept, postgresql.url, tmp_path / "server.log")) == (2, 2)
    finally:
        kept.clear()
