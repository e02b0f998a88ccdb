"""What larger fleets take: arithmetic from the figures of this machine, with every assumption written out.

Nothing here was measured at that size. A range spans what is known not to be known: its lower end has every loop busy all
the time, its upper end pays for falling asleep and waking up with every poll.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.predict.demand import Demand, bulk_share
from experiments.scenario import Scenario

SIZES = (10_000, 100_000, 1_000_000)
FULL = 0.7
"""Share of a core that is planned for: what bursts and a lost machine need is left free."""
HEAD_BYTES = 400
"""Headers and framing of a poll, both directions. Source: uvicorn answers with 135 bytes of headers, a device asks with some
90, and 66 bytes of Ethernet, IP and TCP go with each of the packets of a small exchange."""
FRAMING = 66 / 1448
"""Framing of long bodies, a byte: 66 bytes with every full packet of 1,448."""
PORTS = 28_232
"""Connections from one address to one server address. Source: the kernel's default ip_local_port_range."""

Range = tuple[float, float]
"""From - to."""


@dataclass(frozen=True)
class Memory:
    """Resident memory of the server as a line through the cells."""

    base_bytes: float
    """Of all workers, without devices."""
    device_bytes: float
    """A device more; at least 0."""


@dataclass(frozen=True)
class Fleet:
    """What so many devices take."""

    clients: int
    polls_per_s: float
    network_bits_per_s: float
    server_cores: Range
    memory_bytes: float | None
    generator_cores: Range
    generator_machines: Range
    """Of this machine's kind, each with all its cores for generators."""
    generator_addresses: int
    """Client addresses that one server address needs, for want of ports."""


ASSUMPTIONS = (
    "A poll costs the processor time that it cost here; real networks, TLS and real handlers cost more.",
    "Cores add up: workers do not wait for one another. Where the law above finds contention or coherency, they do not.",
    f"A core is planned to be busy {100 * FULL:.0f} % of the time; the lower figure has loops always busy, the upper one "
    "lets them sleep before every poll.",
    "Memory grows with connections along the line through the cells above; what the system keeps for sockets is not in it.",
    f"{HEAD_BYTES} bytes of headers and framing come with every poll, and {100 * FRAMING:.1f} % on top of the bodies.",
    "Devices poll at random phases. After a power cut all poll at once, which takes many times as much for a moment.",
    "Generator machines are like this one, with nothing else on them.",
)


def memory(cells: Sequence[tuple[int, int]]) -> Memory | None:
    """The line through (devices, resident bytes) of cells with one number of workers; None for fewer than two sizes."""
    if len({clients for clients, _ in cells}) < 2:
        return None
    mean_x = sum(clients for clients, _ in cells) / len(cells)
    mean_y = sum(rss for _, rss in cells) / len(cells)
    spread = sum((clients - mean_x) ** 2 for clients, _ in cells)
    slope = max(0.0, sum((clients - mean_x) * (rss - mean_y) for clients, rss in cells) / spread)
    return Memory(mean_y - slope * mean_x, slope)


def extrapolate(
    scenario: Scenario, clients: int, server: Demand, generator: Demand, held: Memory | None, cores: int
) -> Fleet:
    """What `clients` devices take that poll as the scenario's do.

    Args:
        held: the server's memory, for the scenario's workers; None where it is unknown.
        cores: of this machine.
    """
    plan = scenario.model_copy(update={"clients": clients}).plan
    rate = plan.polls_per_s
    bulk = bulk_share(plan)
    body = (1 - bulk) * scenario.status_bytes + bulk * scenario.bulk_bytes
    servers = _cores(rate, server, bulk, wakes=1)
    generators = _cores(rate, generator, bulk, wakes=2)
    workers = servers[1] / scenario.workers
    return Fleet(
        clients=clients,
        polls_per_s=rate,
        network_bits_per_s=8 * rate * (body * (1 + FRAMING) + HEAD_BYTES),
        server_cores=servers,
        memory_bytes=None if held is None else held.base_bytes * max(1.0, workers) + held.device_bytes * clients,
        generator_cores=generators,
        generator_machines=(math.ceil(generators[0] / max(1, cores)), math.ceil(generators[1] / max(1, cores))),
        generator_addresses=math.ceil(clients / PORTS),
    )


def _cores(rate: float, side: Demand, bulk_share: float, wakes: int) -> Range:
    busy = side.mean_s(bulk_share)
    return rate * busy / FULL, rate * (busy + wakes * side.wake_s) / FULL
