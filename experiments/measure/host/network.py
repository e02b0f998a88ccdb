"""What the kernel tells of this network namespace: how long the queue of a listening socket may be, and what it dropped.

An address in, numbers out; None or nothing where this platform does not tell. Everything here is of one network namespace: a
server in a container has another, and all programs in this one are counted together.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
COUNTERS = {"listen_overflows": "ListenOverflows", "listen_drops": "ListenDrops", "syn_retransmits": "TCPSynRetrans"}
"""Column of the record -> counter of the group TcpExt."""

_SOCK_DIAG, _BY_FAMILY, _DUMP = 4, 20, 0x301
"""NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP; include/uapi/linux/netlink.h."""
_LISTEN = 1 << 10
"""Of all states of TCP, this one."""
_HEAD = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
"""inet_diag_req_v2, of any socket; include/uapi/linux/inet_diag.h."""
_WAIT_S = 1.0


@dataclass(frozen=True)
class Listener:
    """A socket that listens."""

    address: str
    port: int
    backlog: int
    """Most connections that may wait to be accepted: what `listen` was told, but not more than net.core.somaxconn."""


def listeners() -> list[Listener]:
    """All that listen in this namespace; none where the kernel does not tell."""
    found: list[Listener] = []
    with suppress(OSError, AttributeError):  # A platform without netlink lacks the very name.
        for family in (socket.AF_INET, socket.AF_INET6):
            found += _of_family(family)
    return found


def _of_family(family: int) -> Iterator[Listener]:
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)) as kernel:
        kernel.settimeout(_WAIT_S)
        request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _LISTEN)
        kernel.send(_HEAD.pack(_HEAD.size + len(request), _BY_FAMILY, _DUMP, 1, 0) + request)
        while True:
            answer = kernel.recv(1 << 16)
            at = 0
            while at < len(answer):
                length, kind, *_ = _HEAD.unpack_from(answer, at)
                if kind != _BY_FAMILY:
                    return  # It is done, or cannot.
                yield _listener(family, answer, at + _HEAD.size)
                at += (length + 3) & ~3


def _listener(family: int, answer: bytes, at: int) -> Listener:
    """Reads an inet_diag_msg; of a listening socket idiag_wqueue is the backlog, as in Send-Q of `ss -l`."""
    (port,) = struct.unpack_from(">H", answer, at + 4)
    address = socket.inet_ntop(family, answer[at + 8 : at + (12 if family == socket.AF_INET else 24)])
    (backlog,) = struct.unpack_from("=I", answer, at + 60)
    return Listener(address, port, backlog)


def backlog(addresses: set[str], port: int) -> int | None:
    """The shortest backlog of those that listen at one of these addresses; None if none is seen."""
    return min((one.backlog for one in listeners() if one.port == port and one.address in addresses), default=None)


def most_backlog(proc: Path = PROC) -> int | None:
    """net.core.somaxconn: no backlog in this namespace is longer."""
    with suppress(OSError, ValueError):
        return int((proc / "sys/net/core/somaxconn").read_text())
    return None


def counters(proc: Path = PROC) -> dict[str, int]:
    """What happened to connections of this namespace since it was made; without those that are not told.

    Source: Linux, Documentation/networking/snmp_counter.rst.
    """
    told: dict[str, str] = {}
    with suppress(OSError):
        lines = [line.split() for line in (proc / "net/netstat").read_text().splitlines()]
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            if names[:1] == ["TcpExt:"]:
                told = dict(zip(names, values, strict=False))
    return {column: int(told[name]) for column, name in COUNTERS.items() if told.get(name, "").isdigit()}
