"""A tool that is not ours under a load: its process tree is looked at twice, a window apart, and so is the server's count.

The window begins when the server has answered as many polls as there are devices and they have settled; what a tool
spends on starting and connecting is thereby left out, as in the lab's own runs. Then the tool ends by itself and is held
to what it says: a poll that failed is reported.
"""

from __future__ import annotations

import math
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
from experiments.studies.calibrate.cost.targets import Target
from experiments.studies.tools.catalogue.tool import Asked, Said, Tool

_CONNECT_S = 4.0
"""How much longer than settling and window a tool goes on: its start is not known to the tenth of a second."""
_UP_S = 30.0
"""Until every device must have been answered; a loaded machine imports Locust in some seconds."""
_END_S = 20.0
"""How much longer than asked for a tool may take to end."""
_LOOK_S = 0.1
OUTPUT = "output.txt"
"""What the tool printed, in a folder of its own."""


@dataclass(frozen=True)
class _Look:
    at: float
    cpu_s: float
    polls: int


def measure(tool: Tool, load: Load, target: Target, folder: Path, round_: int) -> Cost:
    """Starts the tool, looks at it over a window, and lets it end.

    Raises:
        GeneratorError: it did not start, ended early, or did not say what came of it.
    """
    place = folder / f"{tool.name}-{load.name}-{load.target}-{round_}"
    place.mkdir()
    # Some are told whole seconds.
    run_s = math.ceil(_CONNECT_S + load.settle_s + load.seconds)
    asked = load.asked(target.url, run_s, place)
    environment = {**os.environ, **tool.environment(asked)}
    process = Guarded(tool.called(asked), env=environment, log_path=place / OUTPUT, cwd=place)
    try:
        _wait_until_connected(tool, process, target, load)
        time.sleep(load.settle_s)
        first, last = _window(tool, process, target, load)
        _wait_until_ended(tool, process, asked)
    finally:
        wait_for(process.end())
    said = tool.read((place / OUTPUT).read_text(errors="replace"), asked)
    return _cost(tool, load, round_, first, last, said)


def _cost(tool: Tool, load: Load, round_: int, first: _Look, last: _Look, said: Said) -> Cost:
    polls = last.polls - first.polls
    if polls <= 0:
        raise GeneratorError(f"{tool.name} was not answered a single poll in {load.seconds:g} s.")
    return Cost(
        round=round_,
        load=load.name,
        target=load.target,
        contender=tool.name,
        cpu_us_per_poll=1e6 * (last.cpu_s - first.cpu_s) / polls,
        polls_per_s=polls / (last.at - first.at),
        failed=said.failed,
    )


def _window(tool: Tool, process: Guarded, target: Target, load: Load) -> tuple[_Look, _Look]:
    assert process.pid is not None
    tree = ProcessTree("generator", 0, (process.pid,))
    first = _look(tree, target)
    time.sleep(load.seconds)
    last = _look(tree, target)
    if not process.alive:
        raise GeneratorError(f"{tool.name} ended before its window did.")
    return first, last


def _look(tree: ProcessTree, target: Target) -> _Look:
    # In this order both times, so that what the server's answer takes does not count.
    cpu_s = tree.sample(expensive=False)["cpu_s"]
    return _Look(time.monotonic(), cpu_s, target.answered())


def _wait_until_connected(tool: Tool, process: Guarded, target: Target, load: Load) -> None:
    deadline = time.monotonic() + _UP_S
    while process.pid is None or target.answered() < load.clients:
        process.listen()
        if process.failure or process.exit:
            raise GeneratorError(f"{tool.name} {process.failure or 'ended'} before its devices were connected.")
        if time.monotonic() >= deadline:
            raise GeneratorError(f"{tool.name} had not connected {load.clients} devices within {_UP_S:g} s.")
        time.sleep(_LOOK_S)


def _wait_until_ended(tool: Tool, process: Guarded, asked: Asked) -> None:
    deadline = time.monotonic() + asked.seconds + _END_S
    while process.alive and not tool.has_said(asked):
        if time.monotonic() >= deadline:
            raise GeneratorError(f"{tool.name} did not end by itself within {asked.seconds + _END_S:g} s.")
        time.sleep(_LOOK_S)
