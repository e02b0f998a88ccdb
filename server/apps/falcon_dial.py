"""The application of `falcon_asgi` with a dial: each request costs so many microseconds of CPU more as DIAL_US says.

For finding out how small a difference is found: the application is the same, and what it costs more is known. The loop that
burns is calibrated when a worker starts, together with the call that it takes to get there. Beside other programs the same
loop takes longer, as all does; so some of its rounds are timed, and what it really took is said when the server ends.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, cast

from server.apps import falcon_asgi

VARIABLE = "DIAL_US"
_TRIES = 300
"""The least of so many times is what it takes when nobody disturbs."""
_LOOKED_AT = 20
"""Of so many requests one is timed: that costs a microsecond, so a twentieth of one for each."""
_LONG = 2000
"""Rounds of the loop over which one is timed."""

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def create_app() -> Application:
    """Wires the application.

    Raises:
        ValueError: the variable is no number.
    """
    extra_us = float(os.environ.get(VARIABLE, "0"))
    inner = cast(Application, falcon_asgi.create_app())
    return watched(inner, rounds(extra_us)) if extra_us else inner


def dialled(inner: Application, count: int) -> Application:
    """The same application, after so many rounds of doing nothing."""

    async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        for _ in range(count):
            pass
        await inner(scope, receive, send)

    return application


def watched(inner: Application, count: int) -> Application:
    """The same, where every so-many-th request tells how long its rounds took; the sum is printed when the server ends."""
    asked = itertools.count()
    took_ns: list[int] = []
    clock = time.thread_time_ns
    clock_ns = min(-clock() + clock() for _ in range(_TRIES))

    async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if next(asked) % _LOOKED_AT:
            for _ in range(count):
                pass
            await inner(scope, receive, send)
            return
        begun = clock()
        for _ in range(count):
            pass
        took_ns.append(clock() - begun - clock_ns)
        await inner(scope, receive, send)
        if scope["type"] == "lifespan" and took_ns:
            sys.stdout.write(f"dial: {sum(took_ns) / len(took_ns) / 1000:.3f} us in each of {len(took_ns)}\n")
            sys.stdout.flush()

    return application


def rounds(extra_us: float) -> int:
    """How many rounds take so long, with the call around them; 0 if the call alone takes longer."""

    async def nothing(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        pass

    plain = _least_s(nothing)
    call_s = _least_s(dialled(nothing, 0)) - plain
    round_s = (_least_s(dialled(nothing, _LONG)) - plain - call_s) / _LONG
    return max(0, round((extra_us / 1e6 - call_s) / round_s))


def _least_s(application: Application) -> float:
    """CPU seconds of one call: twenty at a time, since the clock takes as long as one."""
    scope: MutableMapping[str, Any] = {}
    least = float("inf")
    for _ in range(_TRIES):
        begun = time.thread_time_ns()
        for _ in range(20):
            call = application(scope, None, None)
            with suppress(StopIteration):
                call.send(None)  # type: ignore[attr-defined]
        least = min(least, (time.thread_time_ns() - begun) / 20e9)
    return least
