"""Whatever a server does is laid at the server's door, and what the generator does is not."""

import asyncio
from pathlib import Path

import pytest

from experiments.measure.engines.aio.adapters import HttpxLink, LeanLink, Link, StockTransport
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import ConnectionReset
from experiments.measure.engines.judge import judge
from experiments.measure.engines.target import Target
from experiments.record.schema import Outcome
from experiments.scenario import OWN_ENGINES
from tests.hostile.nasties import NASTIES, Nasty
from tests.hostile.peer import connected, inside_a_loop
from tests.measure.engines.aio.test_swarm import measure, outcomes, plan, target
from tests.support.scripted_server import scripted

TIMEOUT_S = 0.25


def link(engine: str, to: Target) -> Link:
    if engine == "httpx":
        return LeanLink(to, {"status": to.route("GET")})
    return HttpxLink(to, StockTransport(to.timeout_s))


async def polled(nasty: Nasty, engine: str) -> list[Outcome]:
    """Two polls, one after the other."""
    found = []
    async with scripted(nasty.script) as server:
        to = target(server.port, timeout_s=TIMEOUT_S)
        asking = link(engine, to)
        ((poller, _),) = to.pollers(plan(), [0])
        for _ in range(2):
            try:
                async with asyncio.timeout(2 * TIMEOUT_S if engine == "httpx-stock" else TIMEOUT_S):
                    await asking.ask(poller, 1, keep=False)
                told = (asking.status, asking.headers, asking.body, asking.body_bytes)
                found.append(judge(poller, 0, 1, *told, asking.counters, compare=False).outcome)
            except TimeoutError:
                found.append(Outcome.READ_TIMEOUT)
            except Exception as error:  # noqa: BLE001 - as a device does
                found.append(outcome_of(error))
        await asking.close()
    return found


@pytest.mark.parametrize("nasty", NASTIES, ids=[nasty.name for nasty in NASTIES])
@pytest.mark.parametrize("engine", ["httpx", "httpx-stock"])
@pytest.mark.filterwarnings("ignore:http.cookiejar bug")
def test_what_a_server_does_is_never_the_generators_fault(nasty: Nasty, engine: str) -> None:
    """Each way to misbehave has its own outcome, and the poll after it has one too."""
    first, second = asyncio.run(asyncio.wait_for(polled(nasty, engine), 10))
    assert first is (nasty.lean if engine == "httpx" else nasty.stock)
    assert second is not Outcome.GENERATOR_ERROR


@pytest.mark.slow
@pytest.mark.parametrize("nasty", NASTIES, ids=[nasty.name for nasty in NASTIES])
def test_both_engines_of_ours_give_the_same_reason(tmp_path: Path, nasty: Nasty) -> None:
    """The fast engine reads the same answers as the lean transport: the same outcome, first and second time."""
    found = []
    for engine in OWN_ENGINES:
        (tmp_path / engine).mkdir()
        asked = plan(clients=1, interval_s=0.6, warmup_s=0.0, window_s=0.9)
        rows, _ = measure(tmp_path / engine, [nasty.script], asked, engine, timeout_s=TIMEOUT_S)
        found.append(rows.select("round", "status", "bytes", "outcome").rows())
    assert found[0] == found[1]
    assert found[0][0][-1] == nasty.lean.label


@inside_a_loop
def test_a_fault_of_our_own_is_never_the_servers() -> None:
    """What an event loop reports of a fault in our code is not taken for a reset, but an error of the system is."""
    for error, kind, outcome in (
        (ZeroDivisionError(), ZeroDivisionError, Outcome.GENERATOR_ERROR),
        (ConnectionResetError(104, "reset"), ConnectionReset, Outcome.RESET),
        (TimeoutError(110, "timed out"), ConnectionReset, Outcome.RESET),
    ):
        protocol = connected()
        waiter = protocol.ask(b"")
        protocol.connection_lost(error)
        found = waiter.exception()
        assert isinstance(found, kind)
        assert outcome_of(found) is outcome


@pytest.mark.slow
@pytest.mark.parametrize("engine", [*OWN_ENGINES, "httpx-stock"])
@pytest.mark.filterwarnings("ignore:http.cookiejar bug")
def test_a_swarm_lives_through_all_of_it(tmp_path: Path, engine: str) -> None:
    """Devices that meet every nasty in turn go on, and each planned poll is a row with the server's reason."""
    scripts = [nasty.script for nasty in NASTIES]
    rows, facts = measure(tmp_path, scripts, plan(clients=4, window_s=2.0), engine, timeout_s=TIMEOUT_S)
    totals = facts["totals"]
    unsent = totals["unsent_busy"] + totals["unsent_late"]
    assert totals["planned"] == totals["sent"] + unsent == len(rows.filter(rows["due_s"] >= 0))
    assert totals["sent"] == totals["ok"] + totals["failed"]
    assert outcomes(rows)["generator_error"] == 0
    assert len(outcomes(rows)) > 3
