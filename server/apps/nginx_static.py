"""nginx with the two pages as files: what no framework can beat.

    python -m server.apps.nginx_static --port 8000 --workers 1

Writes pages and configuration into a temporary folder, runs nginx until SIGTERM, and removes the folder. nginx tells which
worker answers, but cannot count what each one serves: `/health` says `served: null`. `/count` is what all of them have had.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from server import payloads
from server.settings import Settings
from server.systems.availability import program
from server.systems.model import BACKLOG, KEEP_ALIVE_S, NGINX_SLOTS

_CONFIGURATION = """\
daemon off;
worker_processes {workers};
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  etag off;
  if_modified_since off;
  server_tokens off;
  keepalive_timeout {keep_alive_s}s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ }}
  default_type "text/plain; charset=utf-8";
  open_file_cache max=10 inactive=1h;
  map $arg_page $page {{ 1 /status; 200 /bulk; default /none; }}
  server {{
    listen 127.0.0.1:{port} backlog={backlog}{own_queues};
    root {folder}/pages;
    location = /hello {{ try_files $page =404; }}
    location = /health {{
      default_type application/json;
      return 200 '{{"pid":$pid,"framework":"nginx","version":"$nginx_version","served":null}}';
    }}
    location = /count {{ stub_status; }}
    location / {{ return 404; }}
  }}
}}
"""


def main() -> int:
    """Serves on 127.0.0.1; the exit code is nginx's."""
    parser = argparse.ArgumentParser(prog="python -m server.apps.nginx_static")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    nginx = program("nginx")
    if nginx is None:
        sys.exit("nginx is not installed")
    with TemporaryDirectory(prefix="lab-nginx-") as name:
        folder = Path(name)
        write(folder, Settings.from_environment(os.environ), port=options.port, workers=options.workers)
        return _run([nginx, "-p", name, "-e", "stderr", "-c", str(folder / "nginx.conf")])


def write(folder: Path, settings: Settings, *, port: int, workers: int) -> None:
    """Writes what nginx serves and how it is to do so."""
    folder.chmod(0o755)  # Started by root, nginx has its workers run as nobody.
    pages = folder / "pages"
    pages.mkdir()
    (pages / "status").write_bytes(payloads.body(settings.status_bytes))
    (pages / "bulk").write_bytes(payloads.body(settings.bulk_bytes))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] % 2**63
    text = _CONFIGURATION.format(
        folder=folder,
        port=port,
        workers=workers,
        connections=NGINX_SLOTS,
        files=min(NGINX_SLOTS, most),
        keep_alive_s=KEEP_ALIVE_S,
        backlog=BACKLOG,
        # With one queue for all, a worker that is awake takes what others could have: some end up with twice their share.
        own_queues=" reuseport" if workers > 1 else "",
    )
    (folder / "nginx.conf").write_text(text)


def _run(command: list[str]) -> int:
    nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda number, frame: nginx.terminate())
    return nginx.wait()


if __name__ == "__main__":
    sys.exit(main())
