"""The server with known answers on a real socket, asked by the real swarm: counts and reasons come out as worked out."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.measure.servers.ports import free_port
from experiments.runner import run
from experiments.scenario import OWN_ENGINES, Scenario
from experiments.studies.calibrate.known_answers import LOADED, compare, expect
from server.catalogue import HEALTH_PATH, KNOWN, PROGRAMS, STATUS_PATH, SYSTEMS, body

pytestmark = pytest.mark.slow

LOAD: dict[str, Any] = {
    "clients": 20,
    "interval_ms": 250,
    "minutes": 2 / 60,
    "warmup_s": 0.4,
    "timeout_s": 1.3,
    "ratio": "2:1",
    "bulk_bytes": 5000,
    "phase": "together",
}
"""Polls come together every quarter of a second, and all boundaries lie between: room enough for a machine that is busy."""

SPECIAL: dict[tuple[str, str], dict[str, Any]] = {
    # With these, a round of devices that wait after each answer would fall on the end of the window.
    ("two-delays", "after"): {"minutes": 1.9 / 60},
    ("stall", "after"): {"minutes": 1.9 / 60},
    # A device compares bytes in the round that makes 64 with its number.
    ("wrong-bytes", "fixed"): {"clients": 60},
    ("wrong-bytes", "after"): {"clients": 60},
}

TRIES = 6
HELD_UP_S = 0.1
"""Somewhat less than lies between a round and the next boundary of a program."""

STOCK = ("constant", "bursts-503", "resets", "truncated", "wrong-length", "chunked", "refused", "silent")
"""Programs that httpx's own transport is tried with: at least one for each way in which a poll can end. Polled by the clock
alone: where devices wait after each answer, the number of rounds is up to the client's speed, and this one is slow."""


class Run(NamedTuple):
    """A shard that was driven."""

    scenario: Scenario
    name: str
    rows: pl.DataFrame
    facts: dict[str, Any]


@contextmanager
def serving(name: str, scenario: Scenario) -> Iterator[str]:
    """A server of the catalogue, ready and verified as before a load; its URL."""
    port, system = free_port(), SYSTEMS[KNOWN + name]
    sizes = system.environment(status_bytes=scenario.status_bytes, bulk_bytes=scenario.bulk_bytes)
    process = subprocess.Popen(system.command(python=sys.executable, port=port, workers=1), env=sizes)
    try:
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        for page in (1, 200):
            ask(f"{url}/hello?page={page}")
        ask(url + HEALTH_PATH)
        yield url
        process.terminate()
        assert process.wait(2) == 0
    finally:
        process.kill()
        process.wait()


def until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError):
            ask(url + HEALTH_PATH)
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing answers at {url}")


def ask(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=2) as answer:
        found: bytes = answer.read()
        return found


def target(url: str, scenario: Scenario) -> Target:
    sizes = (scenario.status_bytes, scenario.bulk_bytes)
    return Target.hello(
        url=url,
        address=("127.0.0.1", int(url.rpartition(":")[2])),
        keep_alive=scenario.keep_alive,
        timeout_s=scenario.timeout_s,
        body_bytes=sizes,
        checksums=(zlib.crc32(body(sizes[0])), zlib.crc32(body(sizes[1]))),
    )


FEWER = {"httpx-stock": {"clients": 8}}
"""Devices together take an engine this long: 20 of this one would fill the time between two boundaries by themselves."""


def measure(tmp_path: Path, name: str, engine: str, pacings: Sequence[str] = ("fixed", "after")) -> list[Run]:
    """Drives the pacings at the same time, half a round apart, each against a server of its own."""
    runs = []
    with ExitStack() as stack:
        for pacing in pacings:
            special = SPECIAL.get((name, pacing), {}) | FEWER.get(engine, {})
            scenario = Scenario(**LOAD | {"engine": engine, "pacing": pacing} | special)
            url = stack.enter_context(serving(name, scenario))
            (tmp_path / pacing / "requests").mkdir(parents=True)
            shard = Shard(str(tmp_path / pacing), 0, 1, engine, scenario.plan, target(url, scenario))
            shard.make_engine()
            runs.append((scenario, shard))

        async def main() -> list[dict[str, Any]]:
            first = time.monotonic() + LOAD["warmup_s"] + 0.2
            drives = [run_shard(shard, first + 0.125 * n, lambda report: None, Stop()) for n, (_, shard) in enumerate(runs)]
            return await asyncio.gather(*drives)

        facts = asyncio.run(asyncio.wait_for(main(), 30))
    return [
        Run(scenario, name, rows_of(Path(shard.run_path)), one) for (scenario, shard), one in zip(runs, facts, strict=True)
    ]


def rows_of(path: Path) -> pl.DataFrame:
    """The rows of the measured window: a round belongs to it as its first poll does."""
    rows = pl.concat([pl.read_parquet(part, glob=False) for part in (path / "requests").iterdir()])
    return rows.filter(pl.col("due_s").min().over("client", "round") >= 0)


def outcomes(rows: pl.DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(rows.select(pl.col("endpoint", "outcome").cast(pl.String)).rows())


def assert_reported(tmp_path: Path, name: str, engine: str, pacings: Sequence[str] = ("fixed", "after")) -> None:
    """What is reported is what was worked out, as far as the machine let the devices keep their times.

    A poll that the machine held up until the program was elsewhere gets another answer, rightly. The times of the polls tell
    so, whatever their outcomes: then the program is played once more. An engine that is late by itself is late every time.
    """
    for n in range(TRIES):
        runs = measure(tmp_path / str(n), name, engine, pacings)
        try:
            for found in runs:
                assert_as_expected(found)
            return
        except AssertionError:
            if n + 1 == TRIES or all(held_up_s(found) < HELD_UP_S for found in runs):
                raise


def held_up_s(found: Run) -> float:
    """By how much a poll was sent or answered later than it would have been if nothing took time, at most."""
    key = ("client", "round", "endpoint")
    planned = expect(found.scenario, PROGRAMS[found.name], LOADED).polls
    both = found.rows.with_columns(pl.col("endpoint").cast(pl.String)).join(planned, on=key, suffix="_planned")
    waited = {"late": ("sent_s", "due_s"), "answered": ("done_s", "sent_s")}
    longer = [
        (pl.col(to) - pl.col(since) - pl.col(f"{to}_planned") + pl.col(f"{since}_planned")).max().alias(what)
        for what, (to, since) in waited.items()
    ]
    return max((most for most in both.select(longer).row(0) if most is not None), default=0.0)


def assert_as_expected(found: Run) -> None:
    """Counts and reasons are those worked out, which hold for a busy machine too."""
    expected = expect(found.scenario, PROGRAMS[found.name], LOADED)
    assert expected.inexact == ()
    assert outcomes(found.rows) == outcomes(expected.polls)
    polls = found.rows.select("client", "round", pl.col("endpoint").cast(pl.String)).sort("client", "round", "endpoint")
    assert polls.rows() == expected.polls.select("client", "round", "endpoint").sort("client", "round", "endpoint").rows()
    counts = {figure.name: figure.value for figure in expected.figures}
    for total in ("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late"):
        assert found.facts["totals"][total] == sum(counts.get(f"{name} {total}", 0) or 0 for name in ("status", "bulk"))
    if found.scenario.engine in OWN_ENGINES:
        assert {name: found.facts[name] for name in ("connects", "checksums")} == {
            name: counts[name] for name in ("connects", "checksums")
        }


@pytest.mark.parametrize("engine", OWN_ENGINES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_our_own_engines_report_what_the_server_did(tmp_path: Path, name: str, engine: str) -> None:
    """Every program, both pacings: each planned poll is a row, and ends as it must."""
    assert_reported(tmp_path, name, engine)


@pytest.mark.parametrize("name", STOCK)
def test_the_stock_engine_reports_what_the_server_did(tmp_path: Path, name: str) -> None:
    """httpx's own transport gives the same counts and reasons."""
    assert_reported(tmp_path, name, "httpx-stock", ["fixed"])


def test_a_whole_run_reports_what_the_server_did(tmp_path: Path) -> None:
    """Also through generator process, record and summary: every count of the run is the expected one."""
    scenario = Scenario(**LOAD, server=KNOWN + "bursts-503", results_dir=str(tmp_path))
    for _ in range(TRIES):
        record = run(scenario)
        lines = compare(record, expect(scenario, PROGRAMS["bursts-503"], LOADED))
        wrong = [line for line in lines if not line.unit and not line.ok]
        if not wrong or held_up_s(Run(scenario, "bursts-503", record.requests(), {})) < HELD_UP_S:
            break
    assert wrong == []
    assert {"status planned", "status failed: http_error", "connects"} <= {line.figure for line in lines}


@pytest.mark.parametrize("engine", OWN_ENGINES)
def test_bytes_that_change_after_the_check_before_the_load_make_a_run_invalid(tmp_path: Path, engine: str) -> None:
    """Each answer that was compared differed, so the others, which count as ok, cannot be believed either."""
    scenario = Scenario(**LOAD, engine=engine, server=KNOWN + "wrong-bytes", results_dir=str(tmp_path))
    record = run(scenario)
    check = {one["name"]: one for one in record.summary()["verdict"]["checks"]}["answers"]
    assert check["status"] == "invalid"
    [instance] = record.facts["generator"]["instances"]
    assert instance["differed"] == instance["compared"]
    assert sum(instance["differed"].values()) == instance["checksums"] > 0


def test_an_answer_never_leaves_before_its_time() -> None:
    """Neither after a delay nor after a stall."""
    scenario = Scenario()
    with serving("constant", scenario) as url:
        began = time.monotonic()
        ask(url + STATUS_PATH)
        assert time.monotonic() - began >= 0.02
    with serving("stall", scenario) as url:
        began = time.monotonic()
        ask(url + STATUS_PATH)
        time.sleep(max(0.0, began + 1.2 - time.monotonic()))
        ask(url + STATUS_PATH)
        assert time.monotonic() - began >= 2.125


def test_health_is_answered_whatever_the_program() -> None:
    """While nothing else is answered, the lab still learns which process it is and what it was asked."""
    with serving("silent", Scenario()) as url:
        with suppress(OSError):
            urllib.request.urlopen(url + STATUS_PATH, timeout=0.2)
        said = json.loads(ask(url + HEALTH_PATH))
        assert {name: said[name] for name in ("framework", "served")} == {"framework": "known-answer", "served": 3}


def test_an_unknown_page_is_not_found() -> None:
    """It says what there is, and is not counted."""
    with serving("constant", Scenario()) as url:
        with pytest.raises(urllib.error.HTTPError, match="404") as error:
            ask(url + "/hello?page=2")
        assert b"/hello?page=200" in error.value.read()
        error.value.close()
        assert json.loads(ask(url + HEALTH_PATH))["served"] == 2


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "server.known_answer", "--program", "stall", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_port_that_is_taken_is_named() -> None:
    """The command says in one sentence that it cannot listen, and ends with code 1."""
    with socket.create_server(("127.0.0.1", 0)) as other, start("--port", str(other.getsockname()[1])) as process:
        assert process.communicate(timeout=20)[1].startswith("Cannot listen on port")
        assert process.returncode == 1


def test_two_workers_are_refused() -> None:
    """A program of two processes would have two clocks, so the command ends with code 2."""
    with start("--port", "1", "--workers", "2") as process:
        assert "--workers" in process.communicate(timeout=20)[1]
        assert process.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_though_polls_are_waiting(number: signal.Signals) -> None:
    """A stall does not hold up the end."""
    port = free_port()
    with start("--port", str(port)) as process:
        until_ready(f"http://127.0.0.1:{port}")
        with socket.create_connection(("127.0.0.1", port)):
            process.send_signal(number)
            assert process.wait(2) == 0
