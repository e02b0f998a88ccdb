"""Requests as they go over the wire: an `httpx.Request` in, the bytes of its head out."""

from __future__ import annotations

import httpx

RETRIABLE = frozenset({"GET", "OPTIONS", "TRACE"})
"""Methods that may be asked again when a reused connection closes without an answer (RFC 9110, 9.2.2)."""


def head(request: httpx.Request) -> bytes:
    """All that stands before the body."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"
