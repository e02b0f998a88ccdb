"""One device's way to the server before the load: asks once, over a user's transport or the lean one, and keeps time."""

from __future__ import annotations

import importlib
import math
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from experiments.errors import GeneratorError
from experiments.measure.engines.aio.adapters import takes_device
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.target.answers.answer import Answer
from experiments.target.requests.request import with_host
from experiments.target.tried import STEPS

_CONNECT = ("connection.connect_tcp.started", "connection.connect_tcp.complete")
_TLS = ("connection.start_tls.started", "connection.start_tls.complete")

Address = tuple[str, int]


@dataclass
class Asker:
    """One connection, and when what happened on it."""

    transport: Any
    marks: dict[str, float] = field(default_factory=dict)
    """Event -> when, on the monotonic clock; of the request under way."""
    done_at: float = 0.0
    first_byte_at: float = 0.0

    async def ask(self, request: httpx.Request) -> Answer:
        """Asks once. Raises what the transport raises."""
        raise NotImplementedError

    def times_ms(self, begun: float) -> dict[str, float | None]:
        """Milliseconds of each step, as far as the transport tells."""
        raise NotImplementedError


class Lean(Asker):
    """Over the lab's own transport, which keeps the time itself."""

    transport: LeanTransport

    async def ask(self, request: httpx.Request) -> Answer:
        answer = await self.transport.exchange(request)
        return Answer(answer.status, b"".join(answer.body), answer.headers, answer.body_bytes)

    def times_ms(self, begun: float) -> dict[str, float | None]:
        transport, answer = self.transport, self.transport.answer
        spent, first = transport.connect_s + transport.tls_s, answer.first_byte_at
        first_byte = first - begun - spent if first else None
        last_byte = answer.done_at - first if first and answer.done_at else None
        return _times(transport.connect_s, transport.tls_s, first_byte, last_byte)


class OfUser(Asker):
    """Over a user's transport, which says what it says by its trace."""

    async def ask(self, request: httpx.Request) -> Answer:
        response = await self.transport.handle_async_request(request)
        self.first_byte_at = time.monotonic()
        try:
            body = b"".join([piece async for piece in response.aiter_raw()])
        finally:
            await response.aclose()
        self.done_at = time.monotonic()
        return Answer(response.status_code, body, response.headers.raw)

    def times_ms(self, begun: float) -> dict[str, float | None]:
        connect, secured = self._between(*_CONNECT), self._between(*_TLS)
        spent = (connect or 0.0) + (secured or 0.0)
        first = self.first_byte_at - begun - spent if self.first_byte_at else None
        return _times(connect, secured, first, self.done_at - self.first_byte_at if self.done_at else None)

    def _between(self, start: str, end: str) -> float | None:
        return self.marks[end] - self.marks[start] if start in self.marks and end in self.marks else None


def made(name: str) -> httpx.AsyncBaseTransport:
    """A user's transport for the first device, whose number it is told if it takes one.

    Raises:
        GeneratorError: it cannot be had.
    """
    module, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module), attribute)
        transport = factory(0) if takes_device(factory) else factory()
    except Exception as error:
        raise GeneratorError(f"transport={name!r} failed when it was called for device 0 ({error!r}).") from error
    if not isinstance(transport, httpx.AsyncBaseTransport):
        raise GeneratorError(f"transport={name!r} made a {type(transport).__name__}, which is no httpx.AsyncBaseTransport.")
    return transport


def _times(
    connect_s: float | None, tls_s: float | None, first_byte_s: float | None, last_byte_s: float | None
) -> dict[str, float | None]:
    steps = dict(zip(STEPS, (None, connect_s, tls_s, first_byte_s, last_byte_s), strict=True))
    return {name: None if one is None or math.isnan(one) else 1000 * max(0.0, one) for name, one in steps.items()}


def request_of(
    url: str, address: Address, method: str, target: str, headers: list[tuple[str, str]], body: bytes,
    marks: dict[str, float],
) -> httpx.Request:  # fmt: skip
    """A request as a device's transport gets it: it leads to the address, and names the host."""

    async def trace(event: str, info: dict[str, Any]) -> None:
        marks[event] = time.monotonic()

    parts = urlsplit(url)
    host, port = address
    numbers = (
        url if "%" in host else f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"
    )
    return httpx.Request(
        method,
        httpx.URL(numbers).copy_with(raw_path=target.encode("ascii")),
        headers=with_host(headers, parts.netloc),
        content=body,
        extensions={"sni_hostname": parts.hostname, "trace": trace},
    )
