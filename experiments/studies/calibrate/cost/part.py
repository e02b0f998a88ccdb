"""Part 4 as the notebook and `make benchmark` go through it: what is asked is checked, measured, kept, shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.analyse.instrument import Cost, Figure, Memory, Step, compare, speeds
from experiments.errors import LabError, ParameterError
from experiments.present.chart import Chart
from experiments.present.charts.studies import instrument as drawn
from experiments.present.html import Markup, note
from experiments.present.tables.studies import instrument as tables
from experiments.scenario import CALIBRATED
from experiments.studies.calibrate.cost import growth, other, own
from experiments.studies.calibrate.cost.load import parse
from experiments.studies.calibrate.cost.results import Results
from experiments.studies.calibrate.cost.rounds import Contender, Turn, plan, take
from experiments.studies.calibrate.cost.targeted import GROWTH, figures
from experiments.studies.calibrate.cost.targets import TARGETS, missing, version
from experiments.studies.calibrate.trial import Say
from experiments.studies.tools.catalogue import all_tools
from experiments.studies.tools.catalogue.tool import Tool

PEERS = "aiohttp,locust-fast,locust-http,hey,h2load,autocannon,wrk,ab,wrk2,zrk"
LOADS = "random falcon, together falcon, together nginx, mix falcon, unpaced nginx"
SECONDS = 8.0
_LEAST_S = 2.0
_LOT = 20240
"""Seed of the order; the same for everybody, so that two calibrations differ in what they measure alone."""
NAIVE = "httpx-stock"
"""Of the lab's engines the one that nobody should use: it shows what the others are for, under one phase."""
BESIDE = "epoll"
"""The engine that all others are held against."""
_AIMED = ("epoll",)
"""Engines that have targets, whether this lab has them or not."""

_SKIPPED = note("Skipped: cost_rounds is 0. `make benchmark` measures this part alone.")


class CostPart:
    """What is asked of part 4, and what came of it."""

    def __init__(self, *, rounds: int, seconds: float, peers: str, loads: str, binaries: str) -> None:
        """Checks what is asked.

        Args:
            rounds: how often everybody is measured; 0 leaves the part out.
            seconds: length of each window.
            peers: tools that are not ours, separated by commas; empty for none.
            loads: pairs of a load and a target, separated by commas.
            binaries: where tools lie that no distribution has, like `wrk2=/path/wrk2, zrk=/path/zrk`; or empty.

        Raises:
            ParameterError: a value is not allowed.
        """
        if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 0:
            raise ParameterError(f"cost_rounds={rounds!r}: at least 1 is needed, 5 for medians worth quoting, or 0 to skip.")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < _LEAST_S:
            raise ParameterError(f"cost_seconds={seconds!r}: a window of at least {_LEAST_S:g} s is needed, better 8.")
        known = {name: tool for name, tool in all_tools(named_binaries(binaries)).items() if not tool.ours}
        named = [name.strip() for name in peers.split(",") if name.strip()]
        if unknown := [name for name in named if name not in known]:
            raise ParameterError(f"cost_peers={peers!r}: {unknown[0]!r} is not known; known are {', '.join(known)}.")
        self._rounds = rounds
        self._peers = [known[name] for name in named]
        self._loads = parse(loads, tuple(TARGETS), seconds)
        self.results = Results()

    def measure(self, folder: Path, say: Say, *, shown: bool = False) -> Markup:
        """Measures everything and keeps it in the folder, or finds there what was kept.

        Args:
            shown: nothing is measured, whatever is missing.

        Returns:
            What each contender costs, and what was left out and why.
        """
        kept = Results.kept(folder) if self._rounds or shown else None
        if kept is not None:
            self.results = kept
        elif not self._rounds or shown:
            return _SKIPPED
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._measure(folder, say)
            self.results.keep(folder)
        self._rounds = max(1, self._rounds)
        costs, versions = self.results.costs, self.results.versions
        shown_costs = tables.costs(compare(costs, BESIDE), BESIDE, versions)
        return shown_costs + tables.speeds(speeds(costs)) + tables.skipped(self.results.skipped)

    def growth(self) -> Markup:
        """How lag grows with the devices of one generator."""
        if not self._rounds:
            return _SKIPPED
        return tables.steps(self.results.steps) if self.results.steps else note("The largest swarms were not measured.")

    def chart(self) -> Chart | Markup:
        """CPU per poll, side by side."""
        if not self._rounds:
            return _SKIPPED
        compared = compare(self.results.costs)
        return drawn.cpu_per_poll(compared, CALIBRATED) if compared else note("There is nothing to compare.")

    def figures(self) -> Markup:
        """The figures beside what they are meant to reach."""
        return tables.figures(self.lines()) if self._rounds else _SKIPPED

    def lines(self) -> list[Figure]:
        """The same, as data."""
        return figures(self.results)

    def turns(self) -> list[Turn]:
        """Who is measured under which load in which order, of what is there."""
        loads = [load for load in self._loads if not missing(load.target)]
        return plan(loads, self._contenders(), self._rounds, _LOT)

    def skipped(self) -> dict[str, str]:
        """Contender or load -> why it is left out."""
        absent = {peer.name: peer.missing for peer in self._peers if peer.missing}
        absent |= {str(load): why for load in self._loads if (why := missing(load.target))}
        if why := missing("nginx"):
            absent[GROWTH] = why
        return absent | {name: "this lab has no such engine" for name in _AIMED if name not in CALIBRATED}

    def _contenders(self) -> list[Contender]:
        ours = [
            Contender(name, ("random",) if name == NAIVE else ("random", "together"), True, partial(own.measure, name))
            for name in CALIBRATED
        ]
        return ours + [_contender(tool) for tool in self._peers if not tool.missing]

    def _measure(self, folder: Path, say: Say) -> None:
        skipped = self.skipped()
        for name, why in skipped.items():
            say(f"{name}: skipped: {why}")
        costs: list[Cost] = []
        engines = [] if missing("nginx") else [name for name in CALIBRATED if name != NAIVE]
        later_s = len(engines) * (2 * growth.MEMORY_S + len(growth.STEPS) * growth.STEP_S / 2)
        for came in take(self.turns(), folder, say, later_s=later_s):
            if isinstance(came, Cost):
                costs.append(came)
                say(f"{came.cpu_us_per_poll:.0f} us per poll, {came.polls_per_s:.0f} polls/s")
            else:
                skipped[came[0]] = came[1]
        order = [(load.name, load.target) for load in self._loads]
        costs.sort(key=lambda cost: order.index((cost.load, cost.target)))
        # Kept already now: what comes next takes long, and may be interrupted.
        Results(costs, skipped=skipped, versions=self._versions()).keep(folder)
        memory, steps = self._grow(engines, folder, say, skipped)
        self.results = Results(costs, memory, steps, skipped, self._versions())

    def _versions(self) -> dict[str, str]:
        """Of everybody who was measured, or served."""
        told = {tool.name: tool.installed_version() for tool in self._peers if not tool.missing}
        servers = [*dict.fromkeys(load.target for load in self._loads if not missing(load.target))]
        return {name: said for name, said in {**told, **{name: version(name) for name in servers}}.items() if said}

    def _grow(
        self, engines: Sequence[str], folder: Path, say: Say, skipped: dict[str, str]
    ) -> tuple[list[Memory], list[Step]]:
        """Memory and largest swarm of each engine; what cannot be measured does not end the others."""
        memory: list[Memory] = []
        steps: list[Step] = []
        for engine in engines:
            try:
                memory.append(growth.memory(engine, folder, say))
                steps.extend(growth.devices(engine, folder, say))
            except LabError as error:
                skipped[f"{GROWTH} of {engine}"] = str(error)
        return memory, steps


def _contender(tool: Tool) -> Contender:
    return Contender(tool.name, tool.phases, False, partial(other.measure, tool), tool.paced)


def named_binaries(text: str) -> dict[str, str]:
    """Reads `wrk2=/path/wrk2, zrk=/path/zrk`.

    Raises:
        ParameterError: it is written otherwise.
    """
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, path = (piece.strip() for piece in part.partition("="))
        if not (name and equals and path):
            raise ParameterError(f"binaries={text!r}: {part!r} names no program; write name=/path, like wrk2=/opt/wrk2.")
        found[name] = path
    return found
