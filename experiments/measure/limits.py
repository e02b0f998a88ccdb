"""What a machine allows a swarm: open files of a process, and ports of an address.

What a run needs in; nothing, or one sentence that names the limit and how many of what would do, out. Changes nothing but
this process's own limit of open files, which processes started later inherit.
"""

from __future__ import annotations

import math
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from experiments.errors import ParameterError
from experiments.measure.engines import sources
from experiments.parts import Load, Parts
from experiments.scenario import is_loopback
from server import catalogue

SPARE_FILES = 100
"""Open files of a process besides its connections: libraries, pipes, logs, the event loop."""
_TIME_WAIT_S = 60
"""How long Linux keeps the port of a connection that this side has closed. Source: TCP_TIMEWAIT_LEN, include/net/tcp.h.
On loopback it is free again after about a second (`tcp_tw_reuse`), so that nothing need be refused there."""
_SPREAD = 5
"""Standard deviations by which a worker may have more than its share, where chance deals connections out: one run of a
million would have a worker with more."""


@dataclass(frozen=True)
class Need:
    """The files of one process."""

    files: int
    who: str = "this run"
    parameter: str = ""
    """That divides its connections among more processes; empty where none does."""
    connections: int = 0
    """That are divided."""

    def refusal(self, allowed: int) -> str:
        """Says so, and what to ask for where a process may open no more than that."""
        room = max(1, allowed - SPARE_FILES)
        if self.parameter == "workers":
            room = max(1, int(room - _SPREAD * math.sqrt(room)))
        fewer = f"{self.parameter}={-(-self.connections // room)}" if self.parameter else f"at most {room:,} clients"
        return f"{self.who} needs {self.files:,} open files in one process: ask for {fewer}"


def needs(parts: Parts, url: str) -> list[Need]:
    """Most files that a generator, and a process of the server, have open here: a connection each device.

    Args:
        url: of a server that runs already; empty for one that is started here.
    """
    clients, engine, server = parts.load.clients, parts.engine, parts.server
    found = []
    if not engine.on_other_machines:
        each = 2 if engine.name == "threads" else 1  # A connection to Redis as well.
        shard = each * -(-clients // engine.processes)
        name = "generators" if engine.generators else ""
        found.append(Need(shard + SPARE_FILES, "each generator", name, each * clients))
    if not url:
        system = catalogue.SYSTEMS.get(server.name) if server.is_hello else None
        if system is not None and system.spreads:
            share = clients / server.workers
            most = min(clients, math.ceil(share + _SPREAD * math.sqrt(share)))
            found.append(Need(most + SPARE_FILES, "each worker of the server", "workers", clients))
        else:
            found.append(Need(clients + SPARE_FILES, "the server", "", clients))
    return found


def allow_files(asked: Sequence[Need]) -> None:
    """Raises this process's limit of open files to what is needed, the hard one too where it may.

    Raises:
        ParameterError: it may not; says so of each that needs more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max((need.files for need in asked), default=0)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard if hard == resource.RLIM_INFINITY else max(hard, most)))
    except (ValueError, OSError):  # Only a privileged process may raise the hard one.
        refused = "; ".join(need.refusal(hard) for need in asked if need.files > hard)
        raise ParameterError(
            f"this machine allows a process {hard:,} open files. {refused[:1].upper()}{refused[1:]}. Or raise that limit "
            f"(ulimit -Hn {most})."
        ) from None


def check_ports(load: Load, url: str, polls_per_s: float, given: tuple[str, ...], *, own_connections: bool) -> None:
    """Refuses what needs more ports than the addresses have that the devices connect from.

    Args:
        url: of the server; empty for one that is started here.
        polls_per_s: of all devices.
        given: the addresses that were asked for; empty where the lab chooses.
        own_connections: whether the engine can be told where to connect from.

    Raises:
        ParameterError: says how many there are, and what to ask for instead.
    """
    host = urlsplit(url).hostname or "127.0.0.1"
    many = own_connections and sources.has_many("127.0.0.1" if host == "localhost" else host)
    addresses = len(given) or (sources.needed(load.clients) if many else 1)
    if stranger := sources.absent(given):
        raise ParameterError(
            f"source_addresses: {stranger} is no address of this machine: give it to an interface (ip address add), or "
            "leave it out."
        )
    if sources.needed(load.clients) > addresses:
        raise ParameterError(sources.too_few(load.clients, addresses, can_bind=own_connections))
    there = addresses * sources.ports()
    opened_s = 0.0 if load.keep_alive else polls_per_s
    if url and not is_loopback(url) and opened_s * _TIME_WAIT_S > there:
        raise ParameterError(
            f"{opened_s:,.0f} new connections/s to another machine need {opened_s * _TIME_WAIT_S:,.0f} ports, since each "
            f"is taken for {_TIME_WAIT_S} s, and there are {there:,}: use keep_alive=True, ask for less, or give "
            f"{sources.needed(math.ceil(opened_s * _TIME_WAIT_S))} addresses of this machine with source_addresses."
        )
