"""Was the machine left alone? What others took of it is in the figures too.

Evidence -> one finding a function. Neither makes a run invalid: what harm they did shows in the lag.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from experiments.analyse.checks.evidence import Evidence, Found, percentage, unknown
from experiments.analyse.checks.limits import OTHERS_FEW_CORES, OTHERS_MANY_CORES, OTHERS_OF_UNUSED, QUIET_CORES, STEAL


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

    (Where the kernel accounts for interrupts apart, the network's own share, some 15 us per poll, is counted among the
    others.)
    """
    costs = evidence.costs
    if costs.others_cores is None or costs.busy_cores is None:
        return unknown("no_samples")
    if costs.server_cores is None and _on_this_machine(evidence):
        return unknown("server_unseen", why=evidence.server.get("unseen") or "its processes were not sampled")
    cores = int(evidence.record.facts.get("environment", {}).get("cores") or 1)
    unused = max(0.0, cores - costs.busy_cores + costs.others_cores)
    limit = min(max(OTHERS_FEW_CORES.valid_to, OTHERS_OF_UNUSED.valid_to * unused), OTHERS_MANY_CORES.valid_to)
    kind = "busy" if costs.others_cores > limit else "quiet" if costs.others_cores < QUIET_CORES else "little"
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
