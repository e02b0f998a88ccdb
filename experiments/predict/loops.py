"""The server and its generators as queues: a plan played through, event by event.

Plan, processor times and delays -> every poll with its times. A server worker and a generator are the same kind of thing,
a loop on one thread: it does one job after the other in the order in which they came, sleeps when there is none, and pays
for that, one half before it sleeps and one after. A poll is three jobs: the generator sends it, a worker answers it, the
generator reads the answer. All loops share the machine's cores; with more loops than cores a job also waits for a core.
Devices live as the lab's devices do: one poll at a time, due by the plan, the second of a round due when the first ended.

A heap of events and no library for it: a forecast of the edge plays some twenty loads. simpy 4.1.2 took 3.6 s for the bare
queues of 500 devices in a minute, 66,000 polls, this module 1.6 s; sleep, pauses and shared cores would come on top of simpy
as they do here.

Not modelled: timeouts, failures, connections being opened, and what else runs on the machine.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from experiments.predict.pauses import Pauses
from experiments.predict.speed import SECOND
from experiments.record.schema import ENDPOINTS, OUTCOMES
from experiments.schedule import Endpoint, Plan, on_tick


@dataclass(frozen=True)
class Times:
    """What a job takes, in seconds. A sequence is replayed: each poll takes one of its values at random."""

    serve: dict[Endpoint, Sequence[float]]
    """A worker's time for a poll."""
    send: dict[Endpoint, float] = field(default_factory=lambda: {"status": 0.0, "bulk": 0.0})
    """A generator's time to send a poll."""
    read: dict[Endpoint, float] = field(default_factory=lambda: {"status": 0.0, "bulk": 0.0})
    """A generator's time to read an answer."""
    server_wake: float = 0.0
    """A worker's time to fall asleep and wake up again."""
    generator_wake: float = 0.0
    """A generator's time for the same."""
    delay: dict[Endpoint, Sequence[float]] = field(default_factory=lambda: {"status": (0.0,), "bulk": (0.0,)})
    """On the way, where it keeps nobody busy."""
    pauses: Pauses = ()
    """Of every loop."""
    slowness: Sequence[float] = (1.0,)
    """By which factor all of these are longer: each second has one of them, by chance."""


@dataclass(frozen=True)
class Machines:
    """How many loops there are, and cores for them."""

    workers: int = 1
    generators: int = 1
    cores: float = math.inf
    """Shared by all loops."""


@dataclass
class _Loop:
    turn: float
    """Time to fall asleep, and again to wake up."""
    jobs: deque[tuple[float, int, Any]] = field(default_factory=deque)
    """Time it takes, device, what follows."""
    asleep: bool = True


@dataclass
class _Device:
    round: int = 0
    first_due: float = 0.0
    left: tuple[Endpoint, ...] = ()
    """What is still to be polled in this round; the first of them is being polled."""
    due: float = 0.0
    free: float = -math.inf
    sent: float = 0.0


class _Play:
    def __init__(self, plan: Plan, times: Times, machines: Machines) -> None:
        self.plan, self.times, self.machines = plan, times, machines
        self.chance = random.Random(plan.seed)
        self.workers = [_Loop(times.server_wake / 2) for _ in range(machines.workers)]
        self.generators = [_Loop(times.generator_wake / 2) for _ in range(machines.generators)]
        self.worker_of = [self.chance.randrange(machines.workers) for _ in range(plan.clients)]
        self.devices = [_Device() for _ in range(plan.clients)]
        self.cores = machines.cores
        self.waiting: deque[_Loop] = deque()
        self.events: list[tuple[float, int, Any, Any]] = []
        self.number = 0
        luck = random.Random(f"{plan.seed} slowness")
        # The last one holds for what is still under way after the window.
        seconds = math.ceil((plan.warmup_s + plan.window_s) / SECOND) + 1
        self.slowness = [luck.choice(times.slowness) for _ in range(seconds)]
        self.rows: list[tuple[int, str, str, float, float, float | None, float]] = []

    def run(self) -> None:
        for loop in (*self.workers, *self.generators):
            for length, rate in self.times.pauses:
                self._pause(loop, length, rate)
        for client in range(self.plan.clients):
            self._next_round(client)
        while self.events:
            now, _, what, about = heapq.heappop(self.events)
            what(now, about)

    # -- devices -----------------------------------------------------------------------------------

    def _next_round(self, client: int) -> None:
        device, plan = self.devices[client], self.plan
        device.round += 1
        if plan.pacing == "fixed" or device.round == 1:
            due = plan.due(client, plan.clocks[0], device.round)
        else:
            due = on_tick(device.free + plan.interval_s)
        if due < plan.window_s:
            device.first_due = device.due = due
            device.left = plan.named(client, plan.clocks[0], device.round)
            self._at(max(due, device.free), self._ready, client)

    def _ready(self, now: float, client: int) -> None:
        device = self.devices[client]
        if now >= self.plan.window_s:
            for endpoint in device.left:
                self._row(client, endpoint, "unsent_busy", device.first_due, None, self.plan.window_s)
            self._next_round(client)
            return
        self._send(now, client)

    def _send(self, now: float, client: int) -> None:
        self._give(now, self._generator(client), self.times.send[self.devices[client].left[0]], client, self._sent)

    def _sent(self, now: float, client: int) -> None:
        device = self.devices[client]
        device.sent = now
        took = self._one_of(self.times.serve[device.left[0]])
        self._give(now, self.workers[self.worker_of[client]], took, client, self._served)

    def _served(self, now: float, client: int) -> None:
        self._at(now + self._one_of(self.times.delay[self.devices[client].left[0]]), self._came, client)

    def _came(self, now: float, client: int) -> None:
        self._give(now, self._generator(client), self.times.read[self.devices[client].left[0]], client, self._done)

    def _done(self, now: float, client: int) -> None:
        device = self.devices[client]
        endpoint, *rest = device.left
        self._row(client, endpoint, "ok", device.due, device.sent, now)
        device.free = now
        if rest:
            device.left, device.due = tuple(rest), now
            # A round that was begun is finished, also when the window closes meanwhile.
            self._send(now, client)
        else:
            self._next_round(client)

    def _row(self, client: int, endpoint: str, outcome: str, due: float, sent: float | None, done: float) -> None:
        self.rows.append((client, endpoint, outcome, self.devices[client].first_due, due, sent, done))

    def _pause(self, loop: _Loop, length: float, rate: float) -> None:
        """Pauses at random instants; each is a job that nobody asked for."""
        when = -self.plan.warmup_s + self.chance.expovariate(rate)
        while when < self.plan.window_s:
            self._at(when, lambda now, _: self._give(now, loop, length, -1, lambda now, client: None), None)
            when += self.chance.expovariate(rate)

    # -- loops and cores ---------------------------------------------------------------------------

    def _generator(self, client: int) -> _Loop:
        return self.generators[client % len(self.generators)]

    def _give(self, now: float, loop: _Loop, took: float, client: int, then: Any) -> None:
        loop.jobs.append((took, client, then))
        if loop.asleep:
            loop.asleep = False
            self._want_core(now, loop, loop.turn)

    def _want_core(self, now: float, loop: _Loop, wake: float = 0.0) -> None:
        if self.cores < 1:
            # Whoever waits for a core wakes up meanwhile as the core falls to it.
            loop.jobs[0] = (loop.jobs[0][0] + wake, *loop.jobs[0][1:])
            self.waiting.append(loop)
        else:
            self.cores -= 1
            self._at(now + self._slowness(now) * (loop.jobs[0][0] + wake), self._ended, loop)

    def _ended(self, now: float, loop: _Loop) -> None:
        _, client, then = loop.jobs.popleft()
        then(now, client)
        if not loop.jobs:
            self._at(now + self._slowness(now) * loop.turn, self._dozed, loop)
            return
        self.waiting.append(loop)
        self._release(now)

    def _dozed(self, now: float, loop: _Loop) -> None:
        if loop.jobs:
            self.waiting.append(loop)
        else:
            loop.asleep = True
        self._release(now)

    def _release(self, now: float) -> None:
        self.cores += 1
        if self.waiting:
            self._want_core(now, self.waiting.popleft())

    def _slowness(self, now: float) -> float:
        return self.slowness[min(int((now + self.plan.warmup_s) / SECOND), len(self.slowness) - 1)]

    def _at(self, when: float, what: Any, about: Any) -> None:
        self.number += 1
        heapq.heappush(self.events, (when, self.number, what, about))

    def _one_of(self, values: Sequence[float]) -> float:
        return values[0] if len(values) == 1 else self.chance.choice(values)


def play(plan: Plan, times: Times, machines: Machines = Machines()) -> pl.DataFrame:
    """Plays a plan through.

    Returns:
        The measured polls: frame(client, endpoint, outcome, due_s, sent_s, done_s, response_s, latency_s), with the
        meaning that the record's columns have; `sent_s` is when the generator had sent the poll. Polls that were due and
        could not be sent before the window closed are `unsent_busy`, as in a record.
    """
    game = _Play(plan, times, machines)
    game.run()
    names = ("client", "endpoint", "outcome", "first_due_s", "due_s", "sent_s", "done_s")
    kinds = (pl.UInt32(), pl.Enum(ENDPOINTS), pl.Enum(OUTCOMES), pl.Float64(), pl.Float64(), pl.Float64(), pl.Float64())
    frame = pl.DataFrame(game.rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    response, latency = pl.col("done_s") - pl.col("due_s"), pl.col("done_s") - pl.col("sent_s")
    measured = frame.filter(pl.col("first_due_s") >= 0).drop("first_due_s")
    return measured.with_columns(response_s=response, latency_s=latency)
