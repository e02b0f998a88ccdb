"""Requests as they go over the wire: an `httpx.Request` in, bytes out, encoded once for all the times that it is asked."""

from __future__ import annotations

import httpx

RETRIABLE = frozenset({"GET", "OPTIONS", "TRACE"})
"""Methods that may be asked again when a reused connection closes without an answer (RFC 9110, 9.2.2)."""


def prepare(request: httpx.Request) -> httpx.Request:
    """Encodes a request without a body once, for all the times that it will be asked."""
    request.extensions["lean_wire"] = head(request)
    return request


def wire_of(request: httpx.Request) -> bytes:
    """A prepared request as it goes over the wire."""
    wire: bytes = request.extensions["lean_wire"]
    return wire


def head(request: httpx.Request) -> bytes:
    """All that stands before the body."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"
