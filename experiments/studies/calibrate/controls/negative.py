"""Runs that must never be called valid: each is made wrong in one way, and names the checks that are meant to notice.

A control that is caught for another reason is not caught.
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
from experiments.studies.calibrate.controls.fixture import SECONDS, Fixture
from experiments.studies.calibrate.controls.loopback import wait_until_listening
from experiments.studies.calibrate.trial import Case, Trial, judged, measure, said

_SLOW = frozenset({"unsent_late", "lag", "generator_cpu", "generator_stall"})


@dataclass(frozen=True)
class Control:
    """A run that is wrong on purpose."""

    name: str
    noticed_by: frozenset[str]
    """Checks of which one must not be valid."""
    tell: Callable[[Fixture], Record]
    verdicts: tuple[str, ...] = ("suspect", "invalid")
    """What the run may be called."""
    told: Callable[[Record], str] | None = None
    """Says how wrong it was, where that is found out first."""


PART = "negative controls"


def controls(fixture: Callable[[], Fixture]) -> list[Case]:
    """All of them; each must be found out by the check that is meant for it."""
    return [
        Case(PART, control.name, "not valid", lambda _, control=control: negative_trial(control, fixture()))  # type: ignore[misc]
        for control in CONTROLS
    ]


def negative_trial(control: Control, fixture: Fixture) -> Trial:
    """Makes one; it has passed if a check that is meant for it found it out."""
    record = control.tell(fixture)
    status, bad = judged(record)
    caught = status in control.verdicts and bool(control.noticed_by & bad.keys())
    wanted = f"{' or '.join(control.verdicts)}, by {' or '.join(sorted(control.noticed_by))}"
    told = f"{control.told(record)}: " if control.told else ""
    return Trial(control.name, wanted, told + said(status, bad), caught, record.path.name)


# How each negative control is told.


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


def _twice_what_stock_carries(fixture: Fixture) -> Record:
    """Sees first how many polls httpx's own client carries here and now, and then asks it for twice as many.

    Devices that poll again as soon as they are answered show it: whatever they reach is what it carries. No verdict
    has a part in that.
    """
    eager = {"engine": "httpx-stock", "clients": _EAGER, "interval_ms": 1, "pacing": "after", "minutes": 4 / 60}
    carried_per_s = measure(fixture.scenario(**eager)).summary()["load"]["polls_per_s_answered"]
    each_per_s = fixture.scenario().plan.polls_per_s / fixture.scenario().clients
    return measure(fixture.scenario(engine="httpx-stock", clients=math.ceil(2 * carried_per_s / each_per_s)))


_EAGER = 32
"""More devices that poll without a pause get no more polls through."""


def _far_too_many(fixture: Fixture) -> Record:
    """Of A alone and from two workers, so that the server is not what they wait for."""
    return measure(fixture.scenario(clients=12_000, ratio="1:0", workers=2))


def _asked(record: Record) -> str:
    return f"{record.scenario.clients:,} devices, {record.scenario.plan.polls_per_s:,.0f} polls/s"


def _external_server_replaced(fixture: Fixture) -> Record:
    """Somebody ends a server of their own in the middle and starts another on its port."""
    port = free_port()
    with ExitStack() as started:
        first = _serve(port, started)
        wait_until_listening(port)

        def replace() -> None:
            first.terminate()
            first.wait()
            _serve(port, started)

        return measure(fixture.scenario(clients=200, server_url=f"http://127.0.0.1:{port}"), At(0.5, replace))


def _own_server_replaced(fixture: Fixture) -> Record:
    """The lab's server is killed in the middle, and its place is taken by one that the lab has not started."""
    with ExitStack() as started:

        def replace() -> None:
            for server in disturb.servers():
                port = next(one.laddr.port for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
                server.kill()
                _serve(port, started)

        return measure(fixture.scenario(clients=200), At(0.5, replace))


def _serve(port: int, started: ExitStack) -> subprocess.Popen[bytes]:
    """A server that the lab knows nothing of."""
    command = [sys.executable, "-m", "server", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started.callback(server.wait)
    started.callback(server.terminate)
    return server


def _during(share: float, harm: Callable[[], None], **changes: Any) -> Callable[[Fixture], Record]:
    """A run to which harm is done when so much of it is over."""
    return lambda fixture: measure(fixture.scenario(**changes), At(share, harm))


def _copy(change: Callable[[Path], None], *, vouched: bool = False) -> Callable[[Fixture], Record]:
    return lambda fixture: corruption.damaged(fixture.honest, change, vouched=vouched)


CONTROLS = (
    Control("httpx-stock at twice what it was just seen to carry", _SLOW, _twice_what_stock_carries, told=_asked),
    Control("a busy loop on the generator's core", _SLOW | {"competitors"}, _during(0.0, _crowd_generator)),
    Control("generator stopped for 500 ms", frozenset({"generator_stall"}), _during(0.5, _stop_generator)),
    Control(
        "the generator killed", frozenset({"generator_errors", "unsent_late"}), _during(0.5, _kill_generator), ("invalid",)
    ),
    Control("far too many devices for one generator", _SLOW, _far_too_many, told=_asked),
    Control("somebody else's server replaced under its port", frozenset({"workers", "served"}), _external_server_replaced),
    Control("the lab's server replaced under its port", frozenset({"workers"}), _own_server_replaced, ("invalid",)),
    Control(
        "a worker killed from outside, and respawned",
        frozenset({"workers", "served"}),
        _during(0.5, _kill_a_worker, clients=200, workers=2),
    ),
    Control("rows removed", frozenset({"rows_complete"}), _copy(corruption.rows_removed, vouched=True), ("invalid",)),
    Control("rows doubled", frozenset({"rows_complete"}), _copy(corruption.rows_doubled, vouched=True), ("invalid",)),
    Control("rows altered", frozenset({"untouched"}), _copy(corruption.rows_altered), ("invalid",)),
    Control("a part lost", frozenset({"rows_complete"}), _copy(corruption.part_lost), ("invalid",)),
)
"""Wrong in one way each."""
