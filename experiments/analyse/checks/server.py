"""Was it the server that answered, and the same one from beginning to end?

Evidence -> one check a function. A server that fails or dies is a result and makes no run invalid;
what can make one suspect is that its own counts are gone, so that nothing vouches for ours.

Nothing is graded here, so no limit had to be set. Seen in each of 5 honest runs: 11,000 <= 11,000 <= 11,000, and the same
worker. A server or a worker that was replaced left a count unknown and a new process, each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analyse.checks.evidence import Check, Evidence, Status, not_applicable, served_by_all

_OF_INTERMEDIARIES = ("age", "via", "x-cache")
"""Headers that proxies and caches add. Source: RFC 9110, 7.6.3 (Via), RFC 9111, 5.1 (Age); X-Cache is a custom of many."""


def intermediary(headers: Mapping[str, Mapping[str, str]]) -> str | None:
    """The headers by which a proxy or cache made itself known, such as "Via: 1.1 varnish"; None where none did.

    Args:
        headers: of an answer, by endpoint, names in lower case.
    """
    said = {name: value for each in headers.values() for name, value in each.items() if name in _OF_INTERMEDIARIES}
    return ", ".join(f"{name.title()}: {value}" for name, value in said.items()) or None


def _cannot_tell(evidence: Evidence) -> str:
    named = intermediary(evidence.server.get("headers") or {})
    through = (
        f"a proxy or cache stands in front of it (its answers carry {named})"
        if named
        else "it runs on another machine, in a container, or behind a proxy or balancer"
    )
    return f"Cannot tell: the numbers of the server's processes are not those of processes seen from here, as {through}."


def served(evidence: Evidence) -> Check:
    """Answered <= served by the workers <= attempts, warm-up included: three parties count, and must agree.

    The server may have served what no device waited for any longer, and a device may have sent what
    never reached the server; the other way round is impossible.
    """
    name, limit = "served", "answered <= served <= attempts"
    workers = evidence.server.get("workers") or []
    answered = int((evidence.rows["status"] > 0).sum())
    metrics = evidence.server.get("metrics") or {}
    if metrics.get("counter"):
        return _by_metrics(evidence, metrics, answered)
    if not workers:
        return not_applicable(name, _uncounted(evidence))
    total = served_by_all(evidence.server)
    if total is None and not evidence.workers_seen:
        return not_applicable(name, _cannot_tell(evidence))
    if total is None:
        why = str(evidence.server.get("died") or "a worker did not answer before and after the run").rstrip(".")
        meaning = (
            f"The server's own count is not whole ({why}), so nothing vouches for the answers that were counted here. "
            "The figures may well be right; measure again with a server that lives to the end to be sure."
        )
        return Check(name, "suspect", f"{answered:,} answered, served unknown", limit, meaning)
    if any("attempts" not in item for item in evidence.instances):
        return not_applicable(name, "A generator ended before it had given its counts.")
    attempts = sum(int(item["attempts"]) for item in evidence.instances)
    if not answered <= total <= attempts and not evidence.workers_seen:
        return not_applicable(name, _cannot_tell(evidence))
    named = intermediary(evidence.server.get("headers") or {})
    status, meaning = _judge_counts(answered, total, attempts, named)
    return Check(name, status, f"{answered:,} <= {total:,} <= {attempts:,}", limit, meaning)


def _uncounted(evidence: Evidence) -> str:
    """What it costs that a server counts nothing."""
    named = intermediary(evidence.server.get("headers") or {})
    through = f" Its answers came through a proxy or cache: they carry {named}." if named else ""
    return (
        f"The server does not count what it serves (it has no /health of ours).{through} So nothing proves that no cache "
        "answered for it. A target names a counter of the server's own with metrics_url and metrics_requests."
    )


def _by_metrics(evidence: Evidence, metrics: Mapping[str, Any], answered: int) -> Check:
    """The same by the server's own counter, which may have counted the questions after it too."""
    name, limit = "served", "answered <= counted <= attempts and questions"
    total = metrics.get("served")
    if total is None or total < 0:
        why = "it was not told before and after the load" if total is None else "it went back: the server began anew"
        meaning = (
            f"The server's own counter {metrics['counter']} is not whole ({why}), so nothing vouches for the answers that "
            "were counted here. Measure again with a server that lives to the end to be sure."
        )
        return Check(name, "suspect", f"{answered:,} answered, counted unknown", limit, meaning)
    if any("attempts" not in item for item in evidence.instances):
        return not_applicable(name, "A generator ended before it had given its counts.")
    attempts = sum(int(item["attempts"]) for item in evidence.instances)
    questions = int(metrics.get("asked") or 0)
    named = intermediary(evidence.server.get("headers") or {})
    status, meaning = _judge_counts(answered, total, attempts + questions, named)
    return Check(name, status, f"{answered:,} <= {total:,} <= {attempts:,} + {questions:,}", limit, meaning)


def _judge_counts(answered: int, total: int, attempts: int, named: str | None) -> tuple[Status, str]:
    if answered > total:
        who = f"the proxy or cache whose {named} stands in the answers" if named else "another process on the port"
        return "invalid", (
            f"More answers came than the server gave, so somebody else answered some of them: {who}. Make sure that only "
            "the server under test can answer, and measure again."
        )
    if total > attempts:
        return "suspect", (
            "The server served more requests than were sent from here, so somebody else polled it meanwhile. Measure "
            "again with the server to yourself."
        )
    return "valid", "The server's own count agrees with what was sent and answered."


def workers(evidence: Evidence) -> Check:
    """The workers that answered before the load are those that answer after it.

    A worker that its own supervisor replaced and one that somebody killed look alike from here; both
    take their count along. A stranger on the server's port, outside the processes that were started,
    is told apart.
    """
    name, limit = "workers", "the same processes from beginning to end"
    seen = evidence.server.get("workers") or []
    if not seen:
        return _listeners(evidence, name, limit)
    if not evidence.workers_seen:
        return not_applicable(name, _cannot_tell(evidence))
    before = {worker["pid"] for worker in seen if worker.get("served_before") is not None}
    new = {worker["pid"] for worker in seen} - before
    at_end = set(evidence.server.get("worker_pids_at_end") or [])
    figure = f"{len(before)} before, {len(before & at_end)} of them at the end, {len(new)} new"
    if evidence.server.get("started_by_lab") and new - at_end:
        meaning = (
            "A process that was not started for this run answers on the server's port, so the figures are of two "
            "servers. Find out what else listens there, and measure again."
        )
        return Check(name, "invalid", figure, limit, meaning)
    if evidence.server.get("died") and not new:
        meaning = "The server ended by itself during the run, which is a result; no other took its place."
        return Check(name, "valid", figure, limit, meaning)
    if before != at_end or new:
        meaning = (
            "Workers were replaced during the run, and the count of those that are gone went with them. Look into "
            "server.log for the reason; if the server itself is at fault, that is a result."
        )
        return Check(name, "suspect", figure, limit, meaning)
    return Check(name, "valid", figure, limit, "The same processes answered from beginning to end.")


def _listeners(evidence: Evidence, name: str, limit: str) -> Check:
    """The same of a server that does not say who answers, by who listens on its port, where that can be seen."""
    looks = [{*pids} for pids in evidence.server.get("listeners") or []]
    if len(looks) < 2 or not looks[0]:
        return not_applicable(name, "The server does not say which processes answer.")
    before, after = looks[0], looks[-1]
    figure = f"{len(before)} listened before, {len(before & after)} of them at the end, {len(after - before)} new"
    if evidence.server.get("died") and not after - before:
        meaning = "The server ended by itself during the run, which is a result; no other took its place."
        return Check(name, "valid", figure, limit, meaning)
    if before != after:
        meaning = (
            "The processes that listen on the server's port were replaced during the run. Look into the server's log for "
            "the reason; if the server itself is at fault, that is a result."
        )
        return Check(name, "suspect", figure, limit, meaning)
    return Check(name, "valid", figure, limit, "The same processes listened on the server's port from beginning to end.")
