"""The sampler against processes whose cost is known."""

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from experiments.errors import ParameterError
from experiments.measure import preflight
from experiments.measure.host import fingerprint
from experiments.measure.sampler import ProcessTree, Sampler
from experiments.record import schema
from experiments.scenario import Scenario

CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; x = b'1' * 30_000_000; time.sleep(60)"])
end = time.process_time() + 0.3
while time.process_time() < end: pass
print("busy no more", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_tree_is_sampled_with_its_descendants_and_its_past(tmp_path: Path) -> None:
    """CPU is what the processes used, memory counts the child, and CPU does not fall when a process ends."""
    process = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, start_new_session=True)
    sampler = Sampler(tmp_path, 50, [ProcessTree("server", 0, (process.pid,))], time.monotonic())
    try:
        assert process.stdout is not None
        process.stdout.readline()
        sampler.start()
        time.sleep(0.5)
        os.killpg(process.pid, 9)
        process.wait()
        time.sleep(0.2)
    finally:
        process.stdout.close()  # type: ignore[union-attr]
        sampler.stop()
    frame = pl.read_parquet(tmp_path / "resources.parquet", glob=False)
    assert frame.schema == schema.dtypes(schema.RESOURCES)
    server = frame.filter(pl.col("group") == "server")
    assert server["processes"][1] == 2
    assert server["rss_bytes"][1] > 30_000_000
    assert 0.3 <= server["cpu_s"].max() < 5  # type: ignore[operator]
    assert server["cpu_s"].is_sorted()
    assert server["processes"][-1] == 0
    assert server["uss_bytes"].drop_nulls().len() >= 1


@pytest.mark.slow
def test_what_is_dear_to_read_is_read_before_the_window_and_after_the_load(tmp_path: Path) -> None:
    """Reading USS and connections takes processor time that the server would miss: a short window has none of it."""
    sampler = Sampler(tmp_path, 50, [ProcessTree("server", 0, (os.getpid(),))], time.monotonic() + 1.2)
    sampler.start()
    time.sleep(1.5)
    sampler.stop()
    own = pl.read_parquet(tmp_path / "resources.parquet", glob=False).filter(pl.col("group") == "server").sort("t_s")
    dear = own.drop_nulls("uss_bytes")
    assert dear["connections"].null_count() == 0
    assert dear.height == 2
    assert -1.0 <= dear["t_s"][0] < 0
    assert dear["t_s"][1] == own["t_s"][-1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a thread has a priority of its own")
def test_the_sampler_gives_way_and_nobody_else_does(tmp_path: Path) -> None:
    """Its thread has a lower priority than the process that it belongs to."""
    sampler = Sampler(tmp_path, 50, [], time.monotonic())
    sampler.start()
    time.sleep(0.1)
    (thread,) = (one for one in threading.enumerate() if one.name == "sampler")
    assert thread.native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) > os.getpriority(os.PRIO_PROCESS, 0)
    sampler.stop()


@pytest.mark.slow
def test_the_host_is_sampled_core_by_core(tmp_path: Path) -> None:
    """Each sample has the host's cumulative busy time, in all and by core, and its steal."""
    sampler = Sampler(tmp_path, 50, [], time.monotonic())
    sampler.start()
    time.sleep(0.2)
    sampler.stop()
    hosts = pl.read_parquet(tmp_path / "resources.parquet", glob=False).filter(pl.col("group") == "host")
    assert hosts.height == sampler.samples >= 2
    assert hosts["cpu_s"].is_sorted()
    assert hosts.select((pl.col("core_busy_s").list.sum() - pl.col("cpu_s")).abs().max()).item() < 1e-6
    assert hosts["core_busy_s"].list.len().unique().to_list() == [os.cpu_count()]
    assert hosts["steal_s"].null_count() == 0


def test_a_folder_that_is_gone_is_said_and_not_raised(tmp_path: Path) -> None:
    """Samples that cannot be written do not end the run."""
    sampler = Sampler(tmp_path / "gone", 50, [], time.monotonic())
    sampler.start()
    sampler.stop()
    assert sampler.error is not None
    assert "could not be written" in sampler.error


def test_too_few_open_files_are_refused_in_words() -> None:
    """A swarm beyond the hard limit is refused with the number that fits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.raises(ParameterError, match=f"at most {hard - 100:,} clients"):
        preflight.allow_files(preflight.files_needed(Scenario(clients=hard).parts))


def test_the_open_files_needed_follow_the_largest_process() -> None:
    """A generator holds its share of the devices, the server holds all of them."""
    assert preflight.files_needed(Scenario(clients=1000, generators=4).parts) == 1100
    assert preflight.files_needed(Scenario(clients=1000, generators=4, server_url="http://127.0.0.1:1").parts) == 350


def test_the_fingerprint_tells_the_machine_and_nobody() -> None:
    """It holds versions and hardware, and no name or path of the user's."""
    text = repr(fingerprint.fingerprint())
    assert "'falcon'" in text
    assert "'cores'" in text
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text or len(os.uname().nodename) < 3
