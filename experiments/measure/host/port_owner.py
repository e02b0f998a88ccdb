"""Who listens at an address, among the processes of this machine: a server that somebody else started can then be sampled.

A host and a port in; process ids out, or the reason why there are none. Reads /proc, nothing else; asked once, before the
load. A process counts if it holds a socket that listens there, so workers that share one all count.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import psutil

PROC = Path("/proc")
_LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp; include/net/tcp_states.h."""
ANY = {"0.0.0.0", "::"}
"""A socket that listens at all addresses shows one of these."""
_FORWARDERS = {"docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta", "ssh", "sshd", "kubectl"}
"""What listens for a server that is somewhere else: its cost says nothing of the server's."""


@dataclass(frozen=True)
class Owner:
    """Who listens at an address."""

    pids: tuple[int, ...] = ()
    """The processes that do, and can be looked at; their descendants belong to them."""
    name: str = ""
    """What they are called."""
    unseen: str | None = None
    """Why there are none, if so: a sentence without its full stop."""
    here: bool = True
    """Whether the address is one of this machine."""


def find(host: str, port: int, proc: Path = PROC) -> Owner:
    """Looks for the processes that listen at an address."""
    asked = addresses(host)
    if not any(_is_here(address) for address in asked):
        return Owner(unseen="the server is not on this machine", here=False)
    if not (proc / "net" / "tcp").exists():
        pids = tuple(sorted(listeners(list(psutil.process_iter()), port)))
        unseen = "this platform does not tell which process listens on that port"
        return Owner(pids, _names(pids, proc)) if pids else Owner(unseen=unseen)
    sockets = [one for one in _listening(proc) if one.port == port and one.address in asked | ANY]
    if not sockets:
        return Owner(
            unseen=f"nothing that can be seen from here listens on port {port}: the server is in a container, or in another "
            "network namespace"
        )
    return _judged(_holders({one.inode for one in sockets}, proc), port, {one.uid for one in sockets}, proc)


def _judged(pids: list[int], port: int, users: set[int], proc: Path) -> Owner:
    if not pids:
        if os.getuid() and users != {os.getuid()}:
            return Owner(
                unseen=f"what listens on port {port} belongs to another user, whose processes this one may not look at: "
                "run the lab as that user, or as root"
            )
        return Owner(
            unseen=f"the process that listens on port {port} cannot be seen from here: it is in another container, or the "
            "lab is in one"
        )
    if forwarders := [pid for pid in pids if _name(pid, proc) in _FORWARDERS]:
        return Owner(
            unseen=f"what listens on port {port} is {_names(forwarders, proc)}, which hands requests on: the server "
            "itself is somewhere else"
        )
    if {os.getpid(), *_ancestors(os.getpid())} & set(pids):
        return Owner(
            unseen=f"what listens on port {port} is the process that runs the experiment, or one that started it, so that "
            "their costs cannot be told apart"
        )
    return Owner(tuple(pids), _names(pids, proc))


def named(path: Path, proc: Path = PROC) -> Owner:
    """The process whose number stands in a file, as daemons write it."""
    try:
        pid = int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return Owner(unseen=f"there is no number of a process in pid_file {path.name}")
    if not psutil.pid_exists(pid):
        return Owner(unseen=f"pid_file {path.name} names process {pid}, which is not there")
    return Owner((pid,), _names((pid,), proc))


def answering(owner: Owner, told: set[int], port: int, proc: Path = PROC) -> Owner:
    """The same owner, unless its processes are not those that answer.

    Args:
        told: the process ids that answers gave of themselves, which may be numbers within a container; empty if none did.
    """
    if not owner.pids or not told or told & set(_numbers(owner.pids, proc)):
        return owner
    return Owner(
        unseen=f"what listens on port {port} ({owner.name}) is not what answers: it hands requests on, and the server "
        "itself cannot be told from here"
    )


def _names(pids: Iterable[int], proc: Path) -> str:
    return " and ".join(sorted({_name(pid, proc) for pid in pids}))


def _name(pid: int, proc: Path) -> str:
    """What a process is called."""
    try:
        return (proc / str(pid) / "comm").read_text(errors="replace").strip()
    except OSError:
        return str(pid)  # It is gone, or this is no Linux.


def _is_here(address: str) -> bool:
    """Whether it is an address of this machine, in this network namespace."""
    own = {one.address.partition("%")[0] for card in psutil.net_if_addrs().values() for one in card}
    return ip_address(address).is_loopback or address in own


def addresses(host: str) -> set[str]:
    """Those of a host, also as an IPv6 socket shows them."""
    with suppress(OSError):
        found = {str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        return found | {f"::ffff:{one}" for one in found if ":" not in one}
    return set()


@dataclass(frozen=True)
class _Socket:
    address: str
    port: int
    uid: int
    inode: str


def _listening(proc: Path) -> Iterator[_Socket]:
    """The listening TCP sockets of this network namespace. Source: Documentation/networking/proc_net_tcp.rst."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN:
                address, _, port = fields[1].partition(":")
                yield _Socket(_address(address), int(port, 16), int(fields[7]), fields[9])


def _address(text: str) -> str:
    """Words of 32 bits, each in the machine's own byte order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words))


def _holders(inodes: set[str], proc: Path) -> list[int]:
    """The processes that hold one of these sockets, as far as they may be looked at."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found = []
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if any(_target(link) in wanted for link in (folder / "fd").iterdir()):
                    found.append(int(folder.name))
    return sorted(found)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""  # Closed meanwhile.


def _ancestors(pid: int) -> list[int]:
    with suppress(psutil.Error):
        return [parent.pid for parent in psutil.Process(pid).parents()]
    return []


def _numbers(pids: tuple[int, ...], proc: Path) -> Iterator[int]:
    """The numbers of these processes and their descendants, here and within containers. Source: NSpid in proc(5)."""
    for pid in pids:
        family = [pid]
        with suppress(psutil.Error):
            family += [child.pid for child in psutil.Process(pid).children(recursive=True)]
        for one in family:
            yield one
            with suppress(OSError):
                for line in (proc / str(one) / "status").read_text().splitlines():
                    if line.startswith("NSpid:"):
                        yield from map(int, line.split()[1:])


def listeners(processes: list[psutil.Process], port: int) -> dict[int, int]:
    """Those that listen on a port, with their parents."""
    parents = {}
    for process in processes:
        with suppress(psutil.Error):
            sockets = process.net_connections("tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets):
                parents[process.pid] = process.ppid()
    return parents
