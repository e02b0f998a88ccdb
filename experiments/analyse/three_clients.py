"""How much of the latency that a client reports is the client's own, where several ask the same server.

Records of one question, a client each -> figures. What a client reports is `latency`, from sent to done, as a script that
looks at its watch before and after would. No client can see which part of it was its own; another client that asks the same
server no less often can: a server that answers it in 1 ms does not take 80 ms for the other. So

    own = latency reported by this client - latency reported by the leanest one,

percentile by percentile of endpoint A; the leanest is the client whose median is lowest of those that may be believed, ask
in the same way (pacing, connections) and reach at least 95 % of this client's polls/s. All are closed loops, which ask less
often when they are slow: a slow client has the idler server, so its own part is, if anything, larger than this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from experiments.analyse import latency
from experiments.analyse.checks.evidence import Evidence, number, served_by_all
from experiments.analyse.checks.redis import counted, uncounted
from experiments.analyse.points import BELIEVED
from experiments.analyse.summary import current
from experiments.record.reading import Record

_AS_OFTEN = 0.95


@dataclass(frozen=True)
class Counted:
    """How many polls each party has seen, warm-up included; None from one that cannot say."""

    sent: int
    """By the rows."""
    answered: int
    """By the rows."""
    served: int | None
    """By the server's workers."""
    redis: int | None
    """By Redis."""
    agrees: bool | None
    """Whether Redis has, by endpoint and outcome, what the rows have, and the server served no fewer than were answered and
    no more than were sent; without Redis, the latter alone."""
    why: str
    """Why Redis has no count, if so."""


@dataclass(frozen=True)
class Client:
    """One client's cell."""

    name: str
    state: str
    """Its verdict; or failed, not measured, ..."""
    why: str
    """Why it is not valid."""
    alike: bool
    """Whether it asks as the author's client does: a connection per request, sleep after the answer."""
    latency_ms: Mapping[str, float | None]
    """p50, p95, p99 of endpoint A, as reported by this client; None also where polls without an answer leave it open."""
    own_ms: Mapping[str, float | None]
    """The part of each that was the client's; None where no other client can tell."""
    leanest: str
    """Whose latency was taken off; empty where there is none."""
    curve: pl.DataFrame
    """`latency.curve` of the same."""
    polls_per_s: float | None
    """Answered."""
    cpu_us_per_poll: float | None
    """Of the client."""
    server_cores: float | None
    server_us: float | None
    """CPU of the server by the request."""
    counted: Counted | None


def figures(cells: Sequence[tuple[str, str, str, Record | None]]) -> list[Client]:
    """The clients in the order given.

    Args:
        cells: name, state, why not valid, and the record if there is one.
    """
    alone = [_client(*cell) for cell in cells]
    return [_with_own_part(one, alone) for one in alone]


def _client(name: str, state: str, why: str, record: Record | None) -> Client:
    if record is None:
        nothing = latency.curve(pl.Series([], dtype=pl.Float64))
        return Client(name, state, why, False, {}, {}, "", nothing, None, None, None, None, None)
    summary, digest = current(record), Evidence(record).digest
    story = record.endpoints[0]
    times = summary["endpoints"][story]["latency_ms"]
    return Client(
        name=name,
        state=state,
        why=why,
        alike=record.scenario.pacing == "after" and not record.scenario.keep_alive,
        latency_ms={name: None if times["censored"][name] else times[name] for name in ("p50", "p95", "p99")},
        own_ms={},
        leanest="",
        curve=latency.curve(digest.times[story, "latency"]).filter(~pl.col("censored")),
        polls_per_s=summary["load"]["polls_per_s_answered"],
        cpu_us_per_poll=summary["generator"]["cpu_us_per_poll"],
        server_cores=summary["server"]["cpu_cores_mean"],
        server_us=summary["server"]["cpu_us_per_request"],
        counted=_counted(record.facts, digest.all_counts),
    )


def _with_own_part(client: Client, others: Sequence[Client]) -> Client:
    p50, rate = client.latency_ms.get("p50"), client.polls_per_s
    if p50 is None or rate is None or not client.alike:
        return client
    able = [
        (found, one)
        for one in others
        if one.alike and one.state in BELIEVED and (one.polls_per_s or 0.0) >= _AS_OFTEN * rate
        if (found := one.latency_ms.get("p50")) is not None
    ]
    if not able:
        return client
    lean = min(able, key=lambda pair: pair[0])[1]
    own = {name: _less(value, lean.latency_ms.get(name)) for name, value in client.latency_ms.items()}
    return replace(client, own_ms=own, leanest=lean.name)


def _less(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base


def _counted(facts: Mapping[str, Any], counts: pl.DataFrame) -> Counted:
    kinds = counted(counts)
    sent, answered = sum(kinds.values()), number(counts, pl.col("status") > 0)
    served = served_by_all(facts["server"])
    redis = facts["generator"].get("redis")
    redis_counts = (redis or {}).get("counts")
    lost = uncounted(facts["generator"]["instances"])
    why = "counts nowhere" if redis is None else str(redis.get("skipped") or redis.get("error") or "")
    agrees = None if served is None else answered <= served <= sent
    if redis is not None and "skipped" not in redis:
        agrees = redis_counts == kinds and not lost and agrees is not False
    return Counted(sent, answered, served, sum(redis_counts.values()) if redis_counts is not None else None, agrees, why)
