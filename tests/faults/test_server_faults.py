"""The server dies, hangs, runs out of files or is replaced: results, every one of them, and no poll is lost."""

import signal
import socket
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from experiments.measure.servers.ports import free_port
from tests.faults.harm import assert_all_planned, check, ends, outcomes, run_with, serve, server

pytestmark = pytest.mark.slow


def test_a_killed_server_is_a_result(tmp_path: Path) -> None:
    """From then on nobody listens; the run goes on to its end and says that the server died, and how."""
    record = run_with(tmp_path, lambda: server().kill())
    assert_all_planned(record)
    assert record.missing == ()
    assert record.facts["cut_short"] is None
    assert "the server ended by itself" in record.facts["server"]["died"]
    assert (record.facts["server"]["exit"]["code"], record.facts["server"]["exit"]["how"]) == (-signal.SIGKILL, "itself")
    found = ends(record)
    assert found["ok"] > 0
    assert found["connect_refused"] > 0
    assert found.keys() <= {"ok", "connect_refused", "reset", "closed"}
    assert check(record, "generator_errors")["status"] == "valid"
    assert check(record, "served")["status"] == "suspect"
    assert check(record, "served")["kind"] == "count_lost"


def test_a_server_that_hangs_for_a_while_makes_its_devices_wait(tmp_path: Path) -> None:
    """Its polls are answered late, and count for as long as their devices waited."""

    def hang() -> None:
        process = server()
        process.suspend()
        threading.Timer(1.0, process.resume).start()

    record = run_with(tmp_path, hang, timeout_s=10)
    assert_all_planned(record)
    assert ends(record).keys() == {"ok"}
    assert record.facts["server"]["died"] is None
    assert check(record, "served")["status"] == "valid"
    assert check(record, "workers")["status"] == "valid"


def test_a_server_that_hangs_for_good_is_ended_by_force(tmp_path: Path) -> None:
    """Polls time out or are never sent, the wait for the server is bounded, and it does not outlive the run."""
    record = run_with(tmp_path, lambda: server().suspend(), minutes=2 / 60)
    assert_all_planned(record)
    found = ends(record)
    assert found["read_timeout"] > 0
    assert found.keys() <= {"ok", "read_timeout", "connect_timeout"}
    assert record.facts["server"]["exit"]["how"] == "killed"
    assert check(record, "served")["status"] == "suspect"


def test_a_server_out_of_files_fails_polls_and_recovers(tmp_path: Path) -> None:
    """It can accept no connection meanwhile; the polls say so, and nothing is blamed on the generator."""

    def starve() -> None:
        process = server()
        soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (3, hard))
        threading.Timer(1.0, process.rlimit, (psutil.RLIMIT_NOFILE, (soft, hard))).start()

    record = run_with(tmp_path, starve, keep_alive=False, timeout_s=0.3)
    assert_all_planned(record)
    found = outcomes(record)
    assert found["ok"] > 0
    assert set(found) - {"ok", "unsent_busy"}, found
    assert "generator_error" not in found
    assert check(record, "generator_errors")["status"] == "valid"
    assert record.facts["server"]["died"] is None


def test_a_killed_worker_is_replaced_and_its_count_is_missed(tmp_path: Path) -> None:
    """Its supervisor starts another one; the run says that the workers changed, and that nobody vouches for the count."""
    record = run_with(tmp_path, lambda: listening_children(server())[0].kill(), workers=2, minutes=4 / 60)
    assert_all_planned(record)
    assert record.facts["server"]["died"] is None
    assert check(record, "workers")["status"] == "suspect"
    assert check(record, "workers")["kind"] == "replaced"
    assert check(record, "served")["status"] == "suspect"
    assert len(record.facts["server"]["worker_pids_at_end"]) == 2


def listening_children(process: psutil.Process) -> list[psutil.Process]:
    def listens(child: psutil.Process) -> bool:
        return any(one.status == psutil.CONN_LISTEN for one in child.net_connections("tcp"))

    return [child for child in process.children() if listens(child)]


def test_an_external_server_that_is_restarted_is_seen(tmp_path: Path) -> None:
    """Another process answers from then on: the polls in between failed, and the workers changed."""
    port = free_port()
    servers = [serve(port)]
    wait_until_open(port)

    def restart() -> None:
        servers[0].kill()
        servers[0].wait()
        servers.append(serve(port))

    try:
        record = run_with(tmp_path, restart, strangers=servers, server_url=f"http://127.0.0.1:{port}", minutes=4 / 60)
    finally:
        for one in servers:
            one.kill()
            one.wait()
    assert_all_planned(record)
    found = ends(record)
    assert found["connect_refused"] > 0
    assert found.keys() <= {"ok", "connect_refused", "reset", "closed"}
    assert check(record, "workers")["status"] == "suspect"


def test_a_stranger_in_the_place_of_the_labs_own_server_is_found_out(tmp_path: Path) -> None:
    """Where nobody of the run's own serves any more, somebody else may answer: the figures are then of two servers."""
    strangers: list[subprocess.Popen[bytes]] = []

    def replace() -> None:
        mine = server()
        port = next(one.laddr.port for one in mine.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
        mine.kill()
        strangers.append(serve(port))

    try:
        record = run_with(tmp_path, replace, strangers=strangers, minutes=5 / 60)
    finally:
        for one in strangers:
            one.kill()
            one.wait()
    assert_all_planned(record)
    assert record.facts["server"]["died"] is not None
    assert check(record, "workers")["status"] == "invalid"
    assert check(record, "workers")["kind"] == "stranger"


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")
