"""Addresses as parameters give them: how they are written, and whether they lead to this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

SERVER_URL = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)

DASK_SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(?P<port>[0-9]{1,5})", re.IGNORECASE | re.ASCII)

REDIS_URL = re.compile(
    r"(redis://([^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?(/[0-9]{1,4})?|unix://([^/@\s]*@)?/\S+)",
    re.IGNORECASE | re.ASCII,
)

_MOST = 4096
"""Addresses in a list: with 28,232 ports each more than a million devices have use for."""


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine."""
    return is_here(urlsplit(url).hostname or "")


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_list(text: str) -> tuple[str, ...]:
    """Reads `192.0.2.4, 192.0.2.8-192.0.2.15`; each address once, in the order given.

    Raises:
        ValueError: what is wrong with it, and what is allowed.
    """
    found: dict[str, None] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        for address in _from_to(part):
            found[address] = None
            if len(found) > _MOST:
                raise ValueError(f"more than {_MOST:,} addresses: a million devices need 36")
    return tuple(found)


def _from_to(part: str) -> Iterator[str]:
    first, _, last = (one.strip() for one in part.partition("-"))
    try:
        begin = ipaddress.ip_address(first)
        end = ipaddress.ip_address(last or first)
    except ValueError:
        raise ValueError(f"{part!r} is no address; write them like 192.0.2.4, 192.0.2.8-192.0.2.15") from None
    if begin.version != end.version or int(end) < int(begin):
        raise ValueError(f"{part!r} is no range: it leads from a lower address to a higher one of the same kind")
    for number in range(int(begin), int(end) + 1):
        yield str(type(begin)(number))
