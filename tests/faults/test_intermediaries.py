"""A proxy, a balancer or a cache between the devices and the server: the verdict accuses nobody, and names what it sees."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import experiments as lab
from experiments.measure.servers.ports import free_port
from experiments.measure.servers.probe import ask
from experiments.record.reading import Record
from server.systems.availability import program
from tests.faults.harm import check, scenario, serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(program("nginx") is None, reason="nginx is not installed")]

_CONFIGURATION = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  upstream replicas {{ {upstream} keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
    location /hello {{
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      {cache}
    }}
  }}
}}
"""
_CACHE = "proxy_cache pages; proxy_cache_valid 200 1h; add_header X-Cache $upstream_cache_status;"


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if ask(f"http://127.0.0.1:{port}/health", 1.0, 1000).status == 200:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.05)
    raise AssertionError("no answer")


@contextmanager
def nginx_before(replicas: int, cache: str = "") -> Iterator[str]:
    """Somebody's nginx in front of so many servers of one worker each; its URL."""
    command = str(program("nginx"))
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="lab-nginx-")))
        folder.chmod(0o755)  # Started by root, nginx has its workers run as nobody.
        ports = [free_port() for _ in range(replicas)]
        processes = [serve(port) for port in ports]
        port = free_port()
        upstream = " ".join(f"server 127.0.0.1:{one};" for one in ports)
        text = _CONFIGURATION.format(folder=folder, upstream=upstream, port=port, cache=cache)
        (folder / "nginx.conf").write_text(text)
        arguments = [command, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        processes.append(subprocess.Popen(arguments, stdin=subprocess.DEVNULL))
        for process in processes:
            cleanup.callback(process.wait)
            cleanup.callback(process.terminate)
        for one in (*ports, port):
            wait_for(one)
        yield f"http://127.0.0.1:{port}"


def run_against(tmp_path: Path, url: str) -> Record:
    return lab.run(scenario(tmp_path, server_url=url, minutes=1.5 / 60))


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_balancer_is_not_taken_for_replaced_workers(tmp_path: Path, replicas: int) -> None:
    """The servers behind nginx do not listen where the devices ask, so their numbers say nothing here."""
    with nginx_before(replicas) as url:
        record = run_against(tmp_path, url)
    assert record.facts["server"]["workers_seen"] is False
    assert len(record.facts["server"]["workers"]) == replicas
    assert check(record, "workers")["status"] == "not_applicable"
    assert check(record, "served")["status"] in {"valid", "not_applicable"}


def test_a_cache_is_named_by_what_its_answers_carry(tmp_path: Path) -> None:
    """The server served next to nothing of what was answered; nothing is guessed about why."""
    with nginx_before(1, _CACHE) as url:
        record = run_against(tmp_path, url)
    assert check(record, "served")["status"] == "not_applicable"
    assert check(record, "served")["kind"] == "unseen_behind"
    assert "X-Cache: HIT" in check(record, "served")["meaning"]


def test_a_server_on_this_machine_is_seen(tmp_path: Path) -> None:
    """Whoever started it: its worker listens where the devices ask, so its count is held against ours."""
    port = free_port()
    process = serve(port)
    try:
        wait_for(port)
        record = run_against(tmp_path, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
    assert record.facts["server"]["workers_seen"] is True
    assert (check(record, "served")["status"], check(record, "workers")["status"]) == ("valid", "valid")
