"""What a worker sees for itself before the load: whether it has the files, reaches the server, and is answered rightly.

A shard in; nothing, or the reason why its devices cannot be driven from here, out.
"""

from __future__ import annotations

import asyncio
import zlib
from http.client import HTTPException

from experiments.errors import GeneratorError, ParameterError, ServerContractError
from experiments.measure import limits
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.precheck import Precheck
from experiments.measure.servers import probe
from experiments.parts import Load
from experiments.target.poller import Poller
from experiments.target.swarm import Swarm

_REACH_S = 5.0


async def look_around(shard: Shard) -> None:
    """Makes sure that the devices can be driven from here.

    Raises:
        ParameterError: too few open files are allowed, or what the target names is not here, or not the same.
        ServerContractError: why the server is not reached.
        GeneratorError: it is, and does not answer rightly.
    """
    limits.allow_files([limits.Need(len(shard.clients) + limits.SPARE_FILES, "this generator")])
    target, plan = shard.target, shard.plan
    crew = target.crew(plan)
    if target.digest and crew.loaded.digest != target.digest:
        raise ParameterError(
            f"what the target {crew.loaded.path} names beside it is not the same there as here: copy these files to all "
            "machines, under the same paths."
        )
    name = plan.ever_polled[0]
    known = None if target.https else target.first.get(name)
    if known is None:
        await _ask(shard, crew)
    else:
        await asyncio.to_thread(_compare, target, crew.device(0)[plan.endpoints.index(name)], known)


def _compare(target: Target, poller: Poller, known: int) -> None:
    """Of an answer whose every byte is known: whether it is the same server that answered before."""
    wanted = poller.kind.checks.wire
    size = 0 if wanted is None else int(wanted.high)
    try:
        answer = probe.ask(target.url + poller.parts(1).target, _REACH_S, size, address=target.address)
    except (OSError, HTTPException) as error:
        raise ServerContractError(probe.reason(error)) from None
    if zlib.crc32(answer.body) != known:
        raise ServerContractError("another server answers it at that address")


async def _ask(shard: Shard, crew: Swarm) -> None:
    """Of any other: the first endpoint, as the first device will ask for it."""
    plan, target = shard.plan, shard.target
    load = Load(
        plan.clients, plan.interval_s, (1, 0), plan.warmup_s, plan.window_s, plan.phase, plan.pacing, plan.seed,
        target.keep_alive, target.timeout_s,
    )  # fmt: skip
    check = Precheck(crew.loaded, load, shard.transport, shard.device)
    tried = await check.round(target.url, target.address, within_s=min(_REACH_S, target.timeout_s), first_only=True)
    why = " ".join(tried.faults)
    if any(one.answer is None for one in tried.exchanges):
        raise ServerContractError(why)
    if why:
        raise GeneratorError(f"the server does not answer it rightly: {why}")
