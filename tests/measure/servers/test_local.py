"""The server under test as a process: started, checked, asked and stopped, and never left behind."""

import asyncio
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments.errors import ServerContractError, ServerStartError
from experiments.measure.processes import guard
from experiments.measure.processes.guarded import ServerExit
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.servers.ports import free_port
from server import catalogue
from tests.support.processes import descendants, still_alive
from tests.support.scripted_server import answer, scripted

ROOT = Path(__file__).parents[3]
SIZES = {"status_bytes": 100, "bulk_bytes": 204_800}

HEALTHY = """
import http.server, json, os, signal, sys
{before}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"pid": {pid}, "served": 0}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
"""A server of a few lines that has nothing but /health."""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
"""What stands before each line of a log."""


@pytest.fixture
def catalogued(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a command into the catalogue as the system "made-up"."""

    def put(*template: str) -> None:
        made_up = dataclasses.replace(catalogue.SYSTEMS["falcon"], name="made-up", template=template)
        monkeypatch.setattr(catalogue, "SYSTEMS", {**catalogue.SYSTEMS, "made-up": made_up})

    return put


def healthy(*, pid: str = "os.getpid()", before: str = "") -> tuple[str, ...]:
    """The command of a server that has only /health."""
    # Doubled braces, since the catalogue fills templates in.
    code = HEALTHY.format(pid=pid, before=before).replace("{", "{{").replace("}", "}}")
    return ("{python}", "-c", code, "{port}")


def process(tmp_path: Path, system: str = "falcon", *, workers: int = 1, port: int = 0) -> ServerProcess:
    """A server that is not started yet."""
    return ServerProcess(system=system, workers=workers, log_path=tmp_path / "server.log", port=port, **SIZES)


def start_error(server: ServerProcess, deadline_s: float = 20.0) -> str:
    """Why a server does not start; nothing of it may be left."""
    before = psutil.Process().children(recursive=True)
    with pytest.raises(ServerStartError) as error:
        asyncio.run(server.start(deadline_s=deadline_s))
    assert not server.alive
    assert psutil.Process().children(recursive=True) == before
    return str(error.value)


# The catalogue


def test_every_command_is_complete_and_can_be_shown_anywhere() -> None:
    """A command is complete, and what a record shows of it holds no path of this machine."""
    for name, system in catalogue.SYSTEMS.items():
        shown = system.command(python="python", port=8000, workers=2)
        assert system.name == name
        assert "8000" in " ".join(shown)
        assert not [part for part in shown if "{" in part or "/" in part]


def test_falcon_is_asked_for_what_makes_it_comparable() -> None:
    """Loop, parser and keep-alive are named in the command, not left to what happens to be installed."""
    shown = " ".join(catalogue.SYSTEMS["falcon"].command(python="python", port=8000, workers=2))
    for option in (
        "--loop uvloop",
        "--http httptools",
        "--timeout-keep-alive 75",
        "--no-access-log",
        "--workers 2",
        "--host 127.0.0.1",
    ):
        assert option in shown


# A server of ours


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_starts_answers_counts_and_stops(tmp_path: Path, workers: int) -> None:
    """The whole life of a server: ready, right, counted by each worker, gone."""

    async def live() -> tuple[dict[str, dict[str, str]], dict[int, int], list[psutil.Process]]:
        await server.start()
        headers = await server.verify()
        assert server.checksums == (zlib.crc32(catalogue.body(100)), zlib.crc32(catalogue.body(204_800)))
        served = await server.served()
        assert server.alive
        assert server.returncode is None
        assert sorted(served) == server.worker_pids()
        assert server.main_pid is not None
        family = descendants(server.main_pid)
        assert {*served} <= {one.pid for one in family}
        exit_ = await server.stop()
        assert exit_ == await server.stop()
        assert exit_ is not None
        # uvicorn ends by the signal when it serves itself, and regularly when its workers do.
        assert (exit_.code, exit_.how) == (-15 if workers == 1 else 0, "terminated")
        return headers, served, family

    server = process(tmp_path, workers=workers)
    headers, served, family = asyncio.run(live())
    assert [headers[name]["content-length"] for name in ("status", "bulk")] == ["100", "204800"]
    assert (len(served), sum(served.values())) == (workers, 2)
    assert still_alive(family, within_s=0) == []
    assert not server.alive
    assert server.worker_pids() == []
    log = (tmp_path / "server.log").read_text()
    assert "Uvicorn running on" in log
    assert all(re.match(TIME, line) for line in log.splitlines())


@pytest.mark.slow
def test_the_facts_say_what_was_run_without_a_path(tmp_path: Path) -> None:
    """A record names framework, version and command, and nothing of this machine."""

    async def live() -> dict[str, Any]:
        await server.start()
        facts = server.facts()
        await server.stop()
        return facts

    server = process(tmp_path)
    facts = asyncio.run(live())
    assert (facts["name"], facts["framework"], facts["started_by_lab"]) == ("falcon", "falcon", True)
    assert facts["framework_version"] == metadata.version("falcon")
    assert facts["command"][:3] == ["python", "-m", "uvicorn"]
    assert facts["url"] == f"http://127.0.0.1:{facts['command'][facts['command'].index('--port') + 1]}"
    assert "/" not in "".join(facts["command"])
    assert facts["ready_s"] > 0


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_seen(tmp_path: Path) -> None:
    """The workers of this moment are told, not those of the start."""

    async def live() -> tuple[set[int], set[int]]:
        await server.start()
        before = set(server.worker_pids())
        os.kill(min(before), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(after := set(await server.served()) - {min(before)}) < 2:
            assert time.monotonic() < deadline
        alive = server.alive
        await server.stop()
        assert alive
        return before, after

    server = process(tmp_path, workers=2)
    before, after = asyncio.run(live())
    assert len(before & after) == 1
    assert len(after - before) == 1


@pytest.mark.slow
def test_variables_meant_for_another_server_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run measures does not depend on how the experimenter's shell is set up."""
    monkeypatch.setenv("UVICORN_ROOT_PATH", "/elsewhere")
    monkeypatch.setenv("UVICORN_LIMIT_MAX_REQUESTS", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "falcon.py").write_text("raise SystemExit('not this one')")

    async def live() -> None:
        await server.start()
        await server.verify()
        await server.verify()
        await server.stop()

    server = process(tmp_path)
    asyncio.run(live())


@pytest.mark.slow
def test_a_server_that_dies_by_itself_is_told(tmp_path: Path) -> None:
    """A dead server is not alive, counts nothing, and its own code is kept."""

    async def live() -> ServerExit | None:
        await server.start()
        assert server.main_pid is not None
        os.kill(server.main_pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while server.returncode is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert not server.alive
        assert await server.served() == {}
        return await server.stop()

    server = process(tmp_path)
    exit_ = asyncio.run(live())
    assert exit_ is not None
    assert (exit_.code, exit_.how) == (-9, "itself")


@pytest.mark.slow
def test_a_server_that_hangs_is_asked_in_vain_and_ended_all_the_same(tmp_path: Path) -> None:
    """A worker that does not answer is missing from the counts within the time, and the stop is bounded."""

    async def live() -> tuple[dict[int, int], ServerExit | None]:
        await server.start()
        assert server.main_pid is not None
        os.kill(server.main_pid, signal.SIGSTOP)
        served = await server.served(deadline_s=0.5)
        return served, await server.stop()

    server = process(tmp_path)
    served, exit_ = asyncio.run(live())
    assert served == {}
    assert exit_ is not None
    assert (exit_.code, exit_.how) == (-9, "killed")
    assert exit_.seconds < guard.GRACE_S + guard.REAP_S + 1


@pytest.mark.slow
def test_a_server_that_ignores_sigterm_is_killed_and_that_is_told(tmp_path: Path, catalogued: Any) -> None:
    """A stop ends in bounded time, and nobody takes a killed server for a well-behaved one."""
    catalogued(*healthy(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)"))

    async def live() -> ServerExit | None:
        await server.start()
        return await server.stop()

    server = process(tmp_path, "made-up")
    exit_ = asyncio.run(live())
    assert exit_ is not None
    assert (exit_.code, exit_.how) == (-9, "killed")
    assert exit_.seconds < guard.GRACE_S + guard.REAP_S + 1


def test_stopping_what_was_never_started_is_nothing(tmp_path: Path) -> None:
    """Clean-up may be registered before the start."""
    server = process(tmp_path)
    assert asyncio.run(server.stop()) is None
    assert not server.alive
    assert (server.main_pid, server.returncode, server.worker_pids()) == (None, None, [])


# A server that does not come up


@pytest.mark.slow
def test_a_server_that_dies_at_import_shows_the_end_of_its_log(tmp_path: Path, catalogued: Any) -> None:
    """The sentence has the exit code, and the reason as the server printed it."""
    catalogued("{python}", "-c", "import no_such_module")
    said = start_error(process(tmp_path, "made-up"))
    assert said.startswith("the server made-up ended with code 1 before it was ready; the end of its log:\n")
    assert said.endswith("ModuleNotFoundError: No module named 'no_such_module'")


@pytest.mark.slow
def test_a_server_whose_program_is_missing_is_named(tmp_path: Path, catalogued: Any) -> None:
    """A command that cannot be found is told by its name."""
    catalogued("no-such-server", "{port}")
    assert start_error(process(tmp_path, "made-up")) == (
        "the server made-up could not be started (No such file or directory: no-such-server)."
    )


@pytest.mark.slow
def test_a_server_that_never_listens_runs_into_the_deadline(tmp_path: Path, catalogued: Any) -> None:
    """Nobody waits for ever, and it is said how many workers were missing."""
    catalogued("{python}", "-c", "import time; print('thinking', flush=True); time.sleep(60)")
    said, _, log = start_error(process(tmp_path, "made-up", workers=2), deadline_s=3.0).partition("\n")
    assert said == "the server made-up was not ready within 3 s (0 of 2 workers answered); the end of its log:"
    assert re.fullmatch(TIME + "thinking", log)


@pytest.mark.slow
def test_a_missing_worker_is_waited_for(tmp_path: Path, catalogued: Any) -> None:
    """While one of two has answered, the server is not ready, and at the deadline the error counts both."""
    catalogued(*healthy())
    said = start_error(process(tmp_path, "made-up", workers=2), deadline_s=3.0)
    assert "was not ready within 3 s (1 of 2 workers answered)" in said


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    """The port is tried first, so that no other server is measured by mistake."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = start_error(process(tmp_path, port=port))
    assert said == (
        f"port {port} of 127.0.0.1 is not free (Address already in use): end what listens there, or take another port."
    )
    assert not (tmp_path / "server.log").exists()


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing starts whose words would be lost."""
    assert start_error(process(tmp_path / "nowhere")) == (
        "the server falcon could not be started (No such file or directory)."
    )


@pytest.mark.slow
def test_a_stale_server_on_the_port_is_not_taken_for_ours(tmp_path: Path, catalogued: Any) -> None:
    """An answer from a process that this run has not started ends the start, with that process's number."""
    catalogued(*healthy(pid="os.getppid()"))
    assert "is not what answers on port" in (said := start_error(process(tmp_path, "made-up")))
    assert "which this run has not started (a server left over from an earlier run?)" in said


@pytest.mark.slow
def test_a_server_that_takes_the_port_during_the_start_is_told(tmp_path: Path, catalogued: Any) -> None:
    """Between the look at the port and the first answer somebody else may come: no measurement then."""
    catalogued("{python}", "-c", "import time; time.sleep(60)")
    server = process(tmp_path, "made-up", port=free_port())
    _, _, code, _ = healthy()
    code = code.replace("{{", "{").replace("}}", "}")
    port = server.url.rpartition(":")[2]

    async def race() -> subprocess.Popen[bytes]:
        starting = asyncio.create_task(server.start())
        while server.main_pid is None:
            await asyncio.sleep(0.01)
        stranger = subprocess.Popen([sys.executable, "-c", code, port], stderr=subprocess.DEVNULL)
        try:
            with pytest.raises(ServerStartError, match=f"process {stranger.pid} does"):
                await starting
        finally:
            stranger.kill()
            stranger.wait()
        return stranger

    asyncio.run(race())
    assert not server.alive


@pytest.mark.slow
def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path, catalogued: Any) -> None:
    """An interrupt while the server comes up ends it, before the interrupt goes on."""
    catalogued("{python}", "-c", "import time; time.sleep(60)")
    server = process(tmp_path, "made-up")

    async def cancel() -> psutil.Process:
        starting = asyncio.create_task(server.start())
        while server.main_pid is None:
            await asyncio.sleep(0.01)
        main = psutil.Process(server.main_pid)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        return main

    assert still_alive([asyncio.run(cancel())], within_s=0) == []
    assert server.returncode == -15


# Whatever becomes of whom

STARTER = """
import asyncio, signal, sys
from pathlib import Path
from experiments.measure.servers.local import ServerProcess

signal.signal(signal.SIGINT, lambda number, frame: None)

async def live():
    server = ServerProcess(
        system="falcon", status_bytes=100, bulk_bytes=204800, workers=2, log_path=Path(sys.argv[1])
    )
    await server.start()
    print(server.main_pid, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(sorted(await server.served()) == server.worker_pids(), flush=True)
    print(await server.stop(), flush=True)

asyncio.run(live())
"""


@contextmanager
def starter(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """Another process that has started a server of two workers, and all processes of that server, its guard included."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "server.log")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            main = int(process.stdout.readline())
            yield process, descendants(psutil.Process(main).ppid())
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_killed_starter(tmp_path: Path, number: int) -> None:
    """A kernel that is killed takes guard, server and all its workers along within 10 s."""
    with starter(tmp_path) as (process, family):
        process.send_signal(number)
        process.wait(timeout=10)
        assert len(family) >= 4
        assert still_alive(family) == []


@pytest.mark.slow
def test_an_interrupt_of_the_starters_group_does_not_reach_the_server(tmp_path: Path) -> None:
    """Jupyter interrupts a whole process group; the server goes on and can be asked and stopped."""
    with starter(tmp_path) as (process, family):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        output, _ = process.communicate("go on\n", timeout=30)
    asked, exit_ = output.splitlines()
    assert asked == "True"
    assert exit_.startswith("ServerExit(code=0, how='terminated'")
    assert "SIGINT" not in (tmp_path / "server.log").read_text()
    assert still_alive(family) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_does_not_outlive_its_guard(tmp_path: Path, workers: int) -> None:
    """Without its guard a server ends, and the stop tells that nobody knows its code."""

    async def live() -> tuple[list[psutil.Process], ServerExit | None]:
        await server.start()
        assert server.main_pid is not None
        family = descendants(server.main_pid)
        os.kill(family[0].ppid(), signal.SIGKILL)
        return family, await server.stop()

    server = process(tmp_path, workers=workers)
    family, exit_ = asyncio.run(live())
    assert still_alive(family, within_s=0) == []
    assert exit_ is not None
    assert (exit_.code, exit_.how) == (None, "terminated")


@pytest.mark.slow
def test_a_stubborn_server_without_its_guard_is_killed_by_the_stop(tmp_path: Path, catalogued: Any) -> None:
    """What the guard can no longer do is done in its place."""
    catalogued(*healthy(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)"))

    async def live() -> tuple[psutil.Process, ServerExit | None]:
        await server.start()
        main = psutil.Process(server.main_pid)
        os.kill(main.ppid(), signal.SIGKILL)
        return main, await server.stop()

    server = process(tmp_path, "made-up")
    main, exit_ = asyncio.run(live())
    assert still_alive([main], within_s=0) == []
    assert exit_ is not None
    assert (exit_.code, exit_.how) == (None, "killed")


@pytest.mark.slow
def test_servers_beside_each_other_do_not_meet(tmp_path: Path) -> None:
    """Each start takes a port of its own."""

    async def live() -> set[str]:
        servers = [process(tmp_path), process(tmp_path), process(tmp_path)]
        await asyncio.gather(*(server.start() for server in servers))
        urls = {server.url for server in servers}
        await asyncio.gather(*(server.stop() for server in servers))
        return urls

    assert len(asyncio.run(live())) == 3


@pytest.mark.slow
def test_it_works_on_a_loop_that_is_nested_in_another() -> None:
    """A notebook's kernel has a loop that is running already; the server's life fits into it."""
    code = """
import asyncio, os, tempfile, nest_asyncio2
from pathlib import Path
from experiments.measure.servers.local import ServerProcess

async def live(folder):
    server = ServerProcess(
        system="falcon", status_bytes=1, bulk_bytes=2, workers=2, log_path=Path(folder, "log")
    )
    await server.start()
    await server.verify()
    print(sum((await server.served()).values()), (await server.stop()).how)

async def cell():
    nest_asyncio2.apply()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.get_running_loop().run_until_complete(live(folder))

asyncio.run(cell())
"""
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (output.stdout, output.stderr) == ("2 terminated\n", "")


# The contract


BODY = catalogue.body(100)


def contract_error(server: Any, *script: Any, deadline_s: float = 5.0) -> str:
    """What `verify` says of a server that answers by a script."""

    async def ask() -> str:
        async with scripted(*script) as stranger:
            with pytest.raises(ServerContractError) as error:
                await server(stranger.port).verify(deadline_s=deadline_s)
        return str(error.value).partition(" bytes, but ")[2]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([answer(BODY, status="503 Busy")], "the answer was 503."),
        ([answer(BODY, headers=b"Content-Encoding: gzip\r\n")], "they came with Content-Encoding: gzip."),
        ([answer(BODY[:99])], "its Content-Length was 99."),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY[:7], "close"], "there came 7."),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + BODY + b"more", "close"], "there came more."),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + BODY, "close"], "it had no Content-Length."),
        (
            [answer(BODY[:40] + b"x" * 60)],
            f"from byte 40 on they were b'xxxxxxxxxx' instead of {BODY[40:50]!r}.",
        ),
        (["close"], "there was no HTTP answer within 5 s (Remote end closed connection"),
        ([b"SSH-2.0\r\n"], "there was no HTTP answer within 5 s (SSH-2.0)."),
        (["reset"], "there was no HTTP answer within 5 s (Connection reset by peer)."),
    ],
)
def test_a_wrong_answer_is_told_with_what_was_expected(tmp_path: Path, script: list[Any], said: str) -> None:
    """A server of ours must answer its bytes, their length, and nothing in between."""
    assert contract_error(lambda port: process(tmp_path, port=port), script).startswith(said)


@pytest.mark.slow
@pytest.mark.parametrize("step", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY[:1]])
def test_an_answer_in_drops_does_not_hold_up_for_ever(tmp_path: Path, step: bytes) -> None:
    """The deadline is for the answer as a whole: bytes that trickle in do not put it off."""
    begun = time.monotonic()
    drops = [step, *([0.1, b"x"] * 50)]
    said = contract_error(lambda port: process(tmp_path, port=port), drops, deadline_s=0.5)
    assert said.startswith("there was no HTTP answer within 0.5 s (")
    assert time.monotonic() - begun < 4


# Somebody else's server


def external(port: int) -> ExternalServer:
    """A server that was running already."""
    return ExternalServer(url=f"http://127.0.0.1:{port}/", status_bytes=100, bulk_bytes=3)


def test_a_server_of_somebody_else_needs_only_the_right_lengths() -> None:
    """Other bytes will do, chunked ones too, and /health may be missing."""

    async def ask() -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        missing = answer(b"", status="404 Not Found")
        twice = [[answer(b"y" * 100)], [chunked]] * 2
        async with scripted([missing], *twice, [missing]) as stranger:
            server = external(stranger.port)
            await server.start()
            assert list(await server.verify()) == ["status", "bulk"]
            assert server.checksums == (zlib.crc32(b"y" * 100), zlib.crc32(b"abc"))
            assert await server.served(deadline_s=0.2) == {}
            assert (server.url, server.worker_pids(), server.is_local) == (stranger.url, [], False)
            assert server.facts()["started_by_lab"] is False
            await server.stop()
        assert stranger.requests[0].startswith(b"GET /health HTTP/1.1\r\n")
        assert all(b"Connection: close\r\n" in request for request in stranger.requests)

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([answer(b"y" * 99)], "its Content-Length was 99."),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 99, "close"], "there came 99."),
        ([answer(b"y" * 100, status="404 Not Found")], "the answer was 404."),
    ],
)
def test_wrong_lengths_of_somebody_elses_server_are_told(script: list[Any], said: str) -> None:
    """What the record would count as wrong bodies is refused before the load."""
    assert contract_error(external, script) == said


def test_a_server_that_answers_differently_each_time_is_told() -> None:
    """Bytes that change could not be told from wrong ones, which would be counted as failures."""

    async def ask() -> str:
        bulk = answer(b"abc")
        async with scripted([answer(b"x" * 100)], [bulk], [answer(b"y" * 100)], [bulk]) as stranger:
            with pytest.raises(ServerContractError) as error:
                await external(stranger.port).verify()
        return str(error.value)

    assert asyncio.run(ask()).endswith("so that answers can be checked, but two answers differed.")


@pytest.mark.parametrize(
    "body",
    [
        b"ok",
        b"[]",
        b"[" * 9000,
        b'{"pid": true, "served": 1}',
        b'{"pid": "1", "served": 1}',
        b'{"pid": 1}',
        b"\xff\xfe",
    ],
)
def test_a_health_in_other_words_is_no_health(body: bytes) -> None:
    """/health is a common path: what cannot be understood is left alone."""

    async def ask() -> dict[int, int]:
        async with scripted([answer(body)]) as stranger:
            return await external(stranger.port).served(deadline_s=0.2)

    assert asyncio.run(ask()) == {}


@pytest.mark.parametrize("pid", [1, -1, 10**30])
def test_a_stranger_with_another_processs_number_is_not_sampled(pid: int) -> None:
    """A server in a container gives numbers that mean other processes here, or none."""

    async def ask() -> bool:
        health = answer(b'{"pid": %d, "served": 5}' % pid)
        async with scripted([health]) as stranger:
            server = external(stranger.port)
            assert await server.served() == {pid: 5}
            return server.is_local

    assert asyncio.run(ask()) is False


def test_nobody_at_the_url_is_told() -> None:
    """A server_url that leads nowhere is a sentence, not a run of failures."""
    port = free_port()
    with pytest.raises(ServerStartError) as error:
        asyncio.run(external(port).start())
    assert str(error.value) == (
        f"nothing answers at http://127.0.0.1:{port} (Connection refused): start that server, or correct server_url."
    )


@pytest.mark.parametrize(("polled", "size"), [("status", 100), ("bulk", 3)])
def test_an_endpoint_that_is_not_polled_is_not_demanded(polled: str, size: int) -> None:
    """A server may have A alone, or B alone: only what the ratio names is asked before the load."""

    async def ask() -> tuple[list[str], list[bool], list[bytes]]:
        async with scripted([answer(b"y" * size)]) as stranger:
            server = ExternalServer(url=stranger.url, status_bytes=100, bulk_bytes=3, polled=(polled,))
            headers = await server.verify()
            return list(headers), [bool(crc) for crc in server.checksums], stranger.requests

    headers, known, requests = asyncio.run(ask())
    assert (headers, known) == ([polled], [polled == "status", polled == "bulk"])
    assert {request.split()[1] for request in requests} == {{"status": b"/hello?page=1", "bulk": b"/hello?page=200"}[polled]}


@pytest.mark.slow
def test_a_running_server_is_asked_like_one_of_ours(tmp_path: Path) -> None:
    """A server with our /health gives workers and counts, and is seen to run on this machine."""

    async def ask() -> None:
        ours = process(tmp_path, workers=2)
        await ours.start()
        try:
            theirs = ExternalServer(url=ours.url, **SIZES)
            await theirs.start()
            await theirs.verify()
            served = await theirs.served()
            assert (sorted(served), sum(served.values())) == (ours.worker_pids(), 4)
            assert theirs.is_local
            assert theirs.worker_pids() == ours.worker_pids()
            assert theirs.facts()["framework"] == "falcon"
        finally:
            await ours.stop()

    asyncio.run(ask())
