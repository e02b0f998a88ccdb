"""Transports as users bring them, each with a fault of its own; at the top level, so that generators can import them."""

import os
import sys

import httpx

from experiments.measure.engines.aio.transport import LeanTransport

LOUD = "made one"
"""What `told` prints for each."""


def plain() -> httpx.AsyncBaseTransport:
    return LeanTransport()


def told() -> httpx.AsyncBaseTransport:
    """Says so when it is made."""
    sys.stdout.write(f"{LOUD}\n")
    sys.stdout.flush()
    return LeanTransport()


class Unclosable(LeanTransport):
    """Cannot be closed."""

    async def aclose(self) -> None:
        await super().aclose()
        raise ValueError("it is stuck")


class Chatty(LeanTransport):
    """Prints in the middle of a line, by Python and past it, and reads what it is not told."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sys.stdout.write('{"facts": null')
        sys.stdout.flush()
        os.write(1, b"more")
        assert sys.stdin.read() == ""
        return await super().handle_async_request(request)


class Tiring(LeanTransport):
    """Has a fault of its own from its third request on."""

    asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked > 2:
            raise RuntimeError("no such setting")
        return await super().handle_async_request(request)


class Faulty(LeanTransport):
    """Has a fault of its own in every request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise RuntimeError("no such setting")


def refusing() -> httpx.AsyncBaseTransport:
    raise KeyError("certificate")


def nothing() -> None:
    """Makes no transport at all."""
