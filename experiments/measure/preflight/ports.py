"""Whether this machine has enough ports for the connections that a run holds or opens."""

from __future__ import annotations

from pathlib import Path

from experiments.errors import ParameterError
from experiments.scenario import Scenario, is_loopback

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TIME_WAIT_S = 60
"""How long Linux keeps the port of a connection that this side has closed. Source: TCP_TIMEWAIT_LEN, include/net/tcp.h.
On loopback it is free again after about a second (`tcp_tw_reuse`), so that nothing need be refused there."""


def allow(scenario: Scenario) -> None:
    """Refuses what needs more ports than a single pair of addresses has.

    Raises:
        ParameterError: says how many there are, and what to ask for instead.
    """
    there = _ports()
    if scenario.clients > there:
        raise ParameterError(
            f"{scenario.clients:,} connections to one address need as many ports, and this machine has {there:,} "
            f"({_RANGE}): ask for fewer clients, or widen that range."
        )
    opened_s = 0.0 if scenario.keep_alive else scenario.plan.polls_per_s
    local = not scenario.server_url or is_loopback(scenario.server_url)
    if not local and opened_s * _TIME_WAIT_S > there:
        raise ParameterError(
            f"{opened_s:,.0f} new connections/s to another machine need {opened_s * _TIME_WAIT_S:,.0f} ports, since each "
            f"is taken for {_TIME_WAIT_S} s, and there are {there:,}: use keep_alive=True, or ask for less."
        )


def _ports() -> int:
    """How many ports outgoing connections may have; all of them where nobody says."""
    try:
        low, high = map(int, _RANGE.read_text().split())
    except (OSError, ValueError):
        return 2**16
    return high - low + 1
