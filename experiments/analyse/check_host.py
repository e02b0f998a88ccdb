"""Was the machine left alone? What others took of it is in the figures too.

Evidence -> one finding a function. Neither makes a run invalid: what harm they did shows in the lag.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from experiments.analyse.evidence import Evidence, Found, percentage, unknown
from experiments.analyse.limits import STEAL

_FEW_CORES_LIMIT, _MANY_CORES_LIMIT = 0.25, 0.5
_SHARE_OF_UNUSED = 0.1
_QUIET_CORES = 0.05


def host_steal(evidence: Evidence) -> Found:
    """Time that the hypervisor gave to other machines, as a share of all cores' time."""
    costs = evidence.costs
    cores = int(evidence.record.facts.get("environment", {}).get("cores") or 0)
    if costs.steal_cores is None or not cores:
        return unknown("untold")
    share = max(0.0, costs.steal_cores) / cores
    valid = share < STEAL.valid_to
    return Found(
        kind="own" if valid else "stolen",
        status="valid" if valid else "suspect",
        figure=percentage(share),
        limit=f"below {100 * STEAL.valid_to:g} % valid, from there suspect",
        of_limit=share / STEAL.valid_to,
    )


def competitors(evidence: Evidence) -> Found:
    """CPU used by processes that are neither server, generator, database nor this kernel, in cores.

    Below 5 % of a core the machine is called quiet. A single busy thread anywhere may sit on the core
    of server or generator, which a mean over cores cannot tell; so one thread that is busy half of
    the time is too much on any machine, and a quarter of the time on one with few cores, where the
    scheduler has nowhere to put it: 10 % of what is left unused, but at least 0.25 and at most 0.5.
    (Where the kernel accounts for interrupts apart, the network's own share, some 15 us a poll,
    is counted among the others.)

    Seen: with 0.7 to 0.95 cores of others 4 honest runs had a lag p99 of 3.9 to 4.75 ms, where a quiet machine has 0.37 ms;
    with 1.3 to 1.5 cores two runs with known answers were up to 5.2 ms off. A busy loop on the generator's core is one
    core, 1.47 and 1.51 with what others did meanwhile.
    """
    costs = evidence.costs
    if costs.others_cores is None or costs.busy_cores is None:
        return unknown("no_samples")
    if costs.server_cores is None and _on_this_machine(evidence):
        return unknown("server_unseen", why=evidence.server.get("unseen") or "its processes were not sampled")
    cores = int(evidence.record.facts.get("environment", {}).get("cores") or 1)
    unused = max(0.0, cores - costs.busy_cores + costs.others_cores)
    limit = min(max(_FEW_CORES_LIMIT, _SHARE_OF_UNUSED * unused), _MANY_CORES_LIMIT)
    kind = "busy" if costs.others_cores > limit else "quiet" if costs.others_cores < _QUIET_CORES else "little"
    return Found(
        kind=kind,
        status="suspect" if kind == "busy" else "valid",
        figure=f"{costs.others_cores:.2f} cores",
        limit=f"up to {limit:.2f} cores valid, above suspect",
        of_limit=costs.others_cores / limit,
    )


def _on_this_machine(evidence: Evidence) -> bool:
    """As the record says; one of an older lab by the name of the host."""
    if "on_this_machine" in evidence.server:
        return bool(evidence.server["on_this_machine"])
    host = urlsplit(str(evidence.server.get("url", ""))).hostname or "localhost"
    return host in {"localhost", "::1"} or host.startswith("127.")
