"""Whom the contenders ask: a server started for one measurement on a loopback port, and ended after it.

Knows how each is started and how many polls it has answered; knows nothing of who asks.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from experiments.errors import ServerStartError
from experiments.measure.servers.local import ServerProcess
from experiments.runner import wait_for
from experiments.studies.calibrate.cost.load import BULK_BYTES, STATUS_BYTES
from server import catalogue

_ASK_S = 5.0


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
    with _started("falcon", folder) as server:
        yield Target(server.url, lambda: sum(wait_for(server.served()).values()))


@contextmanager
def nginx(folder: Path) -> Iterator[Target]:
    """nginx with one worker: so fast that the generator is what is measured.

    Raises:
        ServerStartError: it is not installed, or did not come up.
    """
    if reason := missing("nginx"):
        raise ServerStartError(f"nginx cannot be measured: {reason}.")
    with _started("nginx", folder) as server:
        url = f"{server.url}{catalogue.COUNT_PATH}"
        before, asked = _nginx_count(url), itertools.count(1)
        yield Target(server.url, lambda: _nginx_count(url) - before - next(asked))


@contextmanager
def _started(system: str, folder: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(
        system=system, workers=1, status_bytes=STATUS_BYTES, bulk_bytes=BULK_BYTES, log_path=folder / f"{system}.log"
    )
    try:
        wait_for(server.start())
        yield server
    finally:
        wait_for(server.stop())


TARGETS: dict[str, Callable[[Path], AbstractContextManager[Target]]] = {"falcon": falcon, "nginx": nginx}
"""Name -> what starts it; takes a folder for its log."""


def missing(name: str) -> str | None:
    """Why a target is not there, if so, and what to do about it."""
    return catalogue.obstacle(catalogue.SYSTEMS[name])


def version(name: str) -> str:
    """Of the program that serves; empty where it does not say."""
    if name != "nginx":
        return metadata.version(name)
    found = subprocess.run([str(catalogue.program(name)), "-v"], capture_output=True, text=True, check=False, timeout=_ASK_S)
    return found.stderr.rpartition("/")[2].split(" ")[0].strip()


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
