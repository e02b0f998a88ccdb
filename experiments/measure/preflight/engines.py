"""Where an engine does not apply, which is said before anything starts."""

from __future__ import annotations

import select

from experiments.errors import ParameterError
from experiments.measure.engines.timerfd import TimerFd
from experiments.scenario import Scenario


def check(scenario: Scenario, transport: str) -> None:
    """Refuses what the scenario's engine cannot do.

    Args:
        transport: `module:name` of a user's own transport; empty for none.

    Raises:
        ParameterError: epoll was asked for, and there is none here, or a transport that it cannot ask through.
    """
    if scenario.engine == "threads" and transport:
        raise ParameterError(f"engine='threads' with transport={transport!r}: it asks through requests; use engine='httpx'.")
    if scenario.engine != "epoll":
        return
    if transport:
        raise ParameterError(
            f"engine='epoll' with transport={transport!r}: it speaks plain HTTP/1.1 on sockets of its own; use "
            "engine='httpx', which asks through any httpx transport."
        )
    if not has_epoll():
        raise ParameterError("engine='epoll' needs epoll and timerfd, which this platform has not: use engine='httpx'.")


def has_epoll() -> bool:
    """Whether this platform has what the epoll engine needs."""
    try:
        TimerFd().close()
    except OSError:
        return False
    return hasattr(select, "epoll")
