"""Where a server's name leads: all of its addresses in order, and the first at which somebody answers.

A name often has several: `localhost` is ::1 and 127.0.0.1, and a server may listen on one of them alone. What the devices
use is what answered, and it is looked up once: no device waits for a name server, and all measure the same machine.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from experiments.measure.servers.probe import reason

Address = tuple[str, int]
"""Host in numbers, and port."""

_NEXT_S = 0.25
"""How long an address may be silent before the next one is tried as well. Source: RFC 8305, section 8."""


def port_of(url: str) -> int:
    """The port that a URL leads to."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def connect(address: Address, timeout_s: float) -> None:
    """Makes sure that somebody takes a connection there.

    Raises:
        OSError: nobody does, or not in time.
    """
    socket.create_connection(address, timeout=timeout_s).close()


def look_up(url: str) -> list[Address]:
    """All addresses of a URL's host, in the order in which the system would try them.

    Raises:
        OSError: its name leads nowhere.
    """
    parts = urlsplit(url)
    found = socket.getaddrinfo(parts.hostname, port_of(url), type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(where[0]), int(where[1])) for *_, where in found))


async def first_that_answers(addresses: Sequence[Address], ask: Callable[[Address], object]) -> Address:
    """Asks at one address after the other; one that is silent holds up the next ones for a moment only.

    Args:
        ask: asks once, within a bounded time, and is called in a thread; raises where nobody answers.

    Raises:
        OSError: nobody answers anywhere; says why, of each address.
    """
    asked: dict[asyncio.Future[object], Address] = {}
    failures: dict[Address, str] = {}
    waiting = list(addresses)
    while waiting or asked:
        if waiting:
            address = waiting.pop(0)
            asked[asyncio.ensure_future(asyncio.to_thread(ask, address))] = address
        done, _ = await asyncio.wait(asked, timeout=_NEXT_S if waiting else None, return_when=asyncio.FIRST_COMPLETED)
        for one in sorted(done, key=lambda one: addresses.index(asked[one])):
            address = asked.pop(one)
            if (error := one.exception()) is None:
                for other in asked:
                    other.add_done_callback(_forget)
                return address
            if not isinstance(error, Exception):
                raise error
            failures[address] = reason(error)
    if len(failures) == 1:
        raise OSError(next(iter(failures.values())))
    raise OSError("; ".join(f"{host}: {failures[host, port]}" for host, port in addresses))


def _forget(late: asyncio.Future[object]) -> None:
    """Takes note of an error that nobody wants to know any more, or the loop would complain of it."""
    if not late.cancelled():
        late.exception()
