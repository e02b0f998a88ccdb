"""Asks by hand: bytes out, bytes in, and what the kernel counted. Blocking, one connection at a time, no HTTP library."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_QUIET_S = 0.3
"""An answer that has no length is over when nothing has come for so long."""
_DATA_SEGMENTS_IN = 152
"""Offset of tcpi_data_segs_in in Linux's struct tcp_info (include/uapi/linux/tcp.h, since 4.6)."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """What is asked for."""

    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        """The place that an http URL names."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname or "", parts.port or 80, target)

    def request(
        self, *headers: str, method: str = "GET", version: str = "1.1", target: str = "", body: bytes = b""
    ) -> bytes:
        """The bytes of a request."""
        lines = [f"{method} {target or self.path} HTTP/{version}", f"Host: {self.host}:{self.port}", *headers]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Answer:
    """What came."""

    head: bytes = b""
    body: bytes = b""
    closed: bool = False
    """Whether the server ended the connection."""
    more: bytes = field(default=b"", repr=False)
    """What came after the end that the answer's own length names."""

    @property
    def status(self) -> int | None:
        """The status, or None where nothing came that looks like an answer."""
        found = re.match(rb"HTTP/1\.[01] ([0-9]{3})", self.head)
        return int(found[1]) if found else None

    def says(self, name: str, value: str) -> bool:
        """Whether a header has this value, in whatever case."""
        return re.search(rf"\r\n{name}:[^\r]*{value}".encode(), self.head, re.IGNORECASE) is not None


@contextmanager
def connected(place: Place, timeout_s: float = 2.0) -> Iterator[socket.socket]:
    """A connection."""
    with socket.create_connection((place.host, place.port), timeout_s) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def ask(connection: socket.socket, request: bytes, *, bodiless: bool = False, within_s: float = 2.0) -> Answer:
    """Sends a request and reads its answer.

    Args:
        bodiless: the answer ends with its head, whatever length it names; what comes within a moment is `more`.
    """
    try:
        connection.sendall(request)
    except OSError:
        return Answer(closed=True)
    return read(connection, bodiless=bodiless, within_s=within_s)


def read(connection: socket.socket, *, bodiless: bool = False, within_s: float = 2.0) -> Answer:
    """Reads one answer: as much as its length names, or until it is quiet or closed."""
    came, closed, wait_s = b"", False, within_s
    while not closed and not (not bodiless and _complete(came)):
        connection.settimeout(wait_s)
        try:
            piece = connection.recv(65_536)
        except TimeoutError:
            break
        except OSError:
            piece = b""
        closed = not piece
        came += piece
        wait_s = _QUIET_S if bodiless or _length(came) is None else within_s
    head, _, rest = came.partition(b"\r\n\r\n")
    length = 0 if bodiless else _length(came)
    return Answer(head, rest[:length], closed, b"" if length is None else rest[length:])


def segments(connection: socket.socket) -> int | None:
    """Segments with data that have come so far; None where the kernel does not tell."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except (AttributeError, OSError):
        return None
    if len(told) < _DATA_SEGMENTS_IN + 4:
        return None
    (count,) = struct.unpack_from("=I", told, _DATA_SEGMENTS_IN)
    return int(count)


def _length(came: bytes) -> int | None:
    head, end, _ = came.partition(b"\r\n\r\n")
    found = _LENGTH.search(head) if end else None
    return int(found[1]) if found else None


def _complete(came: bytes) -> bool:
    """Whether an answer that names its length is there whole."""
    length = _length(came)
    return length is not None and len(came.partition(b"\r\n\r\n")[2]) >= length
