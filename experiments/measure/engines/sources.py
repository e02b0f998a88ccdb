"""From which addresses of this machine the devices connect: one has ports for some 28,000 connections to one server.

A number of devices and the server's address in, the local addresses out; a device's own, and a socket that is bound to it.
Knows neither plans nor answers.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.errors import ParameterError

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
"""Python names it from 3.12 on. Source: include/uapi/linux/in.h."""


def ports() -> int:
    """How many ports the connections from one address to one server may have; all of them where nobody says."""
    try:
        low, high = map(int, RANGE.read_text().split())
    except (OSError, ValueError):
        return 2**16
    return high - low + 1


def needed(clients: int) -> int:
    """How many addresses have the ports for so many connections to one server."""
    return -(-clients // ports())


def roomy(clients: int) -> int:
    """How many addresses leave half of their ports free.

    Linux looks for a free port among every second one first: beyond half of them each connection costs 13 times as much (of
    10,000 ports, 266 us of processor time instead of 20; Linux 6.18). Source: __inet_hash_connect in
    net/ipv4/inet_hashtables.c.
    """
    return -(-clients // max(1, ports() // 2))


def has_many(host: str) -> bool:
    """Whether a server is reached from as many addresses as one likes: on Linux all of 127.0.0.0/8 is the machine's own."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.version == 4 and address.is_loopback


def chosen(given: Sequence[str], clients: int, host: str) -> tuple[str, ...]:
    """The addresses that the devices share out among themselves; none where the system may choose, since one is enough.

    Args:
        given: by the experimenter; empty for as many of the loopback as the devices have room in.
        host: the server's, in numbers.

    Raises:
        ParameterError: they cannot reach that server, or have not ports enough.
    """
    version = ipaddress.ip_address(host.partition("%")[0]).version
    if strangers := [one for one in given if ipaddress.ip_address(one).version != version]:
        raise ParameterError(
            f"source_addresses: {strangers[0]} cannot reach the server, which is at {host}: give addresses of IPv{version}."
        )
    found = tuple(given)
    if not given and has_many(host) and (count := roomy(clients)) > 1:
        found = tuple(str(ipaddress.IPv4Address("127.0.0.1") + place) for place in range(count))
    if needed(clients) > max(1, len(found)):
        raise ParameterError(too_few(clients, len(found)))
    return found


def too_few(clients: int, addresses: int, *, can_bind: bool = True) -> str:
    """Why so many devices cannot connect from so many addresses, and how many of what would do.

    Args:
        can_bind: whether the engine can be told where to connect from.
    """
    have = f"{addresses} local addresses have" if addresses > 1 else "one local address has"
    there = max(1, addresses) * ports()
    more = f"give {needed(clients)} addresses of this machine with source_addresses"
    other = "use engine='epoll' or 'httpx', which connect from several addresses"
    return (
        f"{clients:,} connections to one server need as many ports, and {have} {there:,} ({RANGE}): "
        f"{more if can_bind else other}, ask for at most {there:,} clients, or widen that range."
    )


def of_device(sources: Sequence[str], client: int) -> str | None:
    """The local address of a device; None for the one that the system chooses."""
    return sources[client % len(sources)] if sources else None


def opened(address: tuple[str, int], source: str | None) -> socket.socket:
    """A socket for a connection to that address, not connected yet: it does not block, and holds nothing back.

    Args:
        source: the local address that it is bound to. Its port is chosen when it connects: only then is known to whom, and a
            port that is taken towards one server is free towards another.

    Raises:
        OSError: there is no such local address, or no file is left.
    """
    connection = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            if sys.platform.startswith("linux"):
                connection.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
            connection.bind((source, 0))
    except OSError:
        connection.close()
        raise
    return connection


def absent(addresses: Sequence[str]) -> str | None:
    """The first of these that is no address of this machine; None if all are."""
    for one in addresses:
        try:
            opened((one, 0), one).close()
        except OSError:
            return one
    return None
