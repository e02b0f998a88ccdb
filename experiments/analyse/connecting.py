"""Connections that took long to be made since their first packet was dropped: a server's full queue, or a lossy network.

Prepared polls and samples -> counts. A device cannot tell a slow server from a packet that has to be sent again; the kernel
can, and its pauses are always the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from experiments.analyse.resources import Costs

RESENT_AFTER_S = (1, 2, 3, 4, 5, 7, 11, 15, 19, 31)
"""When Linux sends a first packet (SYN) again: 1, 3, 7, 15, 31 s after it, and from 6.5 on (`tcp_syn_linear_timeouts`) 1, 2,
3, 4, 5, 7, 11, 19 s. Source: TCP_TIMEOUT_INIT of 1 s, doubled; Linux, Documentation/networking/ip-sysctl.rst."""
_BEFORE_S, _AFTER_S = 0.02, 0.3
"""Timers of the kernel are late, hardly ever early; what comes after is the way there and back."""


@dataclass(frozen=True)
class Connecting:
    """What became of first packets within the window."""

    resent: dict[int, int]
    """Whole seconds after which a first packet is sent again -> polls whose connection took about so long."""
    syn_retransmits: float | None
    """First packets sent again, by all programs of this network namespace; null where the kernel does not tell."""
    listen_overflows: float | None
    """Times that the queue of a listening socket of this namespace was full."""
    listen_drops: float | None
    """First packets, or last ones of opening a connection, that were dropped for that or another reason."""


class SentAgain:
    """Polls of the window whose connection took as long as if its first packet had been sent again, batch by batch."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(RESENT_AFTER_S, 0)

    def add(self, polls: pl.DataFrame) -> None:
        """Looks at a batch of measured polls."""
        # One that was given up says how long the timeout is, and no more.
        long = (pl.col("connect_s") >= RESENT_AFTER_S[0] - _BEFORE_S) & (pl.col("outcome") != "connect_timeout")
        took = polls.lazy().filter(long).select("connect_s").collect().to_series()
        for second in RESENT_AFTER_S if len(took) else ():
            self._counts[second] += int(took.is_between(second - _BEFORE_S, second + _AFTER_S).sum())

    def connecting(self, costs: Costs) -> Connecting:
        """What came of all batches, and what the kernel counted."""
        resent = {second: number for second, number in self._counts.items() if number}
        counted = {name: costs.network.get(name) for name in ("syn_retransmits", "listen_overflows", "listen_drops")}
        return Connecting(resent, **counted)
