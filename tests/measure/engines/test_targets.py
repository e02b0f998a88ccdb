"""Any target on every engine: one, three and five endpoints with shares and clocks, and every way to be wrong.

A real server answers by path, so that each endpoint has an answer of its own.
"""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.measure.engines.counters import Counters
from experiments.measure.engines.judge import judge
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.record import schema
from experiments.record.schema import Outcome
from experiments.schedule import Pacing, Plan
from experiments.target import loading, planning
from experiments.target.answers.answer import Answer
from experiments.target.loaded import Loaded
from experiments.target.swarm import prepare
from tests.support.scripted_server import answer

ENGINES = ("httpx", "epoll", "httpx-stock", "threads")
ONE = "endpoints: {only: {request: GET /only, expect: {bytes: 4}}}"
THREE = """
endpoints:
  often: {request: GET /often, share: 4}
  seldom: {request: POST /seldom, share: 1, json: {device: "{id}", round: "{round}"}, expect: {json: {fine: true}}}
  own: {request: GET /own, every_s: 0.15, headers: {Accept-Encoding: identity}, expect: {status: [200, 204]}}
"""
FIVE = """
devices: {id: "dev-{index:03d}"}
headers: {Authorization: "Bearer {id}"}
endpoints:
  a: {request: GET /a, share: 3}
  b: {request: GET "/b?n={round}", share: 2, expect: {regex: fi.e}}
  c: {request: GET /c, every_s: 0.11}
  d: {request: GET /d, share: 3, expect: {body: first}}
  e: {request: GET /e, every_s: 0.2, etag: remember, expect: {status: 200}}
""".replace('GET "/b?n={round}"', "GET /b")
RIGHT = b'{"fine": true}'


def loaded(text: str, tmp_path: Path) -> Loaded:
    return loading.read(text, tmp_path / "mine.yaml", environ={})


def plan_of(target: Loaded, **changes: Any) -> Plan:
    asked = planning.plan(
        target.target, clients=6, interval_s=0.1, phase="random", pacing="fixed", seed=1, warmup_s=0.15, window_s=0.6
    )
    return replace(asked, **changes)


def by_path(requests: list[bytes]) -> Callable[..., Any]:
    """A server that knows each path of the targets here."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0]) if b"content-length:" in lower else 0
                body = await reader.readexactly(length)
                requests.append(head + body)
                path = head.split(b" ")[1]
                if b"if-none-match" in lower:
                    writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n')
                elif path == b"/only":
                    writer.write(answer(b"four"))
                elif path == b"/x":
                    writer.write(answer(b'{"wait_s": 0.125}'))
                elif path == b"/own":
                    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                elif path == b"/e":
                    writer.write(answer(RIGHT, headers=b'ETag: "x"\r\n'))
                else:
                    writer.write(answer(RIGHT))
                if b"connection: close" in lower:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


def measure(tmp_path: Path, target: Loaded, plan: Plan, engine: str) -> tuple[pl.DataFrame, dict[str, Any], list[bytes]]:
    """Drives all devices; rows, facts, and what the server was asked."""
    (tmp_path / "requests").mkdir(parents=True)
    requests: list[bytes] = []

    async def main() -> dict[str, Any]:
        server = await asyncio.start_server(by_path(requests), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            asked = Target.of(
                target, f"http://127.0.0.1:{port}", ("127.0.0.1", port), keep_alive=engine != "threads", timeout_s=5.0
            )
            shard = Shard.from_json(json.loads(json.dumps(Shard(str(tmp_path), 0, 1, engine, plan, asked).to_json())))
            assert shard.plan == plan
            shard.make_engine()
            return await run_shard(shard, time.monotonic() + plan.warmup_s + 0.1, lambda report: None, Stop())

    facts = asyncio.run(asyncio.wait_for(main(), 20))
    rows = pl.concat(pl.read_parquet(path, glob=False) for path in (tmp_path / "requests").iterdir())
    return rows, facts, requests


@pytest.mark.slow
@pytest.mark.parametrize("text", [ONE, THREE, FIVE], ids=["one", "three", "five"])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_poll_of_the_plan_has_its_row_on_every_engine(tmp_path: Path, text: str, engine: str) -> None:
    """Planned = sent + unsent, sent = ok + failed, keys are unique, and each endpoint is polled as its clock says."""
    target = loaded(text, tmp_path)
    pacing: Pacing = "after" if engine == "threads" else "fixed"
    plan = plan_of(target, pacing=pacing)
    rows, facts, requests = measure(tmp_path / "run", target, plan, engine)
    totals = facts["totals"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"] > 0
    assert totals["sent"] == totals["ok"] + totals["failed"]
    assert totals["failed"] == 0, rows.filter(pl.col("failed_check").is_not_null())
    assert rows.select("client", "round", "endpoint").is_unique().all()
    assert rows.schema == schema.dtypes(schema.REQUESTS, plan.endpoints)
    assert len(requests) == facts["attempts"] == rows["sent_s"].count()
    if pacing == "fixed":
        planned = {
            (client, round_, name)
            for client in range(plan.clients)
            for clock in plan.clocks
            for round_ in range(1, plan.rounds_before(client, clock, plan.window_s) + 1)
            for name in plan.named(client, clock, round_)
        }
        assert {*rows.select("client", "round", pl.col("endpoint").cast(pl.String)).rows()} == planned


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_rounds_are_atomic_and_in_the_files_order(tmp_path: Path, engine: str) -> None:
    """Between the first poll of a round and its last a device sends nothing else, though another clock is due."""
    target = loaded(FIVE, tmp_path)
    plan = plan_of(target, pacing="after" if engine == "threads" else "fixed")
    rows, _, _ = measure(tmp_path / "run", target, plan, engine)
    order = {name: place for place, name in enumerate(plan.endpoints)}
    shares = plan.clock_of("a")
    for (client,), mine in rows.drop_nulls("sent_s").sort("sent_s").group_by("client"):
        polls = mine.select("round", pl.col("endpoint").cast(pl.String)).rows()
        for round_ in {round_ for round_, name in polls if name == "a"}:
            wanted = plan.named(int(str(client)), shares, round_)
            places = [place for place, (number, name) in enumerate(polls) if number == round_ and name in wanted]
            names = [polls[place][1] for place in places]
            assert names == sorted(names, key=lambda name: order[name])
            assert places == list(range(places[0], places[0] + len(places)))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_each_device_asks_for_itself(tmp_path: Path, engine: str) -> None:
    """Its own token, id and round are in the bytes that the server got, and an ETag comes back."""
    target = loaded(THREE, tmp_path)
    plan = plan_of(target, pacing="after" if engine == "threads" else "fixed")
    rows, _, requests = measure(tmp_path / "run", target, plan, engine)
    posted = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in requests if one.startswith(b"POST")]
    sent = rows.filter((pl.col("endpoint") == "seldom") & pl.col("sent_s").is_not_null()).select("client", "round").rows()
    assert Counter((int(one["device"]), one["round"]) for one in posted) == Counter(sent)
    five = loaded(FIVE, tmp_path)
    rows, _, requests = measure(tmp_path / "again", five, plan_of(five, pacing=plan.pacing), engine)
    tokens = {one.partition(b"Bearer ")[2].split(b"\r\n")[0] for one in requests}
    assert tokens == {b"dev-%03d" % client for client in range(6)}
    statuses = rows.filter(pl.col("endpoint") == "e").drop_nulls("sent_s")["status"].value_counts()
    assert dict(statuses.iter_rows()).keys() == {200, 304}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock"])
def test_a_wrong_answer_names_the_expectation_that_failed(tmp_path: Path, engine: str) -> None:
    """In its row, and in a sentence beside the first of its kind; no secret is in either."""
    text = """
headers: {Authorization: "Bearer {uniform(1,2):.1f}hush-hush"}
endpoints:
  field: {request: GET /field, share: 1, expect: {json: {fine: false}}}
  size: {request: GET /size, share: 1, expect: {bytes: 3}}
  code: {request: GET /code, share: 1, expect: {status: 201}}
"""
    target = loaded(text, tmp_path)
    rows, facts, _ = measure(tmp_path / "run", target, plan_of(target), engine)
    found = rows.drop_nulls("sent_s").select(pl.col("endpoint", "outcome").cast(pl.String), "failed_check").unique().rows()
    assert {*found} == {
        ("field", "checks", "json.fine"), ("size", "wrong_body", "bytes"), ("code", "http_error", "status"),
    }  # fmt: skip
    first = {one["endpoint"]: one for one in facts["first_wrong_answers"]}
    assert first["field"]["failed_check"] == "json.fine"
    assert "fine" in first["field"]["why"]
    assert "hush" not in json.dumps(facts)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock"])
def test_a_server_that_says_when_to_poll_next_is_obeyed(tmp_path: Path, engine: str) -> None:
    """Each round is due so long after the end of the one before it, whatever the clock says."""
    target = loaded(
        "endpoints: {only: {request: GET /x, every_s: 0.05, next_poll: {json: wait_s}, expect: {status: 200}}}", tmp_path
    )
    told = plan_of(target)
    assert told.clocks[0].told
    rows, facts, _ = measure(tmp_path / "run", target, told, engine)
    assert facts["totals"]["failed"] == 0
    polls = rows.drop_nulls("sent_s").sort("client", "round")
    assert polls.height > told.clients
    follows = polls.with_columns(wait_s=pl.col("due_s") - pl.col("done_s").shift().over("client")).drop_nulls("wait_s")
    assert follows.filter((pl.col("wait_s") - 0.125).abs() > 2 * schema.TICK_S).is_empty()


bodies = st.one_of(
    st.binary(max_size=50), st.just(RIGHT), st.just(gzip.compress(RIGHT)), st.just(b'{"fine": 1}'), st.just(b"[" * 5000)
)


@given(
    st.integers(100, 599), bodies, st.sampled_from([[], [(b"Content-Encoding", b"gzip")], [(b"ETag", b"x")]]), st.booleans(),
    st.sampled_from(["json: {fine: true}", "bytes: 14", "regex: fine", "decoded_bytes: 14", "body: first", "status: 204"]),
)  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_every_answer_has_one_outcome_and_names_what_failed(
    status: int, body: bytes, headers: list[tuple[bytes, bytes]], compare: bool, expects: str
) -> None:
    """Whatever comes, nothing is raised; ok has no failed check, and every other outcome has the one that it stands for."""
    target = loading.read(f"endpoints: {{only: {{request: GET /, expect: {{{expects}}}}}}}", Path("/mine.yaml"), environ={})
    (poller,) = prepare(target, clients=1, seed=1, host="h", environ={}).device(0)
    counters = Counters()
    for round_ in (1, 2):
        found = judge(poller, 0, round_, status, headers, body, len(body), counters, compare=compare)
        if found.outcome is Outcome.OK:
            assert found.failed_check is None
        else:
            assert found.failed_check is not None
            right = {
                "status": Outcome.HTTP_ERROR,
                **dict.fromkeys(("bytes", "body", "decoded_bytes", "decoding"), Outcome.WRONG_BODY),
            }
            assert found.outcome is right.get(found.failed_check, Outcome.CHECKS)
            assert poller.explain(found.failed_check, found.answer or Answer(status), round_)
    assert counters.differed.total() <= counters.compared.total() <= counters.checksums


def test_the_length_after_decoding_is_told_again_of_a_body_that_is_known() -> None:
    """A body that was right before is not decoded again, and its length stands in every row all the same."""
    target = loading.read("endpoints: {only: {request: GET /, expect: {regex: fine}}}", Path("/mine.yaml"), environ={})
    (poller,) = prepare(target, clients=1, seed=1, host="h", environ={}).device(0)
    packed, headers = gzip.compress(RIGHT), [(b"Content-Encoding", b"gzip")]
    told = [
        judge(poller, 0, round_, 200, headers, packed, len(packed), Counters(), compare=False).decoded_bytes
        for round_ in (1, 2, 3)
    ]
    assert told == [len(RIGHT)] * 3


def test_a_body_is_kept_only_where_somebody_looks_at_it(tmp_path: Path) -> None:
    """Of identical bytes in the rounds that compare; of a length never; of JSON always."""
    text = "{a: {request: GET /, expect: {body: first}}, b: {request: GET /}, c: {request: GET /, expect: {regex: x}}}"
    text = f"endpoints: {text}"
    same, plain, content = prepare(loaded(text, tmp_path), clients=1, seed=1, host="h", environ={}).device(0)
    assert same.looks(compare=False), "the first one is what later ones are compared with"
    same.expect_first(7)
    assert [one.looks(compare) for one in (same, plain, content) for compare in (True, False)] == [
        True, False, False, False, True, True,
    ]  # fmt: skip
