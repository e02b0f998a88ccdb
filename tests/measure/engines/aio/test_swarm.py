"""A swarm against a scripted server: which rows come out, whichever engine drives it."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.device import Device
from experiments.measure.engines.epoll import loop
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.measure.servers.ports import free_port
from experiments.record import schema
from experiments.record.rows import RowBuffer
from experiments.schedule import Plan
from tests.support.scripted_server import ScriptedServer, Step, answer, scripted

pytestmark = pytest.mark.slow

BODY = b"x" * 100
GOOD = [answer(BODY)]
ENGINES = pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock"])
OWN = pytest.mark.parametrize("engine", ["httpx", "epoll"])
"""Those that keep a device's connection themselves."""


def plan(**changes: Any) -> Plan:
    defaults = {
        "clients": 3,
        "interval_s": 0.05,
        "status_weight": 1,
        "bulk_weight": 0,
        "phase": "spread",
        "pacing": "fixed",
        "seed": 1,
        "warmup_s": 0.1,
        "window_s": 0.5,
    }
    return Plan.of_ratio(**defaults | changes)


def target(port: int, **changes: Any) -> Target:
    crc = zlib.crc32(BODY)
    defaults = {
        "url": f"http://127.0.0.1:{port}",
        "address": ("127.0.0.1", port),
        "keep_alive": True,
        "timeout_s": 5.0,
        "body_bytes": (100, 100),
        "checksums": (crc, crc),
    }
    return Target.hello(**defaults | changes)


def measure(
    tmp_path: Path,
    scripts: Sequence[Sequence[Step]],
    asked: Plan,
    engine: str = "httpx",
    *,
    stop_after_s: float | None = None,
    meanwhile: Callable[[ScriptedServer], None] | None = None,
    port: int | None = None,
    **target_changes: Any,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Runs a shard of all devices; returns its rows, by time, and its facts."""
    (tmp_path / "requests").mkdir()

    async def main() -> dict[str, Any]:
        async with scripted(*scripts) as server:
            shard = Shard(str(tmp_path), 0, 1, engine, asked, target(port or server.port, **target_changes))
            shard.make_engine()
            start_at = time.monotonic() + asked.warmup_s + 0.05
            stop = Stop()
            driving = asyncio.ensure_future(run_shard(shard, start_at, lambda report: None, stop))
            if meanwhile is not None:
                await asyncio.sleep(asked.warmup_s + 0.2)
                meanwhile(server)
            if stop_after_s is not None:
                await asyncio.sleep(start_at + stop_after_s - time.monotonic())
                stop.at = start_at + stop_after_s
            return await driving

    facts = asyncio.run(asyncio.wait_for(main(), 20))
    parts = [pl.read_parquet(path, glob=False) for path in (tmp_path / "requests").iterdir()]
    rows = pl.concat(parts) if parts else pl.DataFrame(schema=schema.dtypes(schema.REQUESTS))
    return rows.sort("client", "round", "due_s"), facts


def outcomes(rows: pl.DataFrame) -> Counter[str]:
    return Counter(rows["outcome"].to_list())


def sent_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Without those that a busy machine was not in time to send before the window closed."""
    return rows.filter(pl.col("sent_s").is_not_null())


def assert_conserved(facts: dict[str, Any]) -> None:
    totals = facts["totals"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert totals["sent"] == totals["ok"] + totals["failed"]


@ENGINES
def test_every_planned_poll_is_a_row(tmp_path: Path, engine: str) -> None:
    """Keys and due times of the rows are exactly those of the plan, and all polls of a willing server are ok."""
    asked = plan(status_weight=3, bulk_weight=1)
    rows, facts = measure(tmp_path, [GOOD], asked, engine)
    expected = [
        (client, round_, endpoint)
        for client in range(3)
        for clock in asked.clocks
        for round_ in range(1, asked.rounds_before(client, clock, asked.window_s) + 1)
        for endpoint in asked.named(client, clock, round_)
    ]
    assert rows.select("client", "round", "endpoint").rows() == expected
    first = rows.filter(pl.col("endpoint") == "status")
    (clock,) = asked.clocks
    assert first["due_s"].to_list() == [asked.due(c, clock, r) for c, r in first.select("client", "round").iter_rows()]
    sent = sent_of(rows)
    assert outcomes(sent) == {"ok": sent.height}
    assert facts["totals"]["planned"] == sum(sum(asked.planned(c).values()) for c in range(3))
    assert facts["attempts"] == sent.height
    assert_conserved(facts)


@ENGINES
def test_times_of_a_poll_are_in_order_and_a_device_asks_one_at_a_time(tmp_path: Path, engine: str) -> None:
    """due <= ready <= sent <= done, and the next poll is sent after the last one ended."""
    rows, _ = measure(tmp_path, [[0.03, *GOOD]], plan(status_weight=2, bulk_weight=1), engine)
    sent = sent_of(rows)
    assert sent.height > 10
    assert sent.select(
        (pl.col("due_s") <= pl.col("ready_s")).all() & (pl.col("ready_s") <= pl.col("sent_s")).all()
        & (pl.col("sent_s") <= pl.col("done_s")).all()
    ).item()  # fmt: skip
    gaps = sent.select((pl.col("sent_s") - pl.col("done_s").shift(1).over("client")).min()).item()
    assert gaps >= -schema.TICK_S


@OWN
def test_the_second_poll_of_a_round_is_due_when_the_first_has_ended(tmp_path: Path, engine: str) -> None:
    """B's due time is A's done time."""
    rows, _ = measure(tmp_path, [[0.01, *GOOD]], plan(status_weight=1, bulk_weight=1), engine)
    pairs = rows.pivot(on="endpoint", index=["client", "round"], values=["due_s", "done_s"])
    assert pairs["due_s_bulk"].to_list() == pairs["done_s_status"].to_list()


@OWN
def test_after_pacing_waits_an_interval_from_the_end_of_the_round_before(tmp_path: Path, engine: str) -> None:
    """The author's own pacing: answers of 30 ms and an interval of 50 ms make rounds of 80 ms."""
    rows, facts = measure(tmp_path, [[0.03, *GOOD]], plan(clients=1, pacing="after"), engine)
    waits = rows.select(pl.col("due_s") - pl.col("done_s").shift(1)).drop_nulls().to_series()
    assert waits.len() >= 4
    assert (waits - 0.05).abs().max() <= 2 * schema.TICK_S  # type: ignore[operator]
    assert rows.filter(pl.col("due_s") >= 0).height == facts["totals"]["planned"]
    assert_conserved(facts)


@ENGINES
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([answer(BODY, status="503 Busy")], "http_error"),
        ([answer(BODY[:99])], "wrong_body"),
        (["close"], "closed"),
        ([b"nonsense\r\n\r\n", "close"], "protocol_error"),
    ],
)
def test_a_failed_poll_is_a_row_with_its_reason(tmp_path: Path, engine: str, script: list[Step], outcome: str) -> None:
    """Every kind of broken answer has an outcome of its own, and the device goes on polling."""
    rows, facts = measure(tmp_path, [script], plan(), engine)
    assert set(outcomes(sent_of(rows))) == {outcome}
    assert facts["totals"]["failed"] == facts["totals"]["sent"] > 0
    assert facts["totals"]["planned"] == 30
    assert_conserved(facts)


@OWN
def test_wrong_bytes_of_the_right_length_are_noticed(tmp_path: Path, engine: str) -> None:
    """The rounds that compare bytes find an answer that only looks right; the others say ok."""
    rows, facts = measure(tmp_path, [[answer(b"y" * 100)]], plan(clients=64, window_s=0.2, warmup_s=0.0), engine)
    assert outcomes(rows)["wrong_body"] == facts["checksums"] > 0
    assert outcomes(rows)["ok"] == sent_of(rows).height - facts["checksums"]
    assert facts["compared"] == facts["differed"] == {"status": facts["checksums"], "bulk": 0}


@ENGINES
def test_nobody_listening_is_a_row_too(tmp_path: Path, engine: str) -> None:
    """Refused connections are failures of the poll, not of the run."""
    rows, facts = measure(tmp_path, [GOOD], plan(), engine, port=free_port())
    assert set(outcomes(sent_of(rows))) == {"connect_refused"}
    assert rows["status"].sum() == 0
    assert_conserved(facts)


@ENGINES
def test_a_poll_without_answer_times_out_and_the_rest_is_unsent(tmp_path: Path, engine: str) -> None:
    """A timeout ends the poll; what was due meanwhile and never sent is unsent_busy, at the time already waited."""
    rows, facts = measure(tmp_path, [[10.0]], plan(clients=2), engine, timeout_s=0.3)
    assert set(outcomes(sent_of(rows))) == {"read_timeout"}
    timed_out = rows.filter(pl.col("outcome") == "read_timeout")
    waited = (timed_out["done_s"] - timed_out["sent_s"]).to_list()
    assert all(wait >= 0.3 for wait in waited)
    unsent = rows.filter(pl.col("outcome") == "unsent_busy")
    assert unsent["done_s"].to_list() == [0.5] * unsent.height != []
    assert unsent["sent_s"].null_count() == unsent.height
    assert facts["totals"]["planned"] == 20
    assert_conserved(facts)


def test_a_generator_that_does_not_get_to_its_polls_says_late(tmp_path: Path) -> None:
    """A loop that is held up to the end of the window leaves polls that no server is to blame for."""
    rows, facts = measure(tmp_path, [GOOD], plan(window_s=0.6), meanwhile=lambda server: time.sleep(0.8))
    assert outcomes(rows)["unsent_late"] == facts["totals"]["unsent_late"] > facts["totals"]["unsent_busy"]
    assert facts["longest_stall_s"] > 0.3
    assert_conserved(facts)


@OWN
def test_an_idle_connection_that_the_server_closed_is_no_failure(tmp_path: Path, engine: str) -> None:
    """Devices reconnect; every poll is ok, and what happened is recorded."""
    rows, facts = measure(
        tmp_path, [GOOD], plan(interval_s=0.2, window_s=0.7), engine, meanwhile=lambda server: server.close_connections()
    )
    assert set(outcomes(sent_of(rows))) == {"ok"}
    assert facts["connects"] == 3 + facts["reconnects"] + facts["retries"] > 3
    assert rows.filter(pl.col("connect_s") > 0).height == facts["connects"]


@OWN
@pytest.mark.parametrize("wire", [answer(b"", status="503 Busy"), b"HTTP/1.1 204 No Content\r\n\r\n"], ids=["503", "204"])
def test_an_answer_without_a_body_keeps_the_connection(tmp_path: Path, engine: str, wire: bytes) -> None:
    """One connection per device, although no answer has a byte of body."""
    rows, facts = measure(tmp_path, [[wire]], plan(), engine)
    assert (facts["connects"], facts["closes"]) == (3, 0)
    assert set(outcomes(sent_of(rows))) == {"http_error"}


@OWN
def test_what_the_server_closes_is_counted(tmp_path: Path, engine: str) -> None:
    """Each answer after which it says that it closes, and how long a connection had rested that it closed without a word."""
    closing = [answer(BODY, headers=b"Connection: close\r\n"), "close"]
    rows, facts = measure(tmp_path, [closing], plan(), engine)
    assert facts["closes"] == facts["connects"] == sent_of(rows).height
    assert (facts["reconnects"], facts["idle_close_s"]) == (0, None)


@OWN
def test_a_connection_that_the_server_closed_at_once_had_not_rested(tmp_path: Path, engine: str) -> None:
    """A server may close after each answer without saying so: that is seen while nothing is asked."""
    _, facts = measure(tmp_path, [[answer(BODY), "close"]], plan(interval_s=0.2, window_s=0.7), engine)
    assert facts["closes"] == 0
    assert facts["reconnects"] + facts["retries"] == facts["connects"] - 3 > 3
    assert 0 <= facts["idle_close_s"]["p5"] <= facts["idle_close_s"]["p50"] <= facts["idle_close_s"]["p95"]


@OWN
def test_a_connection_a_request_when_keep_alive_is_off(tmp_path: Path, engine: str) -> None:
    """Without keep-alive every row has connected."""
    rows, facts = measure(tmp_path, [GOOD], plan(), engine, keep_alive=False)
    assert facts["connects"] == rows.height == rows.filter(pl.col("connect_s") > 0).height


@OWN
def test_a_run_cut_short_closes_its_window_there(tmp_path: Path, engine: str) -> None:
    """Polls due before the cut are rows, none after it, and the one in flight counts as interrupted."""
    asked = plan(clients=1, interval_s=0.1, warmup_s=0.0, window_s=30.0)
    rows, facts = measure(tmp_path, [GOOD, GOOD, [10.0]], asked, engine, stop_after_s=0.45)
    assert outcomes(rows) == {"ok": 2, "interrupted": 1, "unsent_busy": 2}
    assert facts["totals"] == {"planned": 5, "sent": 3, "ok": 2, "failed": 1, "unsent_busy": 2, "unsent_late": 0}


ALL = pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock", "threads"])


@ALL
@pytest.mark.parametrize("pacing", ["fixed", "after"])
@pytest.mark.parametrize(
    ("script", "ends"), [([0.3, *GOOD], "ok"), ([10.0], "read_timeout")], ids=["answered later", "not answered"]
)
def test_a_round_that_was_begun_is_finished_after_the_window(
    tmp_path: Path, engine: str, pacing: str, script: list[Step], ends: str
) -> None:
    """B belongs to the window of its A: it is sent, however late A ended, and no healthy server has failed at it."""
    asked = plan(clients=1, interval_s=1.0, bulk_weight=1, pacing=pacing, phase="together", warmup_s=0.0, window_s=0.2)
    rows, facts = measure(tmp_path, [script], asked, engine, keep_alive=pacing == "fixed", timeout_s=0.6)
    assert rows.select("endpoint", "outcome").rows() == [("status", ends), ("bulk", ends)]
    assert rows["due_s"][1] == rows["done_s"][0] > asked.window_s
    assert facts["totals"] | {"ok": 0, "failed": 0} == {
        "planned": 2, "sent": 2, "ok": 0, "failed": 0, "unsent_busy": 0, "unsent_late": 0
    }  # fmt: skip
    assert_conserved(facts)


@ALL
def test_a_round_whose_first_poll_was_interrupted_is_not_finished(tmp_path: Path, engine: str) -> None:
    """A run that is cut short ends: after its time of grace nothing is sent any more."""
    asked = plan(clients=2, interval_s=5.0, bulk_weight=1, phase="together", warmup_s=0.0, window_s=30.0)
    rows, facts = measure(tmp_path, [[20.0]], asked, engine, stop_after_s=0.3, timeout_s=20.0)
    assert outcomes(rows) == {"interrupted": 2, "unsent_busy": 2}
    assert_conserved(facts)


@ALL
def test_a_backlog_is_written_when_the_last_poll_has_ended(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing it takes time, in which an answer would be seen too late."""
    in_flight = []
    give_up, give_all_up = Device.give_up, loop.give_up

    def watched(device: Any) -> None:
        in_flight.append(len(device._swarm.watchdog.in_flight))
        give_up(device)

    def all_watched(shared: Any, devices: Any, place: int, *more: Any) -> int:
        in_flight.extend([int(shared[0]["in_flight"])] * len(devices))
        return give_all_up(shared, devices, place, *more)

    monkeypatch.setattr(Device, "give_up", watched)
    monkeypatch.setattr(loop, "give_up", all_watched)
    rows, _ = measure(tmp_path, [GOOD, [10.0]], plan(clients=4, window_s=0.3), engine, timeout_s=0.5)
    assert in_flight == [0] * 4
    assert outcomes(rows)["unsent_busy"] > 0


@ALL
def test_waiting_for_a_core_is_taken_from_the_window_alone(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time after it does not count, in which polls in flight are awaited and the generator has nothing to do."""
    happened = []

    class Waiting:
        def ratio(self) -> float:
            happened.append("asked")
            return 0.5

    add, ended = RowBuffer.add, loop.ended
    monkeypatch.setattr("experiments.measure.generators.shard_runner.RunQueueWait", Waiting)
    monkeypatch.setattr(RowBuffer, "add", lambda rows, *poll: (happened.append("row"), add(rows, *poll)))
    monkeypatch.setattr(loop, "ended", lambda *poll: (happened.append("row"), ended(*poll)))
    asked = plan(clients=1, interval_s=5.0, phase="together", warmup_s=0.0, window_s=0.2)
    _, facts = measure(tmp_path, [[10.0]], asked, engine, timeout_s=2.0)
    assert happened == ["asked", "row"]
    assert facts["cpu_wait_ratio"] == 0.5


@OWN
def test_a_poll_is_never_sent_before_it_is_due(tmp_path: Path, engine: str) -> None:
    """The resolution of a timer makes no poll early by more than a tick of the record."""
    rows, _ = measure(tmp_path, [GOOD], plan(clients=20, phase="random"), engine)
    assert (rows["sent_s"] - rows["due_s"]).min() >= -schema.TICK_S  # type: ignore[operator]


@ENGINES
def test_a_device_says_its_number_only_where_it_is_asked_for(tmp_path: Path, engine: str) -> None:
    """Where a server keeps something of each device, every poll names its own; elsewhere no byte is added."""
    polled: dict[str, Counter[bytes]] = {}
    for named in ("database", "hello"):
        seen: list[ScriptedServer] = []
        (tmp_path / named).mkdir()
        rows, _ = measure(tmp_path / named, [GOOD], plan(), engine, meanwhile=seen.append, name=named)
        heads = [line for asked in seen[0].requests for line in asked.split(b"\r\n") if line.lower().startswith(b"x-device")]
        polled[named] = Counter(heads)
    assert polled["hello"] == {}
    told = {int(head.partition(b":")[2]): count for head, count in polled["database"].items()}
    assert told == Counter(rows.filter(~pl.col("outcome").is_in(schema.UNSENT))["client"].to_list())


def test_a_poll_that_never_gets_a_connection_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It times out as not connected, and not as unanswered: whoever reads it looks at the network, not at the server."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(LeanTransport, "_open", never)
    asked = plan(clients=2, interval_s=0.1, warmup_s=0.0, window_s=0.6)
    rows, facts = measure(tmp_path, [GOOD], asked, "httpx", timeout_s=0.2)
    assert set(outcomes(sent_of(rows))) == {"connect_timeout"}
    assert facts["connects"] == 0
