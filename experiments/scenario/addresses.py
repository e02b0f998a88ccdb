"""Addresses as parameters give them: how they are written, and whether they lead to this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

SERVER_URL = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)

DASK_SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(?P<port>[0-9]{1,5})", re.IGNORECASE | re.ASCII)

REDIS_URL = re.compile(
    r"(redis://([^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?(/[0-9]{1,4})?|unix://([^/@\s]*@)?/\S+)",
    re.IGNORECASE | re.ASCII,
)


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
