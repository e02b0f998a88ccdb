"""What held a run back besides the server's own work: what it may use, its CPU quota, its queue of new connections.

A summary in, sentences for the top and rows for the table of costs out. What an older record does not hold is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present.format import count, number, percent, plain, plural, significant, size


def sentences(summary: Mapping[str, Any]) -> list[str]:
    """What must be known before the times are read; none where nothing held the run back."""
    return [*_held_back(summary), *_dropped(summary.get("connecting") or {})]


def rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """What the server may use and what its quota did, for the table of costs."""
    server = summary["server"]
    may_use, throttled = server.get("may_use") or {}, server.get("throttled")
    said = []
    if may_use.get("cores"):
        by = " (CPU quota)" if may_use["quota_cores"] == may_use["cores"] else ""
        said.append(["server", "processor cores that it may use", f"{_cores(may_use['cores'])}{by}"])
    if may_use.get("memory_bytes"):
        said.append(["server", "memory that it may use", size(may_use["memory_bytes"])])
    if throttled:
        said.append(["server", "held back by its CPU quota", _periods(throttled)])
    if throttled := summary["generator"].get("throttled"):
        said.append(["generator", "held back by a CPU quota", _periods(throttled)])
    return said


def _held_back(summary: Mapping[str, Any]) -> list[str]:
    server, ours = summary["server"], summary["generator"].get("throttled")
    may_use, throttled = server.get("may_use") or {}, server.get("throttled")
    said = []
    quota = _cores(may_use.get("quota_cores"))
    if throttled and throttled["throttled_periods"]:
        shared = "; the lab is held to the same quota" if may_use.get("quota_shared_with_lab") else ""
        said.append(
            f"The server was held back by its CPU quota of {quota}{shared}: it was used up in "
            f"{_periods(throttled)}. Response and latency hold these waits too."
        )
    if ours and ours["throttled_periods"] and not (throttled and may_use.get("quota_shared_with_lab")):
        said.append(f"The lab, generators included, was held back by a CPU quota: it was used up in {_periods(ours)}.")
    return said


def _cores(quota: float | None) -> str:
    return "less" if quota is None else f"{plain(significant(quota))} {'core' if quota == 1 else 'cores'}"


def _periods(throttled: Mapping[str, float]) -> str:
    part, whole = throttled["throttled_periods"], throttled["periods"]
    return (
        f"{count(part)} of {plural(round(whole), 'period')} ({percent(part, whole)}), "
        f"{number(throttled['seconds'])} s in all, each processor counted"
    )


def _dropped(connecting: Mapping[str, Any]) -> list[str]:
    """Whether connections had to be asked for more than once, and by whose fault, as far as it can be told."""
    resent = connecting.get("resent") or {}
    overflows = connecting.get("listen_overflows") or connecting.get("listen_drops")
    again = connecting.get("syn_retransmits")
    said = []
    if resent:
        waits = ", ".join(f"{plural(polls, 'poll')} about {seconds} s" for seconds, polls in resent.items())
        said.append(
            f"Connections took as long as a first packet (SYN) that is dropped and sent again: {waits}. These seconds are "
            "in response and latency, and are no working time of the server."
        )
    counted = [f"a full queue or a dropped connection {plural(overflows, 'time')}"] if overflows else []
    counted += [f"first packets sent again {plural(again, 'time')}"] if again else []
    if counted:
        backlog = connecting.get("backlog")
        queue = f" At most {plural(backlog, 'connection')} may wait for this server (its backlog)." if backlog else ""
        said.append(
            f"During the window the kernel counted {' and '.join(counted)}, for all programs of this network namespace "
            f"together: new connections came faster than they were accepted, or packets were lost.{queue}"
        )
    return said
