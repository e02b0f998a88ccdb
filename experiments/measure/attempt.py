"""Trying a target before a load is asked of it: its server is started or found, one device asks one round, and it ends.

A scenario in, what came of it out. Nothing is recorded and nothing else is asked.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from experiments.measure import before, interrupts, watched
from experiments.measure.precheck import Precheck
from experiments.measure.servers import own, variants
from experiments.measure.servers.address import look_up
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.local import ServerProcess
from experiments.measure.services.database import Database
from experiments.scenario import Scenario
from experiments.schedule import Plan
from experiments.target.loaded import Loaded
from experiments.target.tried import Tried


async def attempt(scenario: Scenario, *, transport: str = "", device: str = "") -> Tried:
    """Tries what a scenario will ask.

    Args:
        transport: `module:name` of what makes a user's transport; empty for the lean one.
        device: `module:name` of a user's class of devices; empty for none.

    Raises:
        ParameterError: it cannot be tried, or its database cannot be had.
        ServerStartError: the server did not become ready, or nobody answers.
    """
    loaded = scenario.load_target()
    check = Precheck(loaded, scenario.parts.load, transport, device)
    said = scenario.systems[0]
    with interrupts.as_cancellation(), tempfile.TemporaryDirectory(prefix="lab-try-") as folder:
        async with AsyncExitStack() as opened:
            if (database := await Database.open(scenario)) is not None:
                opened.push_async_callback(lambda: interrupts.undisturbed(database.close()))
                await database.prepare(Path(folder))
            variant = await asyncio.to_thread(variants.make, said, watched.home(scenario, said, loaded))
            opened.callback(variant.close)
            server = watched.make(
                scenario, said, url=scenario.server_url, precheck=check, log=Path(folder) / "server.log",
                polled=scenario.plan_of(loaded).ever_polled, variant=variant,
                environment=database.environment if database else None,
            )  # fmt: skip
            opened.push_async_callback(lambda: interrupts.undisturbed(server.stop()))
            if isinstance(server, own.OwnProcess):
                await server.start(asks_ready=False)
            else:
                await server.start()
            dns_s = _look_up_s(server.url) if isinstance(server, ExternalServer) else None
            tried = await check.round(server.url, server.address, dns_s=dns_s)
            notes = _notes(loaded, server, tried)
    return replace(tried, load=foretold(scenario.plan_of(loaded), tried), notes=notes)


def _look_up_s(url: str) -> float:
    begun = time.monotonic()
    look_up(url)
    return time.monotonic() - begun


def foretold(plan: Plan, tried: Tried) -> str:
    """What the load will be, in a sentence; its bytes are those of the answers that came now."""
    polls = plan.rates
    sizes = {one.endpoint: one.answer.wire_bytes for one in tried.exchanges if one.answer is not None}
    each = ", ".join(f"{name} {rate:,.3g}/s" for name, rate in polls.items() if rate)
    total = sum(polls.values())
    megabytes = sum(rate * sizes.get(name, 0) for name, rate in polls.items()) / 1e6
    return (
        f"{plan.clients:,} devices ask {total:,.4g} polls/s ({each}), some {total * plan.window_s:,.0f} in "
        f"{plan.window_s / 60:g} minutes; bodies like these are {megabytes:,.3g} MB/s."
    )


def _notes(loaded: Loaded, server: ServerProcess | ExternalServer, tried: Tried) -> tuple[str, ...]:
    """Whose cost will be the server's, and what nothing will vouch for."""
    metrics = before.metrics(loaded)
    told: list[str] = []
    if loaded.target.app and not loaded.target.https and "tls" in loaded.target.model_fields_set:
        told.append(
            "tls is not used: the app is served over plain HTTP; name tls.server_cert and tls.server_key to have it served "
            "over https."
        )
    if not server.main_pid:
        found = before.owner(server, set(), loaded)
        here = f"The server's cost will be that of {found.name} (process {', '.join(map(str, found.pids))})."
        asked = "what it says of itself at metrics_url" if metrics else "unknown"
        told.append(here if found.pids else f"The server's cost will be {asked}, since {found.unseen}.")
    if not (metrics and metrics.counter) and isinstance(server, own.OwnExternal | own.OwnProcess):
        told.append(
            "Nothing will prove that no cache answered: name the server's own counter of requests with metrics_url and "
            "metrics_requests, or have `ready` answer JSON with pid and served."
        )
    return tuple(told)
