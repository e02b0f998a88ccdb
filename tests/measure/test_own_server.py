"""A run against a server of the user's own: whose cost is the server's, what vouches for it, and what is never recorded."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import experiments as lab
from experiments.errors import ServerContractError
from experiments.measure.host import port_owner
from experiments.measure.host.port_owner import Owner
from experiments.measure.servers.address import connect
from experiments.measure.servers.ports import free_port
from experiments.record.reading import Record

SECRET = "s3cret-token"
SERVER = """
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0
    def do_GET(self):
        body, status = b"fine", 200
        if self.path == "/metrics":
            body = (f"process_cpu_seconds_total {time.process_time()}\\nprocess_resident_memory_bytes 7e6\\n"
                    f'requests_total{{path="/only"}} {Handler.served}\\nrequests_total{{path="/metrics"}} 1e9\\n').encode()
        elif self.headers["Authorization"] != "Bearer s3cret-token":
            body, status = b"who is " + (self.headers["Authorization"] or "-").encode(), 401
        else:
            Handler.served += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
TARGET = """
{server}
headers: {{Authorization: "Bearer {{env.LAB_TEST_TOKEN}}"}}
endpoints:
  only: {{request: GET /only, expect: {{status: 200, bytes: 4}}}}
"""
ASKED: dict[str, Any] = {
    "clients": 4,
    "interval_ms": 100,
    "minutes": 0.03,
    "warmup_s": 0.5,
    "timeout_s": 5,
    "sample_ms": 100,
}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """A server that somebody else started: its URL, and its process."""
    (folder / "serve.py").write_text(SERVER)
    port = free_port()
    with subprocess.Popen([sys.executable, str(folder / "serve.py"), str(port)]) as process:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            return connect(("127.0.0.1", port), 1.0)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def measured(folder: Path, server: str) -> Record:
    """The record of a short run of a target whose server is said so."""
    (folder / "mine.yaml").write_text(TARGET.format(server=server))
    return lab.run(lab.Scenario(target=str(folder / "mine.yaml"), results_dir=str(folder / "results"), **ASKED))


def checks(record: Record) -> dict[str, str]:
    """Status by check."""
    return {check["name"]: check["status"] for check in record.summary()["verdict"]["checks"]}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_TEST_TOKEN", SECRET)


@pytest.mark.slow
def test_a_command_is_started_measured_and_ended(tmp_path: Path) -> None:
    """Its tree is what it costs; every poll is answered, and no secret stands in any file of the run."""
    (tmp_path / "serve.py").write_text(SERVER)
    record = measured(tmp_path, f"command: {sys.executable} serve.py {{port}}")
    totals = record.facts["totals"]
    assert totals["planned"] == totals["ok"] > 0
    assert record.facts["server"]["sampled"]["pids"] == [record.facts["server"]["main_pid"]]
    assert record.facts["precheck"][0]["endpoint"] == "only"
    found = checks(record)
    assert (found["served"], found["workers"]) == ("not_applicable", "valid")
    files = [path.read_bytes() for path in record.path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in one for one in files)


@pytest.mark.slow
def test_who_listens_costs_what_a_running_server_costs(tmp_path: Path) -> None:
    """So is the process of a pid file; a counter of its own vouches for what was answered."""
    with serving(tmp_path) as (url, pid):
        (tmp_path / "it.pid").write_text(f"{pid}\n")
        metrics = f"metrics_url: {url}/metrics\nmetrics_requests: requests_total"
        for more in (metrics, "pid_file: it.pid"):
            record = measured(tmp_path, f"url: {url}\n{more}")
            assert record.facts["server"]["sampled"]["pids"] == [pid]
            assert (checks(record)["workers"], checks(record)["served"]) == (
                "valid",
                "valid" if more == metrics else "not_applicable",
            )


@pytest.mark.slow
def test_a_server_that_cannot_be_seen_says_what_it_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU, memory and count are those of its metrics, as from another machine."""
    monkeypatch.setattr(port_owner, "find", lambda *_: Owner(unseen="the server is not on this machine", here=False))
    with serving(tmp_path) as (url, _):
        record = measured(tmp_path, f"url: {url}\nmetrics_url: {url}/metrics\nmetrics_requests: requests_total")
    costs = record.summary()["server"]
    assert costs["rss_peak_bytes"] == 7_000_000
    assert costs["cpu_us_per_request"] is not None
    assert (record.facts["server"]["metrics"]["sampled"], checks(record)["served"]) == (True, "valid")
    assert checks(record)["workers"] == "not_applicable"


@pytest.mark.slow
def test_a_token_that_is_not_taken_is_refused_before_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the server said of it, but for the token itself."""
    monkeypatch.setenv("LAB_TEST_TOKEN", "an-0ld-token")
    with serving(tmp_path) as (url, _), pytest.raises(ServerContractError, match=r"came 401 .*who is Bearer \*\*\*") as told:
        measured(tmp_path, f"url: {url}")
    assert "an-0ld" not in str(told.value)


@pytest.mark.slow
def test_a_target_is_tried_without_a_run(tmp_path: Path) -> None:
    """Nothing is written; whose cost it will be, and what nothing vouches for, are said."""
    with serving(tmp_path) as (url, pid):
        (tmp_path / "mine.yaml").write_text(TARGET.format(server=f"url: {url}"))
        trial = lab.try_target(str(tmp_path / "mine.yaml"), clients=4, interval_ms=100)
    assert trial.right
    text = repr(trial)
    assert "Bearer ***" in text
    assert "4 devices ask 40 polls/s (only 40/s)" in text
    assert f"(process {pid})" in text
    assert "Nothing will prove that no cache answered" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "serve.py"]
