"""Whom the contenders ask: a server started for one measurement on a loopback port, and ended after it.

Knows how each is started and how many polls it has answered; knows nothing of who asks.
"""

from __future__ import annotations

import getpass
import itertools
import os
import re
import resource
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from experiments.errors import ServerStartError
from experiments.measure.processes.guarded import Guarded
from experiments.measure.servers.local import ServerProcess
from experiments.measure.servers.ports import free_port
from experiments.runner import wait_for
from experiments.studies.calibrate.controls.loopback import wait_until_listening
from experiments.studies.calibrate.cost.load import BULK_BYTES, STATUS_BYTES
from server import catalogue

_ASK_S = 5.0
_FILES = 40_000
"""Of nginx's worker, if the hard limit is not lower: a connection takes one, or two while it answers B."""
_SBIN = os.pathsep.join(("", "/usr/sbin", "/usr/local/sbin"))
"""Where nginx is; the search path of an ordinary user does not lead there."""


@dataclass(frozen=True)
class Target:
    """A server that is up."""

    url: str
    """Scheme, host and port."""
    answered: Callable[[], int]
    """Asks it how many polls it has answered since its start."""


@contextmanager
def falcon(folder: Path) -> Iterator[Target]:
    """The lab's own system under test: Falcon on uvicorn, one worker.

    Raises:
        ServerStartError: it did not become ready.
    """
    server = ServerProcess(
        system="falcon", workers=1, status_bytes=STATUS_BYTES, bulk_bytes=BULK_BYTES, log_path=folder / "falcon.log"
    )
    try:
        wait_for(server.start())
        yield Target(server.url, lambda: sum(wait_for(server.served()).values()))
    finally:
        wait_for(server.stop())


@contextmanager
def nginx(folder: Path) -> Iterator[Target]:
    """nginx with one worker and the same answers at the same addresses.

    Raises:
        ServerStartError: it is not installed, or did not come up.
    """
    if reason := missing("nginx"):
        raise ServerStartError(f"nginx cannot be measured: {reason}.")
    port = free_port()
    place = folder / f"nginx-{port}"
    place.mkdir()
    (place / "nginx.conf").write_text(nginx_conf(port))
    (place / "bulk").write_bytes(catalogue.body(BULK_BYTES))
    command = [str(_nginx()), "-p", str(place), "-c", "nginx.conf", "-e", "stderr"]
    guarded = Guarded(command, env=dict(os.environ), log_path=place / "nginx.log")
    try:
        wait_until_listening(port)
        url = f"http://127.0.0.1:{port}"
        asked = itertools.count(1)
        yield Target(url, lambda: _nginx_count(f"{url}/count") - next(asked))
    finally:
        wait_for(guarded.end())


TARGETS: dict[str, Callable[[Path], AbstractContextManager[Target]]] = {"falcon": falcon, "nginx": nginx}
"""Name -> what starts it; takes a folder for its log."""


def missing(name: str) -> str | None:
    """Why a target is not there, if so, and what to do about it."""
    return None if name != "nginx" or _nginx() else "nginx is not installed (apt-get install nginx-light)"


def _nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + _SBIN)


def nginx_conf(port: int) -> str:
    """The configuration of an nginx that serves both endpoints on that port of the loopback."""
    template = Template((Path(__file__).parent / "nginx.conf").read_text())
    files = min(_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1] % 2**63)
    # Started by root, its worker would become somebody who may not read this folder.
    user = f"user {getpass.getuser()};" if os.getuid() == 0 else ""
    return template.substitute(port=port, files=files, user=user, status=catalogue.body(STATUS_BYTES).decode())


def _nginx_count(url: str) -> int:
    """Requests so far, this one too.

    Source: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
    """
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=_ASK_S) as answer:
        return parse_nginx_count(answer.read().decode())


def parse_nginx_count(status: str) -> int:
    """The third number under "server accepts handled requests".

    Raises:
        ServerStartError: it is not there.
    """
    found = re.search(r"requests\s+\d+\s+\d+\s+(\d+)", status)
    if found is None:
        raise ServerStartError(f"nginx did not say how many requests it has had, but {status[:200]!r}.")
    return int(found[1])
