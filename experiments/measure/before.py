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
from experiments.measure.host import network, port_owner
from experiments.measure.host.allowance import Allowance
from experiments.measure.host.port_owner import Owner
from experiments.measure.run_state import RunState
from experiments.measure.sampler import spaced_ms
from experiments.measure.servers.address import port_of
from experiments.measure.servers.metrics import Metrics, MetricsSampler
from experiments.measure.servers.probe import TEXT_CHARACTERS
from experiments.measure.watched import AnyServer, Watched
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded


async def verify(run: RunState, watched: Watched) -> dict[str, dict[str, str]]:
    """Makes sure that what is to be measured is answered, as a device will ask for it; the headers, by endpoint.

    Raises:
        ServerContractError: it is not.
    """
    server, precheck, headers = watched.server, watched.precheck, {}
    # Of the article's two endpoints every byte is known; asked in the lab's own words first, over plain HTTP.
    known = (
        (watched.said.target or run.scenario.target) == HELLO and not run.transport and server.url.startswith("http:")
    )
    if known:
        headers = await server.verify()
    tried = await precheck.round(server.url, server.address)
    precheck.refuse(tried)
    if run.database is not None:
        await run.database.begin_counting()
    answers = {one.endpoint: one.answer for one in tried.exchanges if one.answer is not None}
    if not known:
        checksums = {name: answer.checksum for name, answer in answers.items()}
        server.checksums = checksums.get("status", 0), checksums.get("bulk", 0)
    if not watched.number:
        run.started["precheck"] = [
            {"endpoint": one.endpoint, "status": answers[one.endpoint].status, "times_ms": dict(one.times_ms)}
            for one in tried.exchanges
        ]
    return headers or {
        name: {key.lower(): value[:TEXT_CHARACTERS] for key, value in answer.headers} for name, answer in answers.items()
    }


async def open_metrics(watched: Watched) -> None:
    """Makes sure that the server says of itself what its target promises.

    Raises:
        ServerContractError: it does not.
    """
    watched.metrics = metrics(watched.precheck.loaded)
    if watched.metrics is not None:
        await asyncio.to_thread(watched.metrics.check)


def metrics(loaded: Loaded) -> Metrics | None:
    """Where a target's server says what it costs and serves; None if nowhere."""
    target = loaded.target
    if not target.metrics_url:
        return None
    ca = target.tls.ca
    verify = str(loaded.beside(ca)) if ca and target.tls.verify else target.tls.verify
    return Metrics(target.metrics_url, target.metrics_requests, verify=verify)


async def look(watched: Watched) -> None:
    """Notes who listens on the server's port, and what its own count says: before the load, and after it."""
    watched.listeners.append(await asyncio.to_thread(_listening, watched.server))
    if watched.metrics is not None:
        try:
            watched.counted.append((await asyncio.to_thread(watched.metrics.read)).requests)
        except ServerContractError:
            watched.counted.append(None)


def _listening(server: AnyServer) -> list[int]:
    if server.main_pid:
        return sorted(server.worker_pids())
    return sorted(port_owner.find(urlsplit(server.url).hostname or "", port_of(server.url)).pids)


def sample_metrics(
    run: RunState, watched: Watched, into: queue.SimpleQueue[list[dict[str, Any]]], cleanup: AsyncExitStack
) -> None:
    """Has the server say what it costs, where nobody can see it from here."""
    if watched.metrics is None or watched.owner.pids:
        return
    period_ms = spaced_ms(run.scenario)
    watched.metrics_sampler = MetricsSampler(watched.metrics, period_ms, run.start_at, into, watched.number)
    watched.metrics_sampler.start()
    cleanup.callback(watched.metrics_sampler.stop)


async def find(watched: Watched) -> None:
    """Finds the server's processes, and what they may use."""
    server = watched.server
    watched.owner = await asyncio.to_thread(owner, server, {*watched.served_before}, watched.precheck.loaded)
    await look(watched)
    if watched.owner.pids:
        watched.backlog = _backlog(server.url)
        watched.allowance = Allowance.of(watched.owner.pids[0])


def _backlog(url: str) -> int | None:
    """How many connections may wait to be accepted; None where the socket is not seen from here."""
    addresses = port_owner.addresses(urlsplit(url).hostname or "")
    return network.backlog(addresses | port_owner.ANY, port_of(url))


def owner(server: AnyServer, told: set[int], loaded: Loaded) -> Owner:
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
