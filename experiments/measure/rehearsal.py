"""One device of a user's class, before the load: its login, and one poll of each endpoint.

A class and a way to ask in, what was asked and answered out. It sees what the class asks, its login too, and refuses a class
that would fail in every device.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import httpx

from experiments.errors import GeneratorError
from experiments.measure.engines.aio import own_device
from experiments.measure.engines.aio.own_device import AnswerError
from experiments.target.answers.answer import Answer
from experiments.target.poller import Poller
from experiments.target.requests.changed import Changes
from experiments.target.tried import Exchange

Ask = Callable[[Poller], Awaitable[tuple[Exchange, Answer | None]]]


async def rehearse(
    name: str, pollers: Sequence[Poller], polled: Sequence[Poller], ask: Ask, within_s: float, *, keep_alive: bool
) -> list[Exchange]:
    """What the first device asks; of each endpoint the last time that it does.

    Args:
        name: `module:name` of the class.
        pollers: all endpoints of that device.
        polled: those of them that its plan polls.
        within_s: seconds for the login, and for each poll.

    Raises:
        GeneratorError: the class cannot be had, or fails although all answers are right.
    """
    kind = own_device.load(name)
    device = own_device.make(name, 0, kind)
    known = {one.kind.name: one for one in pollers}
    exchanges: dict[str, Exchange] = {}

    async def asked(endpoint: str, changes: Changes) -> Answer:
        if endpoint not in known:
            raise ValueError(f"the target has no endpoint {endpoint!r}: {', '.join(known)}")
        poller = known[endpoint]
        poller.change(changes, keep_alive=keep_alive)
        exchanges.pop(endpoint, None)
        exchanges[endpoint], answer = await ask(poller)
        if answer is None:
            raise httpx.TransportError(exchanges[endpoint].explanation)
        if failure := exchanges[endpoint].failure:
            raise AnswerError(endpoint, answer, failure)
        return answer

    device.bind(0, pollers[0].id, asked)
    step = "login()"
    try:
        await asyncio.wait_for(device.login(), within_s)
        for poller in polled:
            endpoint = poller.kind.name
            step = f"poll({endpoint!r})"
            own_device.seconds(await asyncio.wait_for(device.poll(endpoint), within_s), may=kind.sets_next_poll)
            if endpoint not in exchanges:
                raise RuntimeError(f"it asked nothing of {endpoint!r}")
            # What it asked besides and got over is its own affair.
            exchanges = {one: it for one, it in exchanges.items() if it.failure is None or one == endpoint}
    except Exception as error:
        if all(one.failure is None for one in exchanges.values()):
            raise GeneratorError(f"device={name!r} failed in {step} for device 0 ({own_device.short(error)}).") from error
    return list(exchanges.values())
