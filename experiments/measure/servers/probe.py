"""One question over plain HTTP, on a connection of its own and within a bounded time.

Standard library only: what is asked here is the server that the lab's own client is about to measure.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from server import catalogue

TEXT_CHARACTERS = 200
"""What is kept of a header or of a reason: it goes into the record."""
_HEALTH_BYTES = 10_000
_TAKEN_S = 0.5
"""How long a further connection may take: half of what the kernel waits before it sends a dropped first packet again."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    """Not more than a byte longer than it should be."""


@dataclass(frozen=True)
class Health:
    pid: int
    served: int | None
    """None from a server that says which worker answers, but does not count."""
    framework: str | None
    version: str | None
    at_once: int | None = None
    """The most requests that it had within their database work at once, if it has a database and tells."""


class _BoundedSocket(socket.socket):
    """A socket's own timeout starts anew with every byte; this one ends at an instant."""

    ends_at = 0.0

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(max(0.001, self.ends_at - time.monotonic()))
        return super().recv_into(*args, **options)


def ask(url: str, timeout_s: float, size_bytes: int, *, address: tuple[str, int] | None = None) -> Answer:
    """GETs a URL on a connection of its own, which no proxy setting can lead astray.

    Args:
        timeout_s: seconds for all of it.
        size_bytes: how long the body should be.
        address: host and port to connect to, where the name was looked up already.

    Raises:
        OSError: nobody listens, or not in time.
        http.client.HTTPException: what came is not HTTP.
    """
    ends_at = time.monotonic() + timeout_s
    with closing(_request(url, address, ends_at, ends_at)) as connection:
        return _answer(connection, size_bytes)


def _request(url: str, address: tuple[str, int] | None, connect_by: float, ends_at: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    plain = socket.create_connection(address or (host, port), timeout=max(0.001, connect_by - time.monotonic()))
    bounded = _BoundedSocket(plain.family, plain.type, plain.proto, plain.detach())
    bounded.ends_at = ends_at
    connection = http.client.HTTPConnection(host, port)
    connection.sock = bounded
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request("GET", target, headers={"Connection": "close"})
    return connection


def _answer(connection: http.client.HTTPConnection, size_bytes: int) -> Answer:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read(size_bytes + 1))


def ask_workers(
    url: str, address: tuple[str, int], count: int, timeout_s: float, path: str = catalogue.HEALTH_PATH
) -> tuple[list[Health], bool]:
    """What workers say of themselves on `count` connections that are opened together.

    Args:
        path: where they say it.

    Returns:
        That, and whether a connection was not taken at once although one before it was: then more were opened than fit
        into the server's backlog. The kernel drops such a connection's first packet, which comes again after a second.
    """
    ends_at = time.monotonic() + timeout_s
    connections: list[http.client.HTTPConnection] = []
    healths, crowded = [], False
    with ExitStack() as cleanup:
        for _ in range(count):
            connect_by = min(ends_at, time.monotonic() + _TAKEN_S) if connections else ends_at
            try:
                connection = _request(url + path, address, connect_by, ends_at)
            except OSError as error:
                crowded = isinstance(error, TimeoutError) and bool(connections)
                break
            connections.append(cleanup.enter_context(closing(connection)))
        for connection in connections:
            with suppress(OSError, http.client.HTTPException, ValueError, RecursionError):
                healths.append(_health(_answer(connection, _HEALTH_BYTES)))
    return healths, crowded


def _health(answer: Answer) -> Health:
    """Reads an answer of /health.

    Raises:
        ValueError: it is in words of its own, as that of a server that is not ours may be.
    """
    said = json.loads(answer.body)
    if answer.status != 200 or not isinstance(said, dict):
        raise ValueError
    pid, served = said.get("pid"), said.get("served")
    counts = type(served) is int or (served is None and "served" in said)
    if type(pid) is not int or not counts:
        raise ValueError
    at_once = said.get("at_once")
    return Health(
        pid,
        served,
        _text(said.get("framework")),
        _text(said.get("version")),
        at_once if type(at_once) is int else None,
    )


def _text(value: object) -> str | None:
    return value[:TEXT_CHARACTERS] if isinstance(value, str) else None


def reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:TEXT_CHARACTERS] or type(error).__name__
