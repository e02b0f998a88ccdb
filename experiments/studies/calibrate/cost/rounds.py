"""Interleaved rounds: every contender once a round under each of its loads, in an order drawn by lot.

Machines are shared and drift: what is compared is measured within minutes of each other, and nobody always comes first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experiments.analyse.instrument import Cost
from experiments.errors import LabError
from experiments.schedule import Phase
from experiments.studies.calibrate.cost.load import Load
from experiments.studies.calibrate.cost.speed import probe
from experiments.studies.calibrate.cost.targets import TARGETS, Target
from experiments.studies.calibrate.trial import Say

Measure = Callable[[Load, Target, Path, int], Cost]
"""Takes load, target, a folder for what remains, and the number of the round."""


@dataclass(frozen=True)
class Contender:
    """Whoever can be given a load."""

    name: str
    phases: tuple[Phase, ...]
    is_ours: bool
    measure: Measure
    paced: bool = True
    """Whether it keeps a rate."""

    def takes(self, load: Load) -> bool:
        """Whether this load can be asked of it, or is worth asking."""
        alike = self.paced == load.paced and load.phase in self.phases
        return alike and (self.is_ours or load.has_peers)


@dataclass(frozen=True)
class Turn:
    """One measurement."""

    round: int
    load: Load
    contender: Contender


def plan(loads: Sequence[Load], contenders: Sequence[Contender], rounds: int, seed: int) -> list[Turn]:
    """All turns in their order; rounds count from 1."""
    lot = random.Random(seed)
    turns: list[Turn] = []
    for number in range(1, rounds + 1):
        once = [Turn(number, load, one) for load in loads for one in contenders if one.takes(load)]
        turns += lot.sample(once, len(once))
    return turns


def take(turns: Sequence[Turn], folder: Path, say: Say, *, later_s: float) -> Iterator[Cost | tuple[str, str]]:
    """Takes the turns one after the other.

    Args:
        later_s: what is still to come after them, for the estimate of the end.

    Yields:
        What a turn cost, or who failed under which load and why.
    """
    began = time.monotonic()
    for done, turn in enumerate(turns):
        load, name = turn.load, turn.contender.name
        say(f"round {turn.round}, turn {done + 1} of {len(turns)}: {load}, {name}{_end(began, done, len(turns), later_s)}")
        try:
            per_s, free = probe()
            with TARGETS[load.target](folder) as target:
                cost = turn.contender.measure(load, target, folder, turn.round)
            yield replace(cost, asked_per_s=load.polls_per_s, machine_per_s=per_s, core_free=free)
        except LabError as error:
            say(f"{name} could not be measured: {error}")
            yield f"{name}, {load}, round {turn.round}", str(error)


def _end(began: float, done: int, turns: int, later_s: float) -> str:
    """When all will be over, once a turn has shown how long one takes."""
    if not done:
        return ""
    left_s = (time.monotonic() - began) / done * (turns - done) + later_s
    return f" (all done about {datetime.now(UTC) + timedelta(seconds=left_s):%H:%M}Z)"
