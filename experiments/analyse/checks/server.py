"""Was it the server that answered, and the same one from beginning to end?

Evidence -> one finding a function. A server that fails or dies is a result and makes no run invalid;
what can make one suspect is that its own counts are gone, so that nothing vouches for ours.

Nothing is graded here, so no limit had to be set. Seen in each of 5 positive controls: 11,000 <= 11,000 <= 11,000, and the
same worker. A server or a worker that was replaced left a count unknown and a new process, each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from experiments.analyse.checks.evidence import Evidence, Found, Status, names, number, served_by_all, unknown, worst

_OF_INTERMEDIARIES = ("age", "via", "x-cache")
"""Headers that proxies and caches add. Source: RFC 9110, 7.6.3 (Via), RFC 9111, 5.1 (Age); X-Cache is a custom of many."""


def intermediary(headers: Mapping[str, Mapping[str, str]]) -> str | None:
    """The headers by which a proxy or cache made itself known, such as "Via: 1.1 varnish"; None where none did.

    Args:
        headers: of an answer, by endpoint, names in lower case.
    """
    said = {name: value for each in headers.values() for name, value in each.items() if name in _OF_INTERMEDIARIES}
    return ", ".join(f"{name.title()}: {value}" for name, value in said.items()) or None


def _named(evidence: Evidence) -> str | None:
    return intermediary(evidence.server.get("headers") or {})


def _behind(evidence: Evidence, kind: str) -> str:
    """The kind of a finding, or the same where a proxy or cache made itself known."""
    return f"{kind}_behind" if _named(evidence) else kind


def served(evidence: Evidence) -> Found:
    """Answered <= served by the workers <= attempts, warm-up included: three parties count, and must agree.

    The server may have served what no device waited for any longer, and a device may have sent what
    never reached the server; the other way round is impossible. Of several servers each must, and what
    was answered by one was not sent to another.
    """
    answered = [number(one.all_counts, pl.col("status") > 0) for one in evidence.each]
    return worst(
        [_served(one, others=sum(answered) - count) for one, count in zip(evidence.each, answered, strict=True)],
        names(evidence.record),
    )


def _served(evidence: Evidence, others: int) -> Found:
    """Of one server.

    Args:
        others: answers that came from other servers.
    """
    headers = _named(evidence)
    answered = number(evidence.all_counts, pl.col("status") > 0)
    if (metrics := evidence.server.get("metrics") or {}).get("counter"):
        return _by_metrics(evidence, metrics, answered, others)
    if not evidence.server.get("workers"):
        return unknown(_behind(evidence, "uncounted"), headers=headers)
    limit = "answered <= served <= attempts"
    total = served_by_all(evidence.server)
    if total is None and evidence.workers_seen:
        why = str(evidence.server.get("died") or "a worker did not answer before and after the run").rstrip(".")
        return Found("count_lost", "suspect", f"{answered:,} answered, served unknown", limit, values={"why": why})
    if any("attempts" not in item for item in evidence.instances):
        return unknown("no_attempts")
    attempts = sum(int(item["attempts"]) for item in evidence.instances) - others
    if total is None or (not answered <= total <= attempts and not evidence.workers_seen):
        return unknown(_behind(evidence, "unseen"), headers=headers)
    kind, status = _judge_counts(answered, total, attempts)
    if kind == "more_answered":
        kind = _behind(evidence, kind)
    return Found(kind, status, f"{answered:,} <= {total:,} <= {attempts:,}", limit, values={"headers": headers})


def _by_metrics(evidence: Evidence, metrics: Mapping[str, Any], answered: int, others: int) -> Found:
    """The same by the server's own counter, which may have counted the questions after it too."""
    limit = "answered <= counted <= attempts and questions"
    total, counter = metrics.get("served"), metrics["counter"]
    if total is None or total < 0:
        kind = "counter_lost" if total is None else "counter_back"
        return Found(kind, "suspect", f"{answered:,} answered, counted unknown", limit, values={"counter": counter})
    if any("attempts" not in item for item in evidence.instances):
        return unknown("no_attempts")
    attempts = sum(int(item["attempts"]) for item in evidence.instances) - others
    questions = int(metrics.get("asked") or 0)
    kind, status = _judge_counts(answered, total, attempts + questions)
    if kind == "more_answered":
        kind = _behind(evidence, kind)
    figure = f"{answered:,} <= {total:,} <= {attempts:,} + {questions:,}"
    return Found(kind, status, figure, limit, values={"headers": _named(evidence)})


def _judge_counts(answered: int, total: int, attempts: int) -> tuple[str, Status]:
    if answered > total:
        return "more_answered", "invalid"
    if total > attempts:
        return "more_served", "suspect"
    return "agree", "valid"


def workers(evidence: Evidence) -> Found:
    """The workers that answered before the load are those that answer after it, of each server.

    A worker that its own supervisor replaced and one that somebody killed look alike from here; both
    take their count along. A stranger on the server's port, outside the processes that were started,
    is told apart.
    """
    return worst([_workers(one) for one in evidence.each], names(evidence.record))


def _workers(evidence: Evidence) -> Found:
    seen = evidence.server.get("workers") or []
    if not seen:
        return _listeners(evidence)
    if not evidence.workers_seen:
        return unknown(_behind(evidence, "unseen"), headers=_named(evidence))
    before = {worker["pid"] for worker in seen if worker.get("served_before") is not None}
    new = {worker["pid"] for worker in seen} - before
    at_end = set(evidence.server.get("worker_pids_at_end") or [])
    kind, status = _judge_pids(evidence, before, new, at_end)
    figure = f"{len(before)} before, {len(before & at_end)} of them at the end, {len(new)} new"
    return Found(kind, status, figure, "the same processes from beginning to end")


def _judge_pids(evidence: Evidence, before: set[int], new: set[int], at_end: set[int]) -> tuple[str, Status]:
    if evidence.server.get("started_by_lab") and new - at_end:
        return "stranger", "invalid"
    if evidence.server.get("died") and not new:
        return "died", "valid"
    if before != at_end or new:
        return "replaced", "suspect"
    return "same", "valid"


def _listeners(evidence: Evidence) -> Found:
    """The same of a server that does not say who answers, by who listens on its port, where that can be seen."""
    looks = [{*pids} for pids in evidence.server.get("listeners") or []]
    if len(looks) < 2 or not looks[0]:
        return unknown("untold")
    before, after = looks[0], looks[-1]
    figure = f"{len(before)} listened before, {len(before & after)} of them at the end, {len(after - before)} new"
    limit = "the same processes from beginning to end"
    if evidence.server.get("died") and not after - before:
        return Found("died", "valid", figure, limit)
    if before != after:
        return Found("listeners_replaced", "suspect", figure, limit)
    return Found("listened", "valid", figure, limit)
