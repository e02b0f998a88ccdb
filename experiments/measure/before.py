"""What is looked at between the server's start and the load, and again after it: answers, listeners, its own words.

A run and a server that is ready in; facts of the run out. Nothing here carries load or ends anything.
"""

from __future__ import annotations

import asyncio
import queue
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from experiments.errors import ServerContractError
from experiments.measure.host import port_owner
from experiments.measure.host.port_owner import Owner
from experiments.measure.run_state import RunState
from experiments.measure.sampler import spaced_ms
from experiments.measure.servers.address import port_of
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.servers.metrics import Metrics, MetricsSampler
from experiments.measure.servers.probe import TEXT_CHARACTERS
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded


async def verify(run: RunState, server: ServerProcess | ExternalServer) -> dict[str, dict[str, str]]:
    """Makes sure that what is to be measured is answered, as a device will ask for it; the headers, by endpoint.

    Raises:
        ServerContractError: it is not.
    """
    scenario, headers = run.scenario, {}
    # Of the article's two endpoints every byte is known; asked in the lab's own words first, over plain HTTP.
    known = scenario.target == HELLO and not run.transport and server.url.startswith("http:")
    if known:
        headers = await server.verify()
    tried = await run.precheck.round(server.url, server.address)
    run.precheck.refuse(tried)
    if run.database is not None:
        await run.database.begin_counting()
    answers = {one.endpoint: one.answer for one in tried.exchanges if one.answer is not None}
    if not known:
        checksums = {name: answer.checksum for name, answer in answers.items()}
        server.checksums = checksums.get("status", 0), checksums.get("bulk", 0)
    run.started["precheck"] = [
        {"endpoint": one.endpoint, "status": answers[one.endpoint].status, "times_ms": dict(one.times_ms)}
        for one in tried.exchanges
    ]
    return headers or {
        name: {key.lower(): value[:TEXT_CHARACTERS] for key, value in answer.headers} for name, answer in answers.items()
    }


async def open_metrics(run: RunState) -> None:
    """Makes sure that the server says of itself what its target promises.

    Raises:
        ServerContractError: it does not.
    """
    run.metrics = metrics(run.precheck.loaded)
    if run.metrics is not None:
        await asyncio.to_thread(run.metrics.check)


def metrics(loaded: Loaded) -> Metrics | None:
    """Where a target's server says what it costs and serves; None if nowhere."""
    target = loaded.target
    if not target.metrics_url:
        return None
    ca = target.tls.ca
    verify = str(loaded.beside(ca)) if ca and target.tls.verify else target.tls.verify
    return Metrics(target.metrics_url, target.metrics_requests, verify=verify)


async def look(run: RunState, server: ServerProcess | ExternalServer) -> None:
    """Notes who listens on the server's port, and what its own count says: before the load, and after it."""
    run.listeners.append(await asyncio.to_thread(_listening, server))
    if run.metrics is not None:
        try:
            run.counted.append((await asyncio.to_thread(run.metrics.read)).requests)
        except ServerContractError:
            run.counted.append(None)


def _listening(server: ServerProcess | ExternalServer) -> list[int]:
    if server.main_pid:
        return sorted(server.worker_pids())
    return sorted(port_owner.find(urlsplit(server.url).hostname or "", port_of(server.url)).pids)


def sample_metrics(run: RunState, into: queue.SimpleQueue[list[dict[str, Any]]], cleanup: AsyncExitStack) -> None:
    """Has the server say what it costs, where nobody can see it from here."""
    if run.metrics is None or run.owner.pids:
        return
    run.metrics_sampler = MetricsSampler(run.metrics, spaced_ms(run.scenario), run.start_at, into)
    run.metrics_sampler.start()
    cleanup.callback(run.metrics_sampler.stop)


def owner(server: ServerProcess | ExternalServer, told: set[int], loaded: Loaded) -> Owner:
    """The processes that cost what the server costs; of one that somebody else started, if they can be seen from here.

    Those that were started, or those that the target's `pid_file` names, or those that listen on the port.

    Args:
        told: the process ids that answers gave of themselves.
    """
    name = loaded.target.pid_file
    said = port_owner.named(loaded.beside(name)) if name else None
    if server.main_pid:
        return Owner((server.main_pid, *(said.pids if said else ())))
    if said is not None and said.pids:
        return said
    port = port_of(server.url)
    found = port_owner.answering(port_owner.find(urlsplit(server.url).hostname or "", port), told, port)
    return found if found.pids or said is None else replace(found, unseen=f"{found.unseen}; and {said.unseen}")
