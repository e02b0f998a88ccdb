"""Runs that must never be called valid: each is made wrong in one way, and names the checks that are meant to notice.

A lie that is caught for another reason is not caught.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from experiments.measure.servers.ports import free_port
from experiments.record.reading import Record
from experiments.studies.calibrate.controls import corruption, disturb
from experiments.studies.calibrate.controls.disturb import At
from experiments.studies.calibrate.controls.fixture import SECONDS, Ground
from experiments.studies.calibrate.controls.loopback import wait_until_listening
from experiments.studies.calibrate.trial import Case, Trial, judged, measure, said

_SLOW = frozenset({"unsent_late", "lag", "generator_cpu", "generator_stall"})


@dataclass(frozen=True)
class Lie:
    """A run that is wrong on purpose."""

    name: str
    noticed_by: frozenset[str]
    """Checks of which one must not be valid."""
    tell: Callable[[Ground], Record]
    verdicts: tuple[str, ...] = ("suspect", "invalid")
    """What the run may be called."""
    told: Callable[[Record], str] | None = None
    """Says how big the lie was, where that is found out first."""


PART = "lies"


def lies(ground: Callable[[], Ground]) -> list[Case]:
    """All lies; each must be found out by the check that is meant for it."""
    return [
        Case(PART, lie.name, "not valid", lambda _, lie=lie: lie_trial(lie, ground()))  # type: ignore[misc]
        for lie in LIES
    ]


def lie_trial(lie: Lie, ground: Ground) -> Trial:
    """Tells a lie; it has passed if a check that is meant for it found it out."""
    record = lie.tell(ground)
    status, bad = judged(record)
    caught = status in lie.verdicts and bool(lie.noticed_by & bad.keys())
    wanted = f"{' or '.join(lie.verdicts)}, by {' or '.join(sorted(lie.noticed_by))}"
    told = f"{lie.told(record)}: " if lie.told else ""
    return Trial(lie.name, wanted, told + said(status, bad), caught, record.path.name)


# How each lie is told.


def _crowd_generator() -> None:
    disturb.crowd(disturb.generators(), SECONDS - 1)


def _kill_generator() -> None:
    for generator in disturb.generators():
        generator.kill()


def _stop_generator() -> None:
    disturb.stop_for(disturb.generators(), 0.5)


def _kill_a_worker() -> None:
    for server in disturb.servers():
        workers = [child for child in server.children() if "spawn_main" in " ".join(child.cmdline())]
        workers[-1].kill()


def _twice_what_stock_carries(ground: Ground) -> Record:
    """Sees first how many polls httpx's own client carries here and now, and then asks it for twice as many.

    Devices that poll again as soon as they are answered show it: whatever they reach is what it carries. No verdict
    has a part in that.
    """
    eager = {"engine": "httpx-stock", "clients": _EAGER, "interval_ms": 1, "pacing": "after", "minutes": 4 / 60}
    carried_per_s = measure(ground.scenario(**eager)).summary()["load"]["polls_per_s_answered"]
    each_per_s = ground.scenario().plan.polls_per_s / ground.scenario().clients
    return measure(ground.scenario(engine="httpx-stock", clients=math.ceil(2 * carried_per_s / each_per_s)))


_EAGER = 32
"""More devices that poll without a pause get no more polls through."""


def _far_too_many(ground: Ground) -> Record:
    """Of A alone and from two workers, so that the server is not what they wait for."""
    return measure(ground.scenario(clients=12_000, ratio="1:0", workers=2))


def _asked(record: Record) -> str:
    return f"{record.scenario.clients:,} devices, {record.scenario.plan.polls_per_s:,.0f} polls/s"


def _external_server_replaced(ground: Ground) -> Record:
    """Somebody ends a server of their own in the middle and starts another on its port."""
    port = free_port()
    with ExitStack() as started:
        first = _serve(port, started)
        wait_until_listening(port)

        def replace() -> None:
            first.terminate()
            first.wait()
            _serve(port, started)

        return measure(ground.scenario(clients=200, server_url=f"http://127.0.0.1:{port}"), At(0.5, replace))


def _own_server_replaced(ground: Ground) -> Record:
    """The lab's server is killed in the middle, and its place is taken by one that the lab has not started."""
    with ExitStack() as started:

        def replace() -> None:
            for server in disturb.servers():
                port = next(one.laddr.port for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
                server.kill()
                _serve(port, started)

        return measure(ground.scenario(clients=200), At(0.5, replace))


def _serve(port: int, started: ExitStack) -> subprocess.Popen[bytes]:
    """A server that the lab knows nothing of."""
    command = [sys.executable, "-m", "server", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started.callback(server.wait)
    started.callback(server.terminate)
    return server


def _during(share: float, harm: Callable[[], None], **changes: Any) -> Callable[[Ground], Record]:
    """A run to which harm is done when so much of it is over."""
    return lambda ground: measure(ground.scenario(**changes), At(share, harm))


def _copy(change: Callable[[Path], None], *, vouched: bool = False) -> Callable[[Ground], Record]:
    return lambda ground: corruption.damaged(ground.honest, change, vouched=vouched)


LIES = (
    Lie("httpx-stock at twice what it was just seen to carry", _SLOW, _twice_what_stock_carries, told=_asked),
    Lie("a busy loop on the generator's core", _SLOW | {"competitors"}, _during(0.0, _crowd_generator)),
    Lie("generator stopped for 500 ms", frozenset({"generator_stall"}), _during(0.5, _stop_generator)),
    Lie("the generator killed", frozenset({"generator_errors", "unsent_late"}), _during(0.5, _kill_generator), ("invalid",)),
    Lie("far too many devices for one generator", _SLOW, _far_too_many, told=_asked),
    Lie("somebody else's server replaced under its port", frozenset({"workers", "served"}), _external_server_replaced),
    Lie("the lab's server replaced under its port", frozenset({"workers"}), _own_server_replaced, ("invalid",)),
    Lie(
        "a worker killed from outside, and respawned",
        frozenset({"workers", "served"}),
        _during(0.5, _kill_a_worker, clients=200, workers=2),
    ),
    Lie("rows removed", frozenset({"rows_complete"}), _copy(corruption.rows_removed, vouched=True), ("invalid",)),
    Lie("rows doubled", frozenset({"rows_complete"}), _copy(corruption.rows_doubled, vouched=True), ("invalid",)),
    Lie("rows altered", frozenset({"untouched"}), _copy(corruption.rows_altered), ("invalid",)),
    Lie("a part lost", frozenset({"rows_complete"}), _copy(corruption.part_lost), ("invalid",)),
)
"""Wrong in one way each."""
