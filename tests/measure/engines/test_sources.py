"""Devices connect from as many addresses as they need, and from those that they were given."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.errors import ParameterError
from experiments.measure.engines import sources
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.scenario import OWN_ENGINES
from experiments.target import loading
from tests.measure.engines.test_targets import ONE, by_path, plan_of


@pytest.fixture
def few_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address has 1,000 ports here."""
    (tmp_path / "range").write_text("40000\t40999\n")
    monkeypatch.setattr(sources, "RANGE", tmp_path / "range")


@pytest.mark.usefixtures("few_ports")
def test_the_loopback_has_as_many_addresses_as_the_devices_have_room_in() -> None:
    """Half of an address's ports are left free, and where one will do the system may choose."""
    assert sources.chosen((), 500, "127.0.0.1") == ()
    assert sources.chosen((), 501, "127.0.0.1") == ("127.0.0.1", "127.0.0.2")
    assert sources.chosen((), 2600, "127.9.9.9") == tuple(f"127.0.0.{number}" for number in range(1, 7))


@pytest.mark.usefixtures("few_ports")
@pytest.mark.parametrize(("given", "host"), [((), "192.0.2.1"), ((), "::1"), (("192.0.2.7", "192.0.2.8"), "192.0.2.1")])
def test_too_few_ports_are_refused_with_the_number_that_would_do(given: tuple[str, ...], host: str) -> None:
    """Elsewhere, and over IPv6, there are only the addresses that somebody names."""
    with pytest.raises(ParameterError, match=r"2,001 connections .* give 3 addresses .*source_addresses"):
        sources.chosen(given, 2001, host)
    assert sources.chosen(given, 1000, host) == given


def test_addresses_of_another_kind_than_the_servers_are_refused() -> None:
    """A socket of IPv6 cannot reach a server of IPv4."""
    with pytest.raises(ParameterError, match=r"::1 cannot reach the server, which is at 127\.0\.0\.1"):
        sources.chosen(("::1",), 1, "127.0.0.1")


def test_an_address_that_is_not_this_machines_is_found() -> None:
    """It is told before anything starts, and not by a poll that fails."""
    assert sources.absent(("127.0.0.1", "127.3.2.1")) is None
    assert sources.absent(("127.0.0.1", "192.0.2.77")) == "192.0.2.77"


@pytest.mark.slow
@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_each_device_connects_from_its_own_address(tmp_path: Path, engine: str) -> None:
    """Six devices and three addresses: the server sees two connections from each, and every poll is answered."""
    loaded = loading.read(ONE, tmp_path / "mine.yaml", environ={})
    plan, seen = plan_of(loaded), Counter[str]()
    (tmp_path / "requests").mkdir()
    serve = by_path([])

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen[writer.get_extra_info("peername")[0]] += 1
        await serve(reader, writer)

    async def main() -> dict[str, int]:
        server = await asyncio.start_server(noted, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            url, three = f"http://127.0.0.1:{port}", ("127.0.0.1", "127.0.0.2", "127.3.2.1")
            target = Target.of(loaded, url, ("127.0.0.1", port), keep_alive=True, timeout_s=5.0, sources=three)
            shard = Shard(str(tmp_path), 0, 1, engine, plan, target)
            shard.make_engine()
            facts = await run_shard(shard, time.monotonic() + plan.warmup_s + 0.1, lambda report: None, Stop())
            totals: dict[str, int] = facts["totals"]
            return totals

    totals = asyncio.run(asyncio.wait_for(main(), 20))
    assert seen == {"127.0.0.1": 2, "127.0.0.2": 2, "127.3.2.1": 2}
    assert totals["ok"] == totals["planned"] > 0
