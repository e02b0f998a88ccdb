"""A server of the user's own is started as its target says, found ready by its answers, and ended with all it started."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments.errors import ParameterError, ServerStartError
from experiments.measure.precheck import Precheck
from experiments.measure.servers import own
from experiments.scenario import Scenario
from experiments.target import loading
from tests.support.certificates import Authority
from tests.support.processes import still_alive

ASGI = """
import os
assert "UVICORN_WORKERS" not in os.environ
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("no lifespan")
    body = os.environ["GREETING"].encode() + os.getcwd().encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
def make():
    return app
"""
WSGI = """
import os
def app(environ, start_response):
    body = os.environ["GREETING"].encode() + os.getcwd().encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
def make(*, unused=1):
    return app
"""
COMMAND = """
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (os.environ["GREETING"] + os.getcwd() + sys.argv[2]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
ENDPOINTS = """
env: {GREETING: "{env.LAB_TEST_GREETING}"}
endpoints:
  only: {request: GET /, expect: {regex: "sesame-for-all.*/inner"}}
"""


def server(folder: Path, text: str) -> Any:
    """The server of that target, which lies beside a folder with the user's code."""
    inner = folder / "inner"
    inner.mkdir(exist_ok=True)
    for name, source in (("asgi_app", ASGI), ("wsgi_app", WSGI), ("run_it", COMMAND)):
        (inner / f"{name}.py").write_text(source)
    loaded = loading.read(f"working_dir: inner\n{text}\n{ENDPOINTS}", folder / "mine.yaml")
    ready = Precheck(loaded, Scenario().parts.load).ready
    return own.server(loaded, url="", workers=1, log_path=folder / "server.log", ready=ready)


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_TEST_GREETING", "sesame-for-all")
    monkeypatch.setenv("UVICORN_WORKERS", "3")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "app: asgi_app:app",
        "app: asgi_app:make",
        "app: asgi_app:make\nserver: gunicorn",
        "app: wsgi_app:app\ninterface: wsgi",
        "app: wsgi_app:make\ninterface: wsgi\nworkers: 2",
        """command: 'python run_it.py {port} ''{"a": {}}'' '""",
    ],
)
def test_what_the_target_names_is_started_in_its_folder(tmp_path: Path, text: str) -> None:
    """With its variables, an application or a factory alike; what was started is gone afterwards, and no value is told."""
    one = server(tmp_path, text)

    async def main() -> tuple[dict[str, Any], list[psutil.Process], dict[int, int]]:
        try:
            await one.start()
            processes = [psutil.Process(pid) for pid in (one.main_pid, *one.worker_pids())]
            return one.facts(), processes, await one.served()
        finally:
            await one.stop()

    facts, processes, served = asyncio.run(main())
    assert (facts["started_by_lab"], facts["env"], served) == (True, ["GREETING"], {})
    assert len(processes) > (2 if "workers" in text else 1)
    assert "sesame" not in json.dumps(facts)
    assert still_alive(processes) == []


@pytest.mark.slow
@pytest.mark.parametrize("serving", ["uvicorn", "gunicorn"])
def test_an_app_with_a_certificate_is_served_over_https(tmp_path: Path, serving: str) -> None:
    """The devices trust the target's own authority alone, and the app answers them."""
    certificates = Authority(tmp_path)
    shown, key = (path.name for path in certificates.issued("127.0.0.1"))
    tls = f"tls: {{ca: {certificates.file.name}, server_cert: {shown}, server_key: {key}}}"
    one = server(tmp_path, f"app: asgi_app:app\nserver: {serving}\n{tls}")

    async def main() -> str:
        try:
            await one.start()
            return str(one.url)
        finally:
            await one.stop()

    assert asyncio.run(main()).startswith("https://127.0.0.1:")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("app: asgi_app:missing", "ended with code 3 before it was ready"),
        ("command: no-such-program-{port}", "could not be started"),
        ("app: wsgi_app:app\ninterface: wsgi\nready: {path: /, status: 204}", r"GET / was answered 200, not 204"),
    ],
)
def test_what_does_not_become_ready_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    """With the reason, and the end of what it printed."""
    monkeypatch.setattr(own, "_READY_S", 3.0)
    one = server(tmp_path, text)

    async def main() -> None:
        await one.start(deadline_s=3.0)

    with pytest.raises(ServerStartError, match=says):
        asyncio.run(main())


def test_a_command_whose_quotes_do_not_match_is_refused(tmp_path: Path) -> None:
    """With its line."""
    with pytest.raises(ParameterError, match=r"mine\.yaml, line 2: .*No closing quotation.*see to its quotes"):
        server(tmp_path, """command: "run 'it {port}" """)


def test_a_url_of_a_running_server_comes_before_the_targets(tmp_path: Path) -> None:
    """Whatever the target would start."""
    loaded = loading.read(f"app: asgi_app:app\n{ENDPOINTS}", tmp_path / "mine.yaml")
    ready = Precheck(loaded, Scenario().parts.load).ready
    found = own.server(loaded, url="https://[::1]", workers=1, log_path=tmp_path / "log", ready=ready)
    assert (found.url, found.address, found.facts()["name"]) == ("https://[::1]", ("::1", 443), "mine")
