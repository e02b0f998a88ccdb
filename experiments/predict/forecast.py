"""What a load would bring that was not measured: response percentiles, and the largest load within a service level.

Light cells -> a model; model and scenario -> a forecast. The model has the processor times of `demand`, and what the polls
of the light cells took beyond what the queues of `loops` account for: the everyday part is replayed poll by poll, the rest
as the pauses behind it.

What it assumes stands in `ASSUMPTIONS`, for the page that shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain
from statistics import median
from typing import Any

import polars as pl

from experiments.analyse import latency, service_level
from experiments.predict import demand, loops
from experiments.predict.cell import Cell
from experiments.predict.demand import Demand
from experiments.predict.loops import Machines, Times
from experiments.predict.pauses import Pauses, pauses_behind
from experiments.record.schema import ENDPOINTS
from experiments.scenario import Scenario

LIGHT = 0.6
"""Highest load, as a share of a worker's core, of a cell that a forecast may rest on."""
ASSUMPTIONS = (
    "A poll takes the same processor time under any load, but for falling asleep and waking up.",
    "Each worker and each generator is one thread, and all of them share the machine's cores.",
    "A generator's time for a poll goes half into sending and half into reading.",
    "Devices fall to workers by chance, each worker as many.",
    "Loops pause as often and as long under any load (other programs, time taken by the hypervisor), and what else delays "
    "a poll beyond its queues delays it as much.",
    "A processor is as much slower or faster from second to second, for all loops alike, as it was in the light cells.",
    "Every device is connected already: a server that is overloaded while devices still connect may leave some of them "
    "waiting for many seconds.",
    "Nothing times out, nothing fails, and nobody else uses the machine more than during the light cells.",
)
_SENDS, _READS = 0.5, 0.5
"""Parts of a generator's time for a poll; nothing measured tells them apart."""
_QUANTILES = 500
_RUNS = 3
"""Of a load, to tell whether it holds: one run may meet a slow second and another none."""
_FENCE = 1.5


@dataclass(frozen=True)
class Model:
    """What was learnt from light cells."""

    server: Demand
    generator: Demand
    delays: dict[str, tuple[float, ...]]
    """By endpoint: delays to replay, in seconds."""
    pauses: Pauses
    """Of every worker and every generator."""
    cores: float
    """Of the machine; infinite where the records do not say."""
    loads: tuple[float, ...]
    """Of the cells it was learnt from."""
    slowness: tuple[float, ...] = (1.0,)
    """By which factor a poll cost more or less, second by second of the light cells; see `speed`."""
    doubt: tuple[float, float] = (1.0, 1.0)
    """By which factor the time of a poll at full load is smaller and larger when any one cell is left out."""

    @cached_property
    def times(self) -> Times:
        """As the queues take them."""
        sides = {"status": self.generator.status_s, "bulk": self.generator.bulk_s}
        return Times(
            serve={"status": (self.server.status_s,), "bulk": (self.server.bulk_s,)},
            send={name: _SENDS * took for name, took in sides.items()},
            read={name: _READS * took for name, took in sides.items()},
            server_wake=self.server.wake_s,
            generator_wake=self.generator.wake_s,
            delay={name: values or (0.0,) for name, values in self.delays.items()},
            pauses=self.pauses,
            slowness=self.slowness,
        )

    def play(self, scenario: Scenario) -> pl.DataFrame:
        """The polls that this scenario would have; see `loops.play`. Another seed is another run."""
        machines = Machines(scenario.workers, max(1, scenario.generators), self.cores)
        return loops.play(scenario.plan, self.times, machines)

    def cores_used(self, scenario: Scenario) -> tuple[float, float]:
        """Cores that the server and the generators would use; more than they have where they cannot keep up."""
        rate, bulk = scenario.plan.polls_per_s, demand.bulk_share(scenario.plan)
        rates = rate * (1 - bulk), rate * bulk
        generators = max(1, scenario.generators)
        return self.server.cores(*rates, scenario.workers), self.generator.cores(*rates, generators, wakes=2)


@dataclass(frozen=True)
class Forecast:
    """What a scenario would bring."""

    response_s: dict[str, dict[float, float | None]]
    """Endpoint -> percent -> seconds; null where too few polls support it."""
    server_cores: float
    generator_cores: float
    level: dict[str, Any] = field(default_factory=dict)
    """The service level, as in a summary."""


def learn(cells: Sequence[Cell]) -> Model | None:
    """The model behind light cells of one number of workers and generators; None where they tell nothing."""
    light = sorted((cell for cell in cells if cell.load <= LIGHT and not cell.cannot), key=lambda cell: cell.load)
    fitted = _fitted(light)
    if fitted is None:
        return None
    server, generator = fitted
    cores = min((cell.cores for cell in light if cell.cores), default=math.inf)
    loads = tuple(cell.load for cell in light)
    slowness = tuple(chain(*(cell.slowness for cell in light))) or (1.0,)
    bare = Model(server, generator, dict.fromkeys(ENDPOINTS, ()), (), cores, loads, slowness)
    return Model(server, generator, *_late(bare, light), cores, loads, slowness, _doubt(light, server))


def _fitted(cells: Sequence[Cell]) -> tuple[Demand, Demand] | None:
    server = demand.fit([cell.server for cell in cells])
    generator = demand.fit([cell.generator for cell in cells], wakes=2)
    return None if server is None or generator is None else (server, generator)


def _doubt(cells: Sequence[Cell], server: Demand) -> tuple[float, float]:
    """How much one cell more or less moves the time of a poll at full load."""
    share = cells[0].server.bulk_per_s / (cells[0].server.status_per_s + cells[0].server.bulk_per_s)
    others = [demand.fit([one.server for one in cells if one is not left]) for left in cells] if len(cells) > 1 else []
    factors = [1.0, *(other.mean_s(share) / server.mean_s(share) for other in others if other is not None)]
    return min(factors), max(factors)


def _late(bare: Model, light: Sequence[Cell]) -> tuple[dict[str, tuple[float, ...]], Pauses]:
    """What light cells took beyond their queues: what every poll may meet, by endpoint, and the pauses behind the rest."""
    beyond = {name: [_beyond(cell, bare.play(cell.scenario), name) for cell in light] for name in ENDPOINTS}
    pooled = {name: sorted(chain(*each)) for name, each in beyond.items()}
    most = max(pooled.values(), key=len)  # A, if it was polled: pauses are the machine's, so one endpoint tells them.
    usual = _fence(most)
    every = {name: tuple(delay for delay in values if delay <= usual) for name, values in pooled.items()}
    # A poll passes one worker and one generator, so each of the two has half of the pauses that it meets.
    found = pauses_behind([max(0.0, delay - usual) for delay in most])
    return every, tuple((length, rate / 2) for length, rate in found)


def _fence(ordered: Sequence[float]) -> float:
    """From which delay on something unusual was met: the upper quartile and one and a half times the quartiles' distance.

    Source: Tukey, "Exploratory Data Analysis", 1977, section 2D.
    """
    if not ordered:
        return 0.0
    low, high = (ordered[int(part * len(ordered))] for part in (0.25, 0.75))
    return high + _FENCE * (high - low)


def _beyond(cell: Cell, played: pl.DataFrame, endpoint: str) -> list[float]:
    """Measured less played, at each of many quantiles; empty if the cell did not poll the endpoint."""
    measured, alone = cell.responses[endpoint], latency.population(played, endpoint)
    if not len(measured) or not len(alone):
        return []
    steps = [(place + 0.5) / _QUANTILES for place in range(_QUANTILES)]
    pairs = [(measured.quantile(step, "linear"), alone.quantile(step, "linear")) for step in steps]
    return [max(0.0, float(took or 0.0) - float(expected or 0.0)) for took, expected in pairs]


def forecast(model: Model, scenario: Scenario, runs: int = 1) -> Forecast:
    """Plays the scenario through, and reads it as a record is read.

    Args:
        runs: how many, with seeds that follow one another as those of repeats do; the median of them is given, and the
            service level of most of them.
    """
    found = [_run(model, repeat) for repeat in _repeats(scenario, runs)]
    times = {
        name: {percent: _middle([one.response_s[name][percent] for one in found]) for percent in found[0].response_s[name]}
        for name in ENDPOINTS
    }
    levels = sorted((one.level for one in found), key=lambda level: level["met"] is not False)
    return replace(found[0], response_s=times, level=levels[len(levels) // 2])


def _run(model: Model, scenario: Scenario) -> Forecast:
    polls = model.play(scenario)
    times = {name: latency.times(polls, name) for name in ENDPOINTS}
    found = {name: latency.percentiles(each) for name, each in times.items()}
    return Forecast(
        {name: {one.percent: one.value_s for one in each} for name, each in found.items()},
        *model.cores_used(scenario),
        _judged(scenario, polls, times),
    )


def _judged(scenario: Scenario, polls: pl.DataFrame, times: Mapping[str, latency.Times]) -> dict[str, Any]:
    def devices(asked: Mapping[str, service_level.Level]) -> pl.DataFrame:
        counted = service_level.Devices({name: level.p99_ms for name, level in asked.items()})
        counted.add(polls)
        return counted.frame()

    counts = polls.group_by("endpoint", "outcome").agg(polls=pl.len())
    return service_level.judge(scenario, counts, times, devices)


def _repeats(scenario: Scenario, runs: int) -> list[Scenario]:
    return [scenario.model_copy(update={"seed": scenario.seed + number}) for number in range(runs)]


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def largest(holds: Callable[[int], bool], guess: int, smallest: int, most: int, step_pct: float) -> int:
    """The largest number of devices that holds, to a step: up or down from a guess, then halved; 0 if none does.

    Args:
        holds: whether the service level is kept by so many devices.
        guess: where to begin; the nearer, the fewer have to be tried.
        step_pct: how finely, in percent of the answer.
    """
    seen = cache(holds)
    low = high = min(most, max(smallest, guess))
    while not seen(low):
        if low <= smallest:
            return 0
        low, high = max(smallest, int(0.8 * low)), low
    while seen(high):
        if high >= most:
            return most
        low, high = high, min(most, math.ceil(1.25 * high))
    while high - low > max(1.0, low * step_pct / 100):
        middle = (low + high) // 2
        low, high = (middle, high) if seen(middle) else (low, middle)
    return low


def _holds(model: Model, scenario: Scenario) -> bool:
    return _run(model, scenario).level["met"] is not False


def capacity(model: Model, scenario: Scenario, *, smallest: int, most: int, step_pct: float = 2.0) -> int:
    """The largest number of devices at which this scenario would keep its service level; 0 if `smallest` misses it."""

    def holds(clients: int) -> bool:
        """As most of three runs say; two that agree are most."""
        asked = _repeats(scenario.model_copy(update={"clients": clients}), _RUNS)
        first, second = (_holds(model, one) for one in asked[:2])
        return first if first is second else _holds(model, asked[2])

    # With every loop busy all the time; the level breaks somewhat before.
    poll_s = model.server.mean_s(demand.bulk_share(scenario.plan))
    busiest = scenario.workers / poll_s * scenario.clients / scenario.plan.polls_per_s
    return largest(holds, int(0.9 * busiest), smallest, most, step_pct)
