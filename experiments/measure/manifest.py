"""What run.json says of a run that has ended: totals, server, generators, sampler.

Everything has ended already, or is only asked here; a generator that was lost gets its rows before they are counted.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict, dataclass
from typing import Any

from experiments.measure.generators.recover import salvage
from experiments.measure.generators.subprocess import Generator
from experiments.measure.host import cpu_clock, network
from experiments.measure.host.allowance import Allowance
from experiments.measure.processes.guarded import ServerExit
from experiments.measure.run_state import RunState
from experiments.measure.sampler import Sampler, spaced_ms
from experiments.measure.servers.metrics import Metrics
from experiments.measure.watched import Watched
from experiments.parameters import CREDENTIALS
from server import catalogue


@dataclass(frozen=True)
class Served:
    """What was asked of a server after the load."""

    after: dict[int, int]
    """Process id of a worker -> requests that it has had."""
    pids_at_end: list[int]
    """The workers that were there after the load."""
    exit: ServerExit | None
    """How it was ended; None where that was not for us to do."""


async def gather(
    run: RunState, served: list[Served], generators: list[Generator], sampler: Sampler
) -> dict[str, Any]:
    """The facts; the generators must have ended.

    Args:
        served: of each server of the run.
    """
    shards = [await asyncio.to_thread(_shard_facts, generator, run.window_s) for generator in generators]
    servers = [_server(watched, one) for watched, one in zip(run.servers, served, strict=True)]
    return {
        "window_s": run.window_s,
        **(run.cut_short.facts() if run.cut_short else {"cut_short": None, "cut_short_kind": None}),
        "totals": _totals(shards),
        "server": servers[0],
        **({"beside": servers[1:]} if servers[1:] else {}),
        "database": _database(run),
        "generator": {
            "engine": run.scenario.engine,
            **({"transport": run.transport} if run.transport else {}),
            **({"device": run.device} if run.device else {}),
            **({"source_addresses": list(run.sources)} if run.sources else {}),
            "instances": [{name: value for name, value in facts.items() if name != "totals"} for facts in shards],
            **({"redis": run.redis.facts} if run.redis else {}),
        },
        "sampler": {
            "sample_ms": spaced_ms(run.scenario),
            "samples": sampler.samples,
            "cpu_resolution_s": cpu_clock.resolution_s(),
            "kernel_pid": os.getpid(),
            "sha256": sampler.sha256,
            "error": sampler.error,
        },
    }


def _server(watched: Watched, served: Served) -> dict[str, Any]:
    owner = watched.owner
    return {
        **watched.server.facts(),
        "called": watched.name,
        "sampled": {"pids": list(owner.pids), "name": owner.name},
        "unseen": owner.unseen,
        "on_this_machine": owner.here,
        "may_use": _may_use(watched),
        "backlog": watched.backlog,
        "backlog_most": network.most_backlog(),
        "headers": watched.headers,
        "listeners": watched.listeners,
        **({"metrics": _metrics(watched.metrics, watched)} if watched.metrics else {}),
        "workers": _workers(watched.served_before, served.after),
        "worker_pids_at_end": served.pids_at_end,
        "exit": asdict(served.exit) if served.exit else None,
        "died": watched.died,
    }


def _metrics(metrics: Metrics, watched: Watched) -> dict[str, Any]:
    """What the server said of itself."""
    before, after = (*watched.counted, None, None)[:2]
    return {
        "url": CREDENTIALS.sub("", metrics.url),
        "counter": metrics.counter,
        "served_before": before,
        "served_after": after,
        "served": after - before if before is not None and after is not None else None,
        "asked": metrics.asked,
        "sampled": watched.metrics_sampler is not None,
        "missed": watched.metrics_sampler.missed if watched.metrics_sampler else 0,
    }


def _may_use(watched: Watched) -> dict[str, Any] | None:
    """What the server may use of its machine; None where its processes cannot be seen."""
    if watched.allowance is None:
        return None
    shared = watched.allowance.same_quota(Allowance.of(os.getpid()))
    return watched.allowance.facts() | {"quota_shared_with_lab": shared}


def _database(run: RunState) -> dict[str, Any] | None:
    """What the server read and wrote; None where it had nothing to, or brought it itself."""
    if run.database is None:
        return None
    system = catalogue.SYSTEMS[run.scenario.server]
    return {
        **run.database.facts,
        "connections": run.scenario.db_connections,
        "at_once": run.servers[0].server.at_once,
        "rows": system.rows,
        "serial": system.serial,
    }


def _workers(before: dict[int, int], after: dict[int, int]) -> list[dict[str, int | None]]:
    """Requests served during the load by each worker; None where a worker did not answer."""
    workers: list[dict[str, int | None]] = []
    for pid in sorted(before.keys() | after.keys()):
        first, last = before.get(pid), after.get(pid)
        served = last - first if first is not None and last is not None else None
        workers.append({"pid": pid, "served_before": first, "served_after": last, "served": served})
    return workers


def _totals(shards: list[dict[str, Any]]) -> dict[str, int]:
    names = ("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late")
    return {name: sum(facts["totals"].get(name, 0) for facts in shards) for name in names}


def _shard_facts(generator: Generator, window_s: float) -> dict[str, Any]:
    """What a generator said of itself, or what can be said of one that was lost."""
    if generator.facts is not None:
        return generator.facts | generator.place
    shard = generator.shard
    kept = salvage(shard, window_s)
    lost = generator.error or f"generator {shard.instance} did not end in time"
    return {
        "instance": shard.instance,
        "pid": generator.pid,
        "clients": len(shard.clients),
        "parts": kept.parts,
        "part_sha256": kept.checksums,
        "rows": kept.rows,
        "added_rows": kept.added_rows,
        "lost_rows": kept.lost_rows,
        "error": f"{lost}: {kept.said}",
        "totals": kept.totals,
        **generator.place,
    }
