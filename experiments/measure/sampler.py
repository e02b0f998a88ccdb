"""What a run costs: CPU, memory, threads, files and connections of the server, the generators, this process and the host.

A thread of its own, so that a slow look at /proc delays nobody's poll, and one that gives way to whoever else wants the
processor: the server, or the generator. CPU is kept cumulative, as the kernel counts it: a late sample then blurs nothing,
and CPU per request is exact over any stretch.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from experiments.measure.host import cpu_clock, network
from experiments.measure.host.allowance import Allowance
from experiments.record import reading, schema, store

if TYPE_CHECKING:
    import polars as pl

    from experiments.scenario import Scenario

EXPENSIVE_BEFORE_S = 1.0
EXPENSIVE_EVERY_S = 60.0
"""USS and connections are read in the last second of the warm-up, when all devices are connected, then once a minute, and
when the load is over. For 3,000 devices on two cores that takes a fifth of a second of a core: read every five seconds, it
was the whole of what Falcon's p99 was then over its service level (120 to 280 ms of backlog, each time)."""
_MOST_LOOKED_AT = 10_000
"""Files of a process among which its connections are looked for: with 16,000 that takes 1.6 s, and tells no more."""
_NICE = 10
_SAVE_EVERY_S = 5.0
_SAVE_SHARE = 0.01
"""Saving rewrites the whole table; in a run of many hours it is done more seldom, to stay below this share of the time."""

MOST_ROWS = 400_000
"""Of the table: 45 MB in memory, and as much to sort for each chart. Of 7 days it is a sample every 6 s."""


def spaced_ms(scenario: Scenario) -> float:
    """Milliseconds between two samples: as asked, or further apart where a run is so long that there would be too many.

    CPU is cumulative, so costs stay exact; what is lost is how finely they are drawn, far below what a screen shows.
    """
    groups = max(1, scenario.generators) + 3  # Server, kernel and host.
    lasting_s = scenario.warmup_s + scenario.window_s
    return max(scenario.sample_ms, 1000 * lasting_s * groups / MOST_ROWS)


@dataclass
class ProcessTree:
    """A group of processes that is sampled as one: some processes and, if asked for, all that descend from them."""

    group: str
    instance: int
    pids: tuple[int, ...]
    descendants: bool = True
    allowance: Allowance | None = None
    """Whose CPU quota is looked at with it, if any."""
    _known: dict[int, psutil.Process] = field(default_factory=dict)
    _cpu_s: dict[int, float] = field(default_factory=dict)
    """Last CPU time seen of each process, also of those that have ended since: a cumulative figure never falls."""

    def sample(self, *, expensive: bool) -> dict[str, Any]:
        """The sums over the processes that are alive now; connections of the server alone, whom they tell about."""
        connected = expensive and self.group == "server"
        rss = uss = processes = threads = fds = connections = 0
        for process in self._alive():
            try:
                with process.oneshot():
                    self._cpu_s[process.pid] = cpu_clock.of(process)
                    if process.status() == psutil.STATUS_ZOMBIE:
                        continue
                    rss += process.memory_info().rss
                    threads += process.num_threads()
                    opened = open_files(process)
                    fds += opened
                    if expensive:
                        uss += process.memory_full_info().uss
                    if connected and opened <= _MOST_LOOKED_AT:
                        connections += _established(process)
                    else:
                        connected = False
            except psutil.Error:
                continue  # It ended while being looked at; its CPU time so far stays counted.
            processes += 1
        return {
            "group": self.group,
            "instance": self.instance,
            "cpu_s": sum(self._cpu_s.values()),
            "rss_bytes": rss,
            "uss_bytes": uss if expensive else None,
            "processes": processes,
            "threads": threads,
            "fds": fds,
            "connections": connections if connected else None,
            **_held_back(self.allowance),
        }

    def cpu_s(self) -> float:
        """CPU time so far of the processes that were found last; from any thread."""
        now = dict(self._cpu_s)
        for pid, process in self._known.items():
            with suppress(psutil.Error):  # It ended; its CPU time so far stays counted.
                now[pid] = cpu_clock.of(process)
        return sum(now.values())

    def _alive(self) -> list[psutil.Process]:
        # A worker that outlives its parent is still part of what the server costs, so what was found once stays looked at.
        found = {pid: process for pid, process in self._known.items() if process.is_running()}
        for pid in self.pids:
            try:
                root = found.setdefault(pid, psutil.Process(pid))
                descendants = root.children(recursive=True) if self.descendants else []
            except psutil.Error:
                continue
            for process in descendants:
                found.setdefault(process.pid, process)
        self._known = found
        return list(found.values())


class Sampler:
    """Takes a sample every `sample_ms` from `start` to `stop` and keeps `resources.parquet` up to date.

    Args:
        start_at: the start of the measured window, on the monotonic clock; samples before it have `t_s` < 0.
        arrivals: samples that were taken on other machines, with their `t_s`; they are kept among ours.
        clock: seconds that never go back, those of `start_at`.
        borders: instants, from `start_at` on, at which the CPU time of the servers is noted besides.
    """

    def __init__(
        self,
        run_path: Path,
        sample_ms: float,
        trees: list[ProcessTree],
        start_at: float,
        arrivals: queue.SimpleQueue[list[dict[str, Any]]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        borders: Sequence[float] = (),
    ) -> None:
        self._path = run_path / reading.SAMPLES
        self._period_s = sample_ms / 1000
        self._trees = trees
        self._start_at = start_at
        self._clock = clock
        self._arrivals = arrivals or queue.SimpleQueue()
        self._borders = borders
        self._rows: list[dict[str, Any]] = []
        """Samples since the table was saved last."""
        self._saved: pl.DataFrame | None = None
        """All samples before that; a table, since a day of them as dicts would fill the memory."""
        self._cores: dict[tuple[str, int], float] = {}
        self._previous: dict[tuple[str, int], tuple[float, float]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sampler", daemon=True)
        self._borderer = threading.Thread(target=self._look_at_borders, name="borders", daemon=True)
        self._next_expensive, self._next_save = start_at - EXPENSIVE_BEFORE_S, 0.0
        self.samples = 0
        self.error: str | None = None
        """Why samples could not be kept, if so."""
        self.sha256: str | None = None
        """Of the table as it was saved last: a record shows whether it was changed since."""

    def start(self) -> None:
        """Begins."""
        self._thread.start()
        if self._borders:
            self._borderer.start()

    def stop(self) -> None:
        """Takes a last sample and saves all."""
        self._ended.set()
        self._thread.join(timeout=30)

    def cores(self, group: str) -> float:
        """CPU used by a group between the last two samples, in cores."""
        return sum(cores for (name, _), cores in self._cores.copy().items() if name == group)

    def _work(self) -> None:
        give_way()
        due = self._clock()
        while not self._ended.is_set():
            self.sample()
            if self._clock() >= self._next_save:
                self.save()
            due = max(due + self._period_s, self._clock())
            self._ended.wait(due - self._clock())
        self.sample(last=True)
        self.save()

    def _look_at_borders(self) -> None:
        """A thread of its own that gives way to nobody: it reads one clock a process, and a late look costs a piece."""
        for border in self._borders:
            if self._ended.wait(self._start_at + border - self._clock()):
                return
            self.at_border()

    def at_border(self) -> None:
        """Notes what each server has cost until now, each with an instant of its own, and nothing else of it."""
        for tree in self._trees:
            if tree.group == "server":
                cpu_s = tree.cpu_s()
                row = {"t_s": self._clock() - self._start_at, "group": tree.group, "instance": tree.instance, "cpu_s": cpu_s}
                self._arrivals.put([row])

    def sample(self, *, last: bool = False) -> None:
        """Takes one sample of every group now; the last one has all that is expensive to read."""
        now = self._clock()
        expensive = last or now >= self._next_expensive
        if expensive:
            self._next_expensive = now + EXPENSIVE_EVERY_S
        # The host first: the others' figures may take milliseconds to read, and are part of what it was busy with.
        host = _host()
        t_s = now - self._start_at
        groups = [{"t_s": t_s, **tree.sample(expensive=expensive)} for tree in self._trees]
        while not self._arrivals.empty():
            groups += self._arrivals.get()
        self._rows += [*groups, {"t_s": t_s, **host}]
        for row in groups:
            self._rate(row)
        self.samples += 1

    def _rate(self, row: dict[str, Any]) -> None:
        """Notes the cores that a group has used since its sample before, for the live view."""
        key, now = (row["group"], row["instance"]), (row["t_s"], row["cpu_s"])
        then = self._previous.get(key, now)
        if now[0] > then[0]:
            self._cores[key] = (now[1] - then[1]) / (now[0] - then[0])
        self._previous[key] = now

    def save(self) -> None:
        """Writes all samples so far; where that fails, `error` says why."""
        import polars as pl

        begun = self._clock()
        latest = pl.DataFrame(self._rows, schema=schema.dtypes(schema.RESOURCES))
        self._saved = latest if self._saved is None else pl.concat([self._saved, latest], rechunk=True)
        self._rows = []
        try:
            store.write_table(self._path, self._saved)
            self.sha256 = None  # In case the file that is there now cannot be read back.
            self.sha256 = store.checksum(self._path)
        except OSError as error:
            self.error = self.error or f"samples could not be written ({error.strerror or error})"
        took = self._clock() - begun
        self._next_save = self._clock() + max(_SAVE_EVERY_S, took / _SAVE_SHARE)


def give_way() -> None:
    """Lets whoever else wants the processor have it before this thread; on Linux, where a thread has its own priority."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def open_files(process: psutil.Process) -> int:
    """How many files a process has open.

    From Linux 6.2 on the size of its folder of them says so, in 30 us; read one by one, 16,000 take 100 to 300 ms.
    """
    with suppress(OSError):
        if sys.platform == "linux" and (known := Path(f"/proc/{process.pid}/fd").stat().st_size):
            return known
    return process.num_fds()


def _established(process: psutil.Process) -> int:
    return sum(1 for connection in process.net_connections("tcp") if connection.status == psutil.CONN_ESTABLISHED)


def _held_back(allowance: Allowance | None) -> dict[str, Any]:
    """What a CPU quota did so far; nothing where there is none."""
    counted = allowance.throttling() if allowance else None
    if counted is None:
        return {}
    return {
        "quota_periods": counted.periods,
        "throttled_periods": counted.throttled_periods,
        "throttled_s": counted.throttled_s,
    }


def _host() -> dict[str, Any]:
    cores = psutil.cpu_times(percpu=True)
    busy = [
        core.user + core.nice + core.system + getattr(core, "irq", 0.0) + getattr(core, "softirq", 0.0) for core in cores
    ]
    memory = psutil.virtual_memory()
    return {
        "group": "host",
        "instance": 0,
        "cpu_s": sum(busy),
        "rss_bytes": memory.total - memory.available,
        "steal_s": sum(getattr(core, "steal", 0.0) for core in cores),
        "core_busy_s": busy,
        **network.counters(),
    }
