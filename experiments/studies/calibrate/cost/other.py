"""A peer under a load: its process tree is looked at twice, a window apart, and so is the server's count of polls.

The window begins when the server has answered as many polls as there are devices and they have settled; what a tool
spends on starting and connecting is thereby left out, as in the lab's own runs. Then the tool ends by itself and is held
to what it says: a poll that failed is reported.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.analyse.instrument import Cost
from experiments.errors import GeneratorError
from experiments.measure.processes.guarded import Guarded
from experiments.measure.sampler import ProcessTree
from experiments.runner import wait_for
from experiments.studies.calibrate.cost.load import Load
from experiments.studies.calibrate.cost.outputs import Said
from experiments.studies.calibrate.cost.peers import Peer
from experiments.studies.calibrate.cost.targets import Target

_CONNECT_S = 2.5
"""How much longer than settling and window a tool goes on: its start is not known to the tenth of a second."""
_UP_S = 30.0
"""Until every device must have been answered; a loaded machine imports Locust in some seconds."""
_END_S = 20.0
"""How much longer than asked for a tool may take to end."""
_LOOK_S = 0.1


@dataclass(frozen=True)
class _Look:
    at: float
    cpu_s: float
    polls: int


def measure(peer: Peer, load: Load, target: Target, folder: Path, round_: int) -> Cost:
    """Starts the tool, looks at it over a window, and lets it end.

    Raises:
        GeneratorError: it did not start, ended early, or did not say what came of it.
    """
    log_path = folder / f"{peer.name}-{load.name}-{load.target}-{round_}.log"
    run_s = _CONNECT_S + load.settle_s + load.seconds
    tool = Guarded(peer.command(load, target.url, run_s), env={**os.environ, **peer.environment(load)}, log_path=log_path)
    try:
        _wait_until_connected(peer, tool, target, load)
        time.sleep(load.settle_s)
        first, last = _window(peer, tool, target, load)
        _wait_until_ended(peer, tool, run_s)
    finally:
        wait_for(tool.end())
    said = peer.read(log_path.read_text(errors="replace"))
    return _cost(peer, load, round_, first, last, said)


def _cost(peer: Peer, load: Load, round_: int, first: _Look, last: _Look, said: Said) -> Cost:
    polls = last.polls - first.polls
    if polls <= 0:
        raise GeneratorError(f"{peer.name} was not answered a single poll in {load.seconds:g} s.")
    return Cost(
        round=round_,
        load=load.name,
        target=load.target,
        contender=peer.name,
        cpu_us_per_poll=1e6 * (last.cpu_s - first.cpu_s) / polls,
        polls_per_s=polls / (last.at - first.at),
        failed=said.failed,
    )


def _window(peer: Peer, tool: Guarded, target: Target, load: Load) -> tuple[_Look, _Look]:
    assert tool.pid is not None
    tree = ProcessTree("generator", 0, (tool.pid,))
    first = _look(tree, target)
    time.sleep(load.seconds)
    last = _look(tree, target)
    if not tool.alive:
        raise GeneratorError(f"{peer.name} ended before its window did.")
    return first, last


def _look(tree: ProcessTree, target: Target) -> _Look:
    # In this order both times, so that what the server's answer takes does not count.
    cpu_s = tree.sample(expensive=False)["cpu_s"]
    return _Look(time.monotonic(), cpu_s, target.answered())


def _wait_until_connected(peer: Peer, tool: Guarded, target: Target, load: Load) -> None:
    deadline = time.monotonic() + _UP_S
    while tool.pid is None or target.answered() < load.clients:
        tool.listen()
        if tool.failure or tool.exit:
            raise GeneratorError(f"{peer.name} {tool.failure or 'ended'} before its devices were connected.")
        if time.monotonic() >= deadline:
            raise GeneratorError(f"{peer.name} had not connected {load.clients} devices within {_UP_S:g} s.")
        time.sleep(_LOOK_S)


def _wait_until_ended(peer: Peer, tool: Guarded, run_s: float) -> None:
    deadline = time.monotonic() + run_s + _END_S
    while tool.alive:
        if time.monotonic() >= deadline:
            raise GeneratorError(f"{peer.name} did not end by itself within {run_s + _END_S:g} s.")
        time.sleep(_LOOK_S)
