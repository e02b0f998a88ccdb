"""The sampler against processes whose cost is known."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from experiments.measure.host import fingerprint
from experiments.measure.sampler import MOST_ROWS, ProcessTree, Sampler, open_files, spaced_ms
from experiments.record import schema
from experiments.scenario import Scenario
from tests.support.processes import descendants, still_alive

CHILD = """
import subprocess, sys, time
large = "import time; x = b'1' * 30_000_000; print('large', flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", large], stdout=subprocess.PIPE)
child.stdout.readline()
end = time.process_time() + 0.3
while time.process_time() < end: pass
print("busy no more", flush=True)
time.sleep(60)
"""


def sampled(path: Path, trees: list[ProcessTree], instants: Sequence[float], start_at: float = 0.0) -> pl.DataFrame:
    """What is on disk of samples at these instants of a made-up clock, the last of which ends the run."""
    now = instants[0]
    sampler = Sampler(path, 50, trees, start_at, clock=lambda: now)
    for now in instants:
        sampler.sample(last=now == instants[-1])
    sampler.save()
    assert sampler.samples == len(instants)
    return pl.read_parquet(path / "resources.parquet", glob=False)


def group(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The samples of one group, in the order in which they were taken."""
    return frame.filter(pl.col("group") == name)


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    """A process that has worked for a while, with a child."""
    process = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy no more\n"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_tree_is_sampled_with_its_descendants_and_its_past(tmp_path: Path, family: subprocess.Popen[str]) -> None:
    """CPU is what the processes used, memory counts the child, and CPU does not fall when a process ends."""
    sampler = Sampler(tmp_path, 50, [ProcessTree("server", 0, (family.pid,))], 0.0, clock=lambda: 1.0)
    sampler.sample()
    killed = descendants(family.pid)
    os.killpg(family.pid, signal.SIGKILL)
    family.wait()
    assert still_alive(killed) == []
    sampler.sample(last=True)
    sampler.save()
    frame = pl.read_parquet(tmp_path / "resources.parquet", glob=False)
    assert frame.schema == schema.dtypes(schema.RESOURCES)
    server = group(frame, "server")
    assert server["processes"].to_list() == [2, 0]
    assert server["rss_bytes"][0] > 30_000_000
    assert 0.3 <= server["cpu_s"][0] <= server["cpu_s"][1] < 5
    assert server["uss_bytes"][0] > 30_000_000


def test_what_is_expensive_to_read_is_read_before_the_window_and_after_the_load(tmp_path: Path) -> None:
    """Reading USS and connections takes processor time that the server would miss: a short window has none of it."""
    instants = [100.0, 100.9, 101.0, 101.5, 102.0, 130.0, 160.9, 161.0, 161.5, 170.0]
    own = group(sampled(tmp_path, [ProcessTree("server", 0, (os.getpid(),))], instants, start_at=102.0), "server")
    assert own["t_s"].to_list() == [at - 102.0 for at in instants]
    expensive = own.drop_nulls("uss_bytes")
    assert expensive["t_s"].to_list() == [-1.0, 59.0, 68.0]
    assert expensive["connections"].null_count() == 0
    assert own["connections"].null_count() == len(instants) - 3


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a thread has a priority of its own")
def test_the_sampler_gives_way_and_nobody_else_does(tmp_path: Path) -> None:
    """Its thread has a lower priority than the process that it belongs to."""
    seen: queue.SimpleQueue[int] = queue.SimpleQueue()

    class Asked(ProcessTree):
        def sample(self, *, expensive: bool) -> dict[str, Any]:
            seen.put(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super().sample(expensive=expensive)

    sampler = Sampler(tmp_path, 50, [Asked("server", 0, ())], time.monotonic())
    sampler.start()
    priority = seen.get(timeout=30)
    sampler.stop()
    assert priority > os.getpriority(os.PRIO_PROCESS, 0)


def test_the_host_is_sampled_core_by_core(tmp_path: Path) -> None:
    """Each sample has the host's cumulative busy time, in all and by core, and its steal."""
    hosts = group(sampled(tmp_path, [], [0.0, 0.05, 0.1]), "host")
    assert hosts["t_s"].to_list() == [0.0, 0.05, 0.1]
    assert hosts["cpu_s"].is_sorted()
    assert hosts.select((pl.col("core_busy_s").list.sum() - pl.col("cpu_s")).abs().max()).item() < 1e-6
    assert hosts["core_busy_s"].list.len().unique().to_list() == [os.cpu_count()]
    assert hosts["steal_s"].null_count() == 0


def test_samples_are_taken_until_the_end_and_once_more(tmp_path: Path) -> None:
    """The thread begins at once, and the last sample is of the moment at which the load was over."""
    seen: queue.SimpleQueue[bool] = queue.SimpleQueue()

    class Asked(ProcessTree):
        def sample(self, *, expensive: bool) -> dict[str, Any]:
            seen.put(expensive)
            return super().sample(expensive=expensive)

    sampler = Sampler(tmp_path, 1, [Asked("server", 0, ())], 1e9, clock=lambda: 0.0)
    sampler.start()
    assert [seen.get(timeout=30) for _ in range(3)] == [False] * 3
    sampler.stop()
    rest = [seen.get() for _ in range(sampler.samples - 3)]
    assert rest == [False] * (len(rest) - 1) + [True]
    assert group(pl.read_parquet(tmp_path / "resources.parquet", glob=False), "server").height == sampler.samples


def test_a_folder_that_is_gone_is_said_and_not_raised(tmp_path: Path) -> None:
    """Samples that cannot be written do not end the run."""
    sampler = Sampler(tmp_path / "gone", 50, [], time.monotonic())
    sampler.start()
    sampler.stop()
    assert sampler.error is not None
    assert "could not be written" in sampler.error


def test_open_files_are_counted_as_they_are() -> None:
    """The quick way gives what counting one by one gives."""
    own = psutil.Process()
    before = open_files(own)
    pipes = [os.pipe() for _ in range(10)]
    after = open_files(own)
    for end in (end for pipe in pipes for end in pipe):
        os.close(end)
    assert after - before == 20
    assert open_files(own) == before


def test_the_fingerprint_tells_the_machine_and_nobody() -> None:
    """It holds versions and hardware, and no name or path of the user's."""
    text = repr(fingerprint.fingerprint())
    assert "'falcon'" in text
    assert "'cores'" in text
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text or len(os.uname().nodename) < 3


def test_samples_of_a_run_of_days_are_further_apart() -> None:
    """A run of hours is sampled as asked; of one of any length no more rows are kept than memory should hold."""
    assert spaced_ms(Scenario(minutes=10)) == spaced_ms(Scenario(minutes=12 * 60)) == 500.0
    for generators in (1, 4, 16):
        scenario = Scenario(minutes=7 * 24 * 60, generators=generators)
        rows = (scenario.window_s + scenario.warmup_s) / spaced_ms(scenario) * 1000 * (max(1, generators) + 3)
        assert rows <= MOST_ROWS * 1.001


def test_at_a_border_the_cost_of_each_server_is_noted(tmp_path: Path) -> None:
    """Its CPU and the instant, and nothing that takes time to read; whoever is no server is left alone."""
    trees = [ProcessTree("server", number, (os.getpid(),), descendants=False) for number in (0, 1)]
    trees.append(ProcessTree("kernel", 0, (os.getpid(),), descendants=False))
    sampler = Sampler(tmp_path, 500, trees, 0.0, clock=iter(range(100)).__next__, borders=[1.0])
    sampler.sample()
    sampler.at_border()
    sampler.sample()
    sampler.save()
    table = pl.read_parquet(tmp_path / "resources.parquet", glob=False)
    noted = table.filter((pl.col("group") == "server") & pl.col("rss_bytes").is_null())
    assert noted["instance"].to_list() == [0, 1]
    assert noted["t_s"].n_unique() == 2
    assert noted["cpu_s"].null_count() == 0
    assert (table.filter(pl.col("group") == "kernel")["rss_bytes"].null_count(), len(table)) == (0, 2 * 4 + 2)
