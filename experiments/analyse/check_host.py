"""Was the machine left alone? What others took of it is in the figures too.

Evidence -> one check a function. Neither makes a run invalid: what harm they did shows in the lag.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from experiments.analyse.evidence import Check, Evidence, Status, not_applicable, percentage

_FEW_CORES_LIMIT, _MANY_CORES_LIMIT = 0.25, 0.5
_SHARE_OF_UNUSED = 0.1


def host_steal(evidence: Evidence) -> Check:
    """Time that the hypervisor gave to other machines, as a share of all cores' time.

    From 1 % on the machine is not called quiet: on two cores that is 20 ms in each second in which
    server or generator may have stood still without knowing.

    Seen: 0 to 7.4 % in one hour on one virtual machine. With 1.8 to 3.7 % two of three runs with known answers were up to
    4.8 ms off at p99, all counts exact. No lie can be told here, since nobody inside a machine can steal from it.
    """
    name, costs = "host_steal", evidence.costs
    cores = int(evidence.record.facts.get("environment", {}).get("cores") or 0)
    if costs.steal_cores is None or not cores:
        return not_applicable(name, "This machine does not tell.")
    share = max(0.0, costs.steal_cores) / cores
    status: Status = "valid" if share < 0.01 else "suspect"
    meaning = (
        "The machine's processors were its own."
        if status == "valid"
        else "Another virtual machine took processor time away, which lengthens times of server and generator "
        "alike. Measure again when the host is quieter, or on a machine of your own."
    )
    return Check(name, status, percentage(share), "below 1 % valid, from there suspect", meaning, share / 0.01)


def competitors(evidence: Evidence) -> Check:
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
    name, costs = "competitors", evidence.costs
    if costs.others_cores is None or costs.busy_cores is None:
        return not_applicable(name, "There are no samples of what the machine did.")
    if costs.server_cores is None and _on_this_machine(evidence):
        why = evidence.server.get("unseen") or "its processes were not sampled"
        return not_applicable(name, f"The server could not be told from others on this machine: {why}.")
    cores = int(evidence.record.facts.get("environment", {}).get("cores") or 1)
    unused = max(0.0, cores - costs.busy_cores + costs.others_cores)
    limit = min(max(_FEW_CORES_LIMIT, _SHARE_OF_UNUSED * unused), _MANY_CORES_LIMIT)
    status: Status = "valid" if costs.others_cores <= limit else "suspect"
    quiet = "The machine was quiet." if costs.others_cores < 0.05 else "Other programs took little."
    meaning = (
        quiet
        if status == "valid"
        else "Other programs used the processors meanwhile, and server or generator may have waited for them. "
        "Close them (browsers, builds, indexers), and measure again."
    )
    figure, allowed = f"{costs.others_cores:.2f} cores", f"up to {limit:.2f} cores valid, above suspect"
    return Check(name, status, figure, allowed, meaning, costs.others_cores / limit)


def _on_this_machine(evidence: Evidence) -> bool:
    """As the record says; one of an older lab by the name of the host."""
    if "on_this_machine" in evidence.server:
        return bool(evidence.server["on_this_machine"])
    host = urlsplit(str(evidence.server.get("url", ""))).hostname or "localhost"
    return host in {"localhost", "::1"} or host.startswith("127.")
