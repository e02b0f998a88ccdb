"""What the devices ask: where, which two requests, and what a right answer looks like."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from experiments.measure.lean_transport import prepare
from server import catalogue


@dataclass(frozen=True)
class Target:
    """A server, seen from a device. Plain data, so that it travels to a generator as JSON."""

    url: str
    """Scheme, host and port."""
    address: tuple[str, int]
    """Where `url` was found when its name was looked up, once, before the load."""
    keep_alive: bool
    """False: a connection a request."""
    timeout_s: float
    """Seconds from the start of an attempt to its failure."""
    body_bytes: tuple[int, int]
    """Length of a right answer of (status, bulk)."""
    checksums: tuple[int, int]
    """CRC-32 of a right answer of (status, bulk)."""

    def requests(self) -> tuple[httpx.Request, httpx.Request]:
        """The prebuilt requests of (status, bulk)."""
        headers = {"Host": urlsplit(self.url).netloc, "Accept": "*/*", "User-Agent": "falcon-asgi-performance-lab"}
        if not self.keep_alive:
            headers["Connection"] = "close"
        paths = (catalogue.STATUS_PATH, catalogue.BULK_PATH)
        status, bulk = (prepare(httpx.Request("GET", self.url + path, headers=headers)) for path in paths)
        return status, bulk
