"""What the devices ask: where, which two requests, and what a right answer looks like."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from experiments.measure.engines.wire import prepare
from server import catalogue

_DEVICE_HEADER = catalogue.DEVICE_HEADER.encode()


@dataclass(frozen=True)
class Target:
    """A server, seen from a device. Plain data, so that it travels to a generator as JSON."""

    url: str
    """Scheme, host and port."""
    address: tuple[str, int]
    """Where somebody answered for `url` before the load: all devices connect to this one, whatever else its name means."""
    keep_alive: bool
    """False: a connection a request."""
    timeout_s: float
    """Seconds from the start of an attempt to its failure."""
    body_bytes: tuple[int, int]
    """Length of a right answer of (status, bulk)."""
    checksums: tuple[int, int]
    """CRC-32 of a right answer of (status, bulk)."""
    names_devices: bool = False
    """Whether a request says which device asks; else all devices send the same bytes."""

    def requests(self, client: int | None = None) -> tuple[httpx.Request, httpx.Request]:
        """The prebuilt requests of (status, bulk), of one device or of none in particular."""
        headers = {"Host": urlsplit(self.url).netloc, "Accept": "*/*", "User-Agent": "falcon-asgi-performance-lab"}
        if not self.keep_alive:
            headers["Connection"] = "close"
        if self.names_devices and client is not None:
            headers[catalogue.DEVICE_HEADER] = str(client)
        # Transports that are not ours go where the URL leads: to the same address. TLS still needs the name.
        base, name = self._numbers(), {"sni_hostname": urlsplit(self.url).hostname}
        paths = (catalogue.STATUS_PATH, catalogue.BULK_PATH)
        status, bulk = (prepare(httpx.Request("GET", base + path, headers=headers, extensions=dict(name))) for path in paths)
        return status, bulk

    def _numbers(self) -> str:
        """The URL with the address in place of the name."""
        host, port = self.address
        if "%" in host:  # Of one interface, which no URL can say.
            return self.url
        return f"{urlsplit(self.url).scheme}://" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def of_device(wire: bytes, client: int) -> bytes:
    """The bytes of a request of none in particular, as this device sends it."""
    return b"%s%s: %d\r\n\r\n" % (wire[:-2], _DEVICE_HEADER, client)
