"""One answer as it came, and the ways in which there can be none."""

from __future__ import annotations

import httpx

Headers = list[tuple[bytes, bytes]]


class ConnectionClosed(httpx.RemoteProtocolError):
    """The server closed the connection before the answer was complete."""


class ConnectionReset(httpx.ReadError):
    """The connection was reset before the answer was complete."""


class ProtocolViolation(httpx.RemoteProtocolError):
    """What came is not HTTP/1.1, or nobody had asked for it."""


class Answer:
    """What came back for one request; a reader reuses the same object for all of its answers."""

    __slots__ = ("body", "body_bytes", "checksum", "complete", "done_at", "first_byte_at", "first_bytes", "headers",
                 "started", "status", "version")  # fmt: skip

    def __init__(self) -> None:
        self.status = self.body_bytes = self.checksum = 0
        self.version = b"HTTP/1.1"
        """As its status line says."""
        self.headers: Headers = []
        self.body: list[bytes] = []
        self.first_bytes = b""
        """Of the body, up to `FIRST_BYTES`; empty where nobody looked at them: of most right answers."""
        self.first_byte_at = 0.0
        """When its first byte had come, that of a 1xx answer before it too; 0 until then."""
        self.done_at = 0.0
        self.started = self.complete = False
