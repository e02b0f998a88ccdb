"""Do the author's counts agree with ours? Only where his client polled, which counts in Redis.

Evidence -> one finding. Rows are the truth; Redis is a witness that knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from experiments.analyse.checks.evidence import Evidence, Found, served_by_all, unknown


def redis_counts(evidence: Evidence) -> Found:
    """Redis = rows, by endpoint and outcome, and answered in Redis <= served by the workers; warm-up included."""
    limit = "Redis = rows, answered <= served"
    redis = (evidence.record.facts.get("generator") or {}).get("redis")
    if not redis or "skipped" in redis:
        return unknown("nothing", why=redis["skipped"] if redis else "only the author's client counts in Redis")
    rows, counts = counted(evidence.all_counts), redis.get("counts")
    sent = sum(rows.values())
    lost = uncounted(evidence.instances)
    if counts is None or lost:
        errors = [redis.get("error"), *(item.get("redis_error") for item in evidence.instances)]
        why = next((str(error) for error in errors if error), "it was not asked").rstrip(".")
        known = "unknown" if counts is None else f"{sum(counts.values()):,}"
        values = {"why": why, "lost": lost, "sent": sent}
        return Found("lost", "suspect", f"{sent:,} sent, Redis {known}", limit, values=values)
    served = served_by_all(evidence.server) if evidence.workers_seen else None
    answered = sum(number for kind, number in counts.items() if kind.split()[1] in ("ok", "http_error", "wrong_body"))
    figure = f"{sum(counts.values()):,} = {sent:,}, {answered:,} <= {'unknown' if served is None else f'{served:,}'}"
    if counts != rows:
        return Found("differ", "invalid", figure, limit)
    if served is not None and answered > served:
        return Found("more_answered", "invalid", figure, limit)
    return Found("agree", "valid", figure, limit)


def counted(counts: pl.DataFrame) -> dict[str, int]:
    """Polls that were sent: "<endpoint> <outcome>" -> how many, as Redis has them.

    Args:
        counts: frame(endpoint, outcome, sent).
    """
    sent = counts.group_by("endpoint", "outcome").agg(pl.col("sent").sum()).filter(pl.col("sent") > 0)
    return {f"{endpoint} {outcome}": number for endpoint, outcome, number in sent.rows()}


def uncounted(instances: Sequence[Mapping[str, Any]]) -> int:
    """Polls of these generators that Redis did not take, or did not say that it took."""
    return sum(int(one.get("redis_lost", 0)) for one in instances)
