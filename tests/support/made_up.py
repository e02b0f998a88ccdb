"""Made-up records: a scenario played through against an imagined server, and written as a real run is.

Devices live as in `experiments.measure`: sequential, by the plan, with a generator that is a little late. Nothing waits,
so ten minutes of a swarm take seconds. All times are seconds from the start of the measured window.

    record = made_up(tmp_path, SMALL, server=stalling(at=5, lasting=2))
    damage_rows(record, lambda rows: rows.head(100))
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from experiments.agenda import Agenda
from experiments.record import reading, schema, store
from experiments.record.reading import Record
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from experiments.schedule import Plan
from experiments.target import loading
from experiments.target.file import ranges
from experiments.target.hello import NAME as HELLO
from experiments.target.loaded import Loaded

SMALL = Scenario(clients=40, interval_ms=250, minutes=0.5, warmup_s=1)
"""5,280 polls in half a minute: p99 of A is supported, p99.9 is not."""

_GRACE_S = 2.0
_GENERATOR_PID, _SERVER_PID, _WORKER_PID = 300, 200, 201
_ENVIRONMENT = {
    "python": "3.11.7",
    "implementation": "cpython",
    "platform": "Linux",
    "kernel": "6.1",
    "cpu_model": "an imagined processor",
    "cores": 2,
    "memory_bytes": 8 * 2**30,
    "packages": {"falcon": "4.4.0", "httpx": "0.28.1", "uvicorn": "0.54.0"},
    "lab_version": "0.1.0",
    "clock": {"name": "clock_gettime(CLOCK_MONOTONIC)", "resolution_s": 1e-9},
}


class Poll(NamedTuple):
    """What a server sees of a poll."""

    client: int
    round: int
    endpoint: str
    sent_s: float
    system: int = 0
    """The server that is asked, where there are several."""


class Answer(NamedTuple):
    """What it answers; what takes longer than the scenario's timeout becomes a `read_timeout`."""

    latency_s: float
    outcome: Outcome = Outcome.OK
    status: int = 200
    body_bytes: int | None = None
    """None for what the endpoint must answer; 0 without a status."""
    failed_check: str | None = None
    """The expectation of the target that it breaks."""
    next_poll_s: float | None = None
    """After how long it wants to be asked again, where the endpoint may say so."""


Server = Callable[[Poll], Answer]
Lag = Callable[[float], float]
"""When a poll is ready -> how much later it is sent."""


def ideal(base_s: float = 0.0004, jitter_s: float = 0.0002, seed: int = 1) -> Server:
    """Answers A after `base_s` and an exponential jitter, B after three times that."""
    chance = random.Random(seed)
    weight = {"bulk": 3.0}
    return lambda poll: Answer(weight.get(poll.endpoint, 1.0) * (base_s + chance.expovariate(1 / jitter_s)))


def stalling(at: float, lasting: float, server: Server | None = None) -> Server:
    """Answers nothing from `at` on, until it answers all at once."""
    inner = server or ideal()

    def answer(poll: Poll) -> Answer:
        held = at + lasting - poll.sent_s if at <= poll.sent_s < at + lasting else 0.0
        answered = inner(poll)
        return answered._replace(latency_s=answered.latency_s + held)

    return answer


def failing(outcome: Outcome, every: int = 10, status: int = 0, server: Server | None = None) -> Server:
    """Answers every so-many-th round with a failure."""
    inner = server or ideal()
    failure = Answer(0.0005, outcome, status, 0)
    return lambda poll: failure if poll.round % every == 0 else inner(poll)


def late(by_s: float = 0.00003, stall_at: float = math.inf, lasting: float = 0.0) -> Lag:
    """A generator that is always late by `by_s`, and stands still once."""

    def lag(ready: float) -> float:
        return by_s + (stall_at + lasting - ready if stall_at <= ready < stall_at + lasting else 0.0)

    return lag


@dataclass(frozen=True)
class Costs:
    """What the sampler saw, in cores of the two that this machine has."""

    server: float = 0.5
    """Of each server, where there are several."""
    generator: float = 0.3
    others: float = 0.01
    steal: float = 0.0


def target_of(folder: Path, text: str, name: str = "fleet") -> Loaded:
    """A target file with this text, read."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return loading.load(str(path))


@dataclass
class _Simulation:
    scenario: Scenario
    plan: Plan
    sizes: dict[str, int]
    """Bytes of a right answer, by endpoint."""
    server: Server
    lag: Lag
    close_at: float
    parts: dict[int, list[RowBuffer]] = field(default_factory=dict)
    rows_a_part: int = 20_000

    @property
    def given_up(self) -> float:
        """When polls in flight are not waited for any more."""
        return self.close_at + _GRACE_S if self.close_at < self.scenario.window_s else math.inf

    def run(self) -> None:
        count = max(1, self.scenario.generators)
        for instance in range(count):
            self.parts[instance] = [RowBuffer(0.0)]
            for client in self.plan.shard(instance, count):
                self._live(client, instance)

    def _live(self, client: int, instance: int) -> None:
        agenda, free, complete = Agenda(self.plan, client), -math.inf, True
        while agenda.tracks and (agenda.now.place or agenda.now.due < self.close_at):
            now = agenda.now
            complete = complete or not now.place
            poll = Poll(client, now.round, self.plan.endpoints[now.endpoint], 0.0, self.plan.system(client))
            ready = max(now.due, free)
            sent = ready + self.lag(ready)
            begun = now.place > 0 and complete and ready < self.given_up
            if sent >= self.close_at and not begun:
                self._give_up(instance, poll, now.round_due, free)
                complete = False
                if not now.skip():
                    self._leave(agenda)
                continue
            free, wait_s = self._ask(instance, poll._replace(sent_s=sent), now.due, ready)
            agenda.ended(free, wait_s if now.clock.told else None)

    def _leave(self, agenda: Agenda) -> None:
        """A round was not made to its end: its clock goes on if it may, and ends if the next one is due by that end."""
        if self.plan.follows_the_clock(agenda.now.clock):
            agenda.now.next_round()
        else:
            agenda.tracks.remove(agenda.now)
        if agenda.tracks:
            agenda.now = min(agenda.tracks, key=lambda track: (track.due, track.endpoint))

    def _ask(self, instance: int, poll: Poll, due: float, ready: float) -> tuple[float, float | None]:
        answer = self.server(poll)
        timeout = self.scenario.timeout_s
        if answer.latency_s > timeout:
            answer = Answer(timeout, Outcome.READ_TIMEOUT, 0, 0)
        if poll.sent_s + answer.latency_s > self.given_up:
            answer = Answer(self.given_up - poll.sent_s, Outcome.INTERRUPTED, 0, 0)
        size = self.sizes[poll.endpoint] if answer.body_bytes is None else answer.body_bytes
        done = poll.sent_s + answer.latency_s
        row = (poll.client, poll.round, self.plan.endpoints.index(poll.endpoint), due, ready, poll.sent_s, done)
        self._buffer(instance).add(*row, 0.0, answer.status, size, answer.outcome, failed_check=answer.failed_check)
        return done, answer.next_poll_s

    def _give_up(self, instance: int, poll: Poll, first_due: float, free: float) -> None:
        busy = first_due < free or free >= self.close_at
        outcome = Outcome.UNSENT_BUSY if busy else Outcome.UNSENT_LATE
        number = self.plan.endpoints.index(poll.endpoint)
        row = (poll.client, poll.round, number, first_due, NEVER, NEVER, self.close_at)
        self._buffer(instance).add(*row, 0.0, 0, 0, outcome)

    def _buffer(self, instance: int) -> RowBuffer:
        if len(self.parts[instance][-1]) >= self.rows_a_part:
            self.parts[instance].append(RowBuffer(0.0))
        return self.parts[instance][-1]


def made_up(
    folder: Path,
    scenario: Scenario = SMALL,
    *,
    server: Server | None = None,
    lag: Lag | None = None,
    costs: Costs = Costs(),
    cut_short_at: float | None = None,
    killed_at: float | None = None,
    target: Loaded | None = None,
) -> Record:
    """Makes up a run and writes its record.

    Args:
        folder: where the run directory is made; its name is the scenario's `run_id`, or `made-up`.
        server: poll -> answer; `ideal()` by default.
        lag: how late the generator is.
        cut_short_at: the run was interrupted then, and sealed.
        killed_at: everything died then: later rows are lost, and there is no run.json.
        target: what is asked; the article's two endpoints by default. It takes the place of the scenario's.
    """
    path = store.create(str(folder), scenario.run_id or "made-up", scenario.short_hash)
    close_at = scenario.window_s if cut_short_at is None else cut_short_at
    plan = scenario.plan if target is None else scenario.plan_of(target)
    sizes = scenario.body_bytes if target is None else _sizes(target)
    play = _Simulation(scenario, plan, sizes, server or ideal(seed=scenario.seed), lag or late(), close_at)
    play.run()
    for instance, buffers in play.parts.items():
        for number, buffer in enumerate(buffers):
            store.write_part(path, instance, number, buffer.take(), endpoints=plan.endpoints, systems=plan.system_of_each)
    started = {
        "schema_version": schema.SCHEMA_VERSION,
        "run_id": path.name,
        "started_at": "2026-11-24T10:00:00.000Z",
        "scenario": scenario.model_dump() | ({} if target is None or scenario.target != HELLO else {"target": target.name}),
        "environment": _ENVIRONMENT,
        "endpoints": list(plan.endpoints),
        "plan": json.loads(json.dumps(asdict(plan))),
        "target": {} if target is None else target.shown(),
    }
    store.write_json(path / "started.json", started)
    until = close_at if killed_at is None else killed_at
    store.write_table(path / "resources.parquet", _resources(scenario, costs, until))
    if killed_at is not None:
        record = reading.load(path)
        damage_rows(record, lambda rows: rows.filter(pl.col("done_s") < killed_at))
        return reading.load(path)
    store.write_json(path / "run.json", started | _facts(reading.load(path), close_at, costs))
    return reading.load(path)


def _sizes(target: Loaded) -> dict[str, int]:
    expected = {name: one.expect.bytes for name, one in target.target.endpoints.items()}
    return {name: 120 if size is None else int(ranges.of_bytes(size).low) for name, size in expected.items()}


def damage_rows(record: Record, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Record:
    """Writes every part of the record again, changed; opens the record anew."""
    for part in sorted((record.path / "requests").glob("part-*.parquet")):
        store.write_table(part, change(pl.read_parquet(part, glob=False)))
    return reading.load(record.path)


def damage_facts(record: Record, change: Callable[[dict[str, Any]], object]) -> Record:
    """Changes run.json in place by `change`; opens the record anew."""
    facts = reading.load(record.path).facts
    change(facts)
    store.write_json(record.path / "run.json", facts)
    return reading.load(record.path)


def _facts(record: Record, window_s: float, costs: Costs) -> dict[str, Any]:
    scenario, rows = record.scenario, record.requests()
    cut_short = window_s < scenario.window_s
    each = [rows.filter(pl.col("system").fill_null(0) == number) for number in range(record.plan.systems)]
    first, *others = [_server(scenario, number, polled) for number, polled in enumerate(each)]
    return {
        "ended_at": "2026-11-24T10:10:00.000Z",
        "window_s": window_s,
        "cut_short": "interrupted by the experimenter" if cut_short else None,
        "totals": _totals(rows, record.plan),
        "server": first,
        **({"beside": others} if others else {}),
        "generator": {
            "engine": scenario.engine,
            "instances": [_instance(record, number, costs) for number in range(max(1, scenario.generators))],
        },
        "sampler": {"sample_ms": scenario.sample_ms, "samples": 100, "kernel_pid": 100, "error": None},
    }


def _server(scenario: Scenario, number: int, rows: pl.DataFrame) -> dict[str, Any]:
    reached = rows.filter(pl.col("sent_s").is_not_null() & (pl.col("outcome") != "connect_refused"))
    shares = [len(reached) // scenario.workers] * scenario.workers
    shares[0] += len(reached) - sum(shares)
    pids = [_WORKER_PID + 1000 * number + place for place in range(scenario.workers)]
    return {
        "name": scenario.systems[number].server or scenario.server,
        "called": scenario.names[number],
        "url": f"http://127.0.0.1:{8000 + number}",
        "started_by_lab": True,
        "framework": "falcon",
        "framework_version": "4.4.0",
        "command": ["python", "-m", "uvicorn", "server.apps.falcon_asgi:app"],
        "headers": {name: {"content-length": str(size)} for name, size in scenario.body_bytes.items()},
        "main_pid": _SERVER_PID + 1000 * number,
        "workers": [
            {"pid": pid, "served_before": 4, "served_after": 4 + served, "served": served}
            for pid, served in zip(pids, shares, strict=True)
        ],
        "worker_pids_at_end": pids,
        "exit": {"code": 0, "how": "terminated", "seconds": 0.1},
        "died": None,
    }


def _totals(rows: pl.DataFrame, plan: Plan) -> dict[str, int]:
    clock_of = {plan.endpoints[place]: number for number, clock in enumerate(plan.clocks) for place in clock.endpoints}
    clock = pl.col("endpoint").cast(pl.String).replace_strict(clock_of, return_dtype=pl.Int64)
    first = pl.col("due_s").min().over("client", "round", clock)
    counts = dict(rows.filter(first >= 0)["outcome"].cast(pl.String).value_counts().iter_rows())
    unsent = {name: counts.pop(name, 0) for name in schema.UNSENT}
    sent, ok = sum(counts.values()), counts.get("ok", 0)
    return {"planned": sent + sum(unsent.values()), "sent": sent, "ok": ok, "failed": sent - ok, **unsent}


def _instance(record: Record, number: int, costs: Costs) -> dict[str, Any]:
    scenario = record.scenario
    count = max(1, scenario.generators)
    rows = record.requests().filter(pl.col("client") % count == number)
    sent = rows.filter(pl.col("sent_s").is_not_null() & (pl.col("outcome") != "connect_refused"))
    clients = len(record.plan.shard(number, count))
    return {
        "instance": number,
        "pid": _GENERATOR_PID + number,
        "clients": clients,
        "attempts": len(sent),
        "connects": clients,
        "reconnects": 0,
        "retries": 0,
        "checksums": len(sent) // 64,
        "compared": {name: len(sent.filter(pl.col("endpoint") == name)) // 64 for name in record.endpoints},
        "differed": dict.fromkeys(record.endpoints, 0),
        "cpu_s": costs.generator * (record.scenario.warmup_s + record.scenario.window_s),
        "rss_peak_bytes": 60_000_000,
        "cpu_wait_ratio": 0.01,
        "longest_stall_s": 0.004 + _stall_s(sent["sent_s"] - sent["ready_s"]),
        "parts": len(list((record.path / "requests").glob(f"part-{number}-*.parquet"))),
        "rows": len(rows),
        "lost_rows": 0,
        "error": None,
    }


def _stall_s(lags: pl.Series) -> float:
    """By how much the latest poll was later than most are."""
    return float(max(lags - lags.median(), default=0.0))


def _resources(scenario: Scenario, costs: Costs, until_s: float) -> pl.DataFrame:
    """Samples from the start of the warm-up until a little after the window."""
    generators = max(1, scenario.generators)
    ours = costs.server + generators * costs.generator + 0.01
    servers = len(scenario.systems)
    ours += (servers - 1) * costs.server
    rates = {("server", number): costs.server for number in range(servers)}
    rates |= {("kernel", 0): 0.01, ("host", 0): ours + costs.others}
    rates |= {("generator", number): costs.generator for number in range(generators)}
    period = scenario.sample_ms / 1000
    samples = math.ceil((until_s + scenario.warmup_s) / period) + 2
    rows = []
    for number in range(samples):
        t = -scenario.warmup_s - 0.1 + number * period
        rows += [_sample(t, t + 100.0, number, group, rate, costs) for group, rate in rates.items()]
    return pl.DataFrame(rows, schema=schema.dtypes(schema.RESOURCES))


def _sample(t: float, lived: float, number: int, group: tuple[str, int], cores: float, costs: Costs) -> dict[str, Any]:
    """One sample of one group, which has used `cores` since it began `lived` seconds ago."""
    host = group[0] == "host"
    seldom = number % 10 == 0 and not host
    return {
        "t_s": t,
        "group": group[0],
        "instance": group[1],
        "cpu_s": cores * lived,
        "rss_bytes": 2 * 10**9 if host else 60_000_000 + 1000 * number,
        "uss_bytes": 50_000_000 if seldom else None,
        "processes": None if host else 2 if group[0] == "server" else 1,
        "threads": None if host else 4,
        "fds": None if host else 50,
        "connections": 40 if seldom and group[0] != "kernel" else None,
        "steal_s": costs.steal * lived if host else None,
        "core_busy_s": [cores / 2 * lived] * 2 if host else None,
    }
