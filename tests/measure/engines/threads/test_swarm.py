"""The author's client: a thread per device, a connection per request, rows as of others, and the same counts in Redis."""

import asyncio
import shutil
import socket
import threading
import time
from collections import Counter as Counts
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import experiments as lab
from experiments.errors import ParameterError
from experiments.measure.engines.threads.counter import RedisCounter, RedisCounters, connect
from experiments.measure.servers.ports import free_port
from experiments.measure.services import redis
from experiments.measure.services.redis import RunRedis
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.measure.engines.aio.test_swarm import BODY, GOOD, assert_conserved, measure, outcomes, plan, sent_of
from tests.support.scripted_server import answer

AUTHORS: dict[str, Any] = {"engine": "threads", "pacing": "after", "keep_alive": False}
SMALL: dict[str, Any] = {"clients": 5, "interval_ms": 100, "minutes": 1.5 / 60, "warmup_s": 0.3, "sample_ms": 100}
needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


def counted(rows: pl.DataFrame) -> dict[str, int]:
    """What Redis must hold after these rows."""
    sent = rows.filter(~pl.col("outcome").cast(pl.String).str.starts_with("unsent"))
    return dict(
        sorted(Counts(f"{endpoint} {outcome}" for endpoint, outcome in sent.select("endpoint", "outcome").rows()).items())
    )


def scenario(tmp_path: Path, **more: Any) -> Scenario:
    return Scenario(**AUTHORS | SMALL | {"results_dir": str(tmp_path)} | more)


@pytest.mark.slow
def test_every_poll_has_its_own_connection_and_sleep_follows_the_answer(tmp_path: Path) -> None:
    """One connection per request; a round is due one interval after the end of the one before."""
    asked = plan(pacing="after", status_weight=2, bulk_weight=1)
    rows, facts = measure(tmp_path, [GOOD], asked, "threads", keep_alive=False)
    sent = sent_of(rows)
    assert set(outcomes(sent)) == {"ok"}
    assert facts["connects"] == facts["attempts"] == len(sent)
    assert (sent["connect_s"] > 0).all()
    assert sent.filter((pl.col("done_s") < pl.col("sent_s")) | (pl.col("sent_s") < pl.col("ready_s"))).is_empty()
    ends = sent.group_by("client", "round").agg(pl.col("done_s").max(), pl.col("due_s").min()).sort("client", "round")
    gaps = ends.select(gap=pl.col("due_s") - pl.col("done_s").shift(1).over("client")).drop_nulls()["gap"]
    assert gaps.to_list() == pytest.approx([asked.interval_s] * len(gaps), abs=2e-6)
    assert_conserved(facts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([answer(BODY, status="503 Service Unavailable")], "http_error"),
        ([answer(BODY[:-1])], "wrong_body"),
        ([answer(b"y" * 100)], "wrong_body"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"], "closed"),
        ([b"this is not HTTP\r\n\r\n"], "protocol_error"),
        ([10.0], "read_timeout"),
        # A byte now and then holds `requests` up for ever: its own timeout is for each wait.
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[0.05, b"x"] * 60], "read_timeout"),
    ],
    ids=["503", "short body", "other bytes", "cut off", "no HTTP", "silent", "drop by drop"],
)
def test_a_failed_poll_says_why(tmp_path: Path, script: list[Any], expected: str) -> None:
    """Each error that `requests` raises becomes the outcome that other engines give."""
    asked = plan(pacing="after", clients=2, window_s=0.4)
    rows, facts = measure(tmp_path, [[*script, "close"]], asked, "threads", keep_alive=False, timeout_s=0.3)
    assert set(outcomes(rows)) - {"unsent_busy", "unsent_late"} <= {expected, "ok"}
    assert outcomes(rows)[expected] > 0
    late = rows.filter(pl.col("outcome") == "read_timeout").select(took=pl.col("done_s") - pl.col("sent_s"))["took"]
    assert ((late >= 0.29) & (late < 2.0)).all()
    assert_conserved(facts)


@pytest.mark.slow
def test_nobody_listens(tmp_path: Path) -> None:
    """A refused connection is a row."""
    rows, _ = measure(tmp_path, [GOOD], plan(pacing="after"), "threads", port=free_port(), keep_alive=False)
    assert set(outcomes(sent_of(rows))) == {"connect_refused"}


@pytest.mark.slow
def test_a_run_that_is_cut_short_ends_at_once(tmp_path: Path) -> None:
    """Threads that sleep or wait for an answer hear an order to stop; what was in flight is interrupted after its grace."""
    began = time.monotonic()
    asked = plan(pacing="after", window_s=60, interval_s=0.2)
    rows, facts = measure(tmp_path, [[30.0]], asked, "threads", stop_after_s=0.3, keep_alive=False, timeout_s=30.0)
    assert time.monotonic() - began < 10
    assert outcomes(rows)["interrupted"] == 3
    assert_conserved(facts)


@needs_redis
@pytest.mark.slow
def test_redis_counts_what_the_rows_say(tmp_path: Path) -> None:
    """Rows, the counts in the run's own Redis and the server's own count are equal, over two generators."""
    record = lab.run(scenario(tmp_path, generators=2))
    facts = record.facts["generator"]["redis"]
    assert facts["counts"] == counted(record.requests())
    assert facts["started_by_lab"]
    assert sum(facts["counts"].values()) == sum(worker["served"] for worker in record.facts["server"]["workers"])
    check = {one["name"]: one for one in record.summary()["verdict"]["checks"]}["redis_counts"]
    assert check["status"] == "valid", check


@pytest.fixture
def own_redis() -> Iterator[tuple[RunRedis, str]]:
    """A Redis of a test's own, and where it is."""
    opened = asyncio.run(RunRedis.open(Scenario(**AUTHORS)))
    assert opened is not None
    url = opened._url
    yield opened, url
    asyncio.run(opened.close())


@needs_redis
@pytest.mark.slow
def test_a_redis_that_is_there_is_used_and_left_clean(tmp_path: Path, own_redis: tuple[RunRedis, str]) -> None:
    """With `redis_url` the counts go there; afterwards nothing of the run is left, and what was there is."""
    with connect(own_redis[1]) as client:
        client.set("mine", "1")
        record = lab.run(scenario(tmp_path, redis_url=own_redis[1]))
        assert client.keys() == ["mine"]
    assert record.facts["generator"]["redis"]["counts"] == counted(record.requests())
    assert not record.facts["generator"]["redis"]["started_by_lab"]


@needs_redis
@pytest.mark.slow
def test_redis_goes_away_during_the_run(tmp_path: Path, own_redis: tuple[RunRedis, str]) -> None:
    """The run goes on and its rows are whole; the record says how many polls were not counted, and why."""
    opened, url = own_redis
    assert opened._process is not None
    opened._process.listen()
    ending = threading.Timer(2.5, lambda: connect(url).shutdown(nosave=True))
    ending.start()
    record = lab.run(scenario(tmp_path, redis_url=url, minutes=4 / 60))
    ending.join()
    assert record.facts["cut_short"] is None
    assert record.facts["totals"]["ok"] == record.facts["totals"]["sent"] > 0
    [instance] = record.facts["generator"]["instances"]
    assert instance["redis_lost"] > 0
    assert instance["redis_error"]
    assert record.facts["generator"]["redis"]["counts"] is None
    check = {one["name"]: one for one in record.summary()["verdict"]["checks"]}["redis_counts"]
    assert check["status"] == "suspect"


def test_a_redis_that_is_away_before_the_run_is_refused(tmp_path: Path) -> None:
    """One sentence says which, without its password, and nothing was started."""
    url = f"redis://me:s3cret@127.0.0.1:{free_port()}"
    with pytest.raises(ParameterError, match=r"redis_url='redis://127.0.0.1:\d+' cannot be used") as said:
        lab.run(scenario(tmp_path, redis_url=url))
    assert "s3cret" not in str(said.value)
    assert not list(tmp_path.iterdir())


def test_without_a_redis_the_run_is_uncounted_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """No redis-server and no redis_url: skipped, with the reason."""
    monkeypatch.setattr(redis.shutil, "which", lambda name: None)
    opened = asyncio.run(RunRedis.open(Scenario(**AUTHORS)))
    assert opened is not None
    assert "redis-server is not installed" in opened.facts["skipped"]
    assert opened.counters("run") is None


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence holds the command that installs it."""
    monkeypatch.setattr(redis, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"needs the package requests, which is not installed: pip install"):
        asyncio.run(RunRedis.open(Scenario(**AUTHORS)))


def test_a_counter_asks_a_redis_that_failed_no_more() -> None:
    """After its first failure every poll is counted as lost, at once."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        counter = RedisCounter(RedisCounters(f"redis://127.0.0.1:{nobody.getsockname()[1]}", "key"), ("status", "bulk"))
        for _ in range(3):
            counter.count(0, Outcome.OK)
    counter.close()
    assert counter.facts["redis_lost"] == 3
    assert counter.facts["redis_error"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pacing": "fixed"}, "set pacing='after' and keep_alive=False"),
        ({"keep_alive": True}, "set pacing='after' and keep_alive=False"),
        ({"generators": 0}, "set generators=1 or more"),
        ({"clients": 2001}, "each is a thread"),
        ({"redis_url": "redis://192.0.2.1:6379"}, "is not on this machine"),
        ({"redis_url": "http://127.0.0.1"}, "give it like redis://"),
        ({"engine": "epoll", "redis_url": "redis://127.0.0.1"}, "counts nothing there"),
    ],
)
def test_what_the_authors_client_cannot_do_is_refused(changes: dict[str, Any], said: str) -> None:
    """One sentence: what was given, and what to set."""
    with pytest.raises(ParameterError, match=said):
        Scenario.from_parameters(AUTHORS | changes)


def test_a_password_is_never_written_and_the_question_stays_the_same() -> None:
    """A scenario as text has no password; where counts go is no part of the question."""
    asked = Scenario(**AUTHORS, redis_url="redis://me:s3cret@127.0.0.1:6379/1")
    assert asked.model_dump()["redis_url"] == "redis://127.0.0.1:6379/1"
    assert "s3cret" not in repr(asked)
    assert asked.secrets == {"REDISCLI_AUTH": "s3cret"}
    assert asked.short_hash == Scenario(**AUTHORS).short_hash
