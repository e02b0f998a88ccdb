"""A run on a real Dask cluster of this machine: the same polls, and a clear word for whatever of it is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import polars as pl
import psutil
import pytest

import experiments as lab
from experiments.analyse.polls import prepare
from experiments.errors import ParameterError
from experiments.measure.servers.ports import free_port
from experiments.record.reading import Record
from experiments.scenario import Engine
from tests.faults.harm import Fault, assert_all_answered, assert_all_planned, check, generators, scenario
from tests.support.cluster import Cluster, cluster
from tests.support.plan_of import assert_as_planned
from tests.support.processes import descendants, still_alive

pytestmark = pytest.mark.slow

HERE: tuple[str, ...] = ()
"""The prefix of a worker on this machine: none."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers, which outlive the tests that use them."""
    with cluster(tmp_path_factory.mktemp("cluster"), HERE, HERE) as running:
        yield running


def run(tmp_path: Path, fleet: Cluster, harm: Callable[[], object] = lambda: None, **parameters: Any) -> Record:
    """Runs on the cluster, with harm done 6.5 s after the warm-up began; no generator may be left after it."""
    load: list[psutil.Process] = []

    def do_harm() -> None:
        load.extend(generators())
        harm()

    asked = {"generators": 2, "dask_scheduler": fleet.address} | parameters
    record = lab.run(scenario(tmp_path, **asked), on_progress=Fault(do_harm, after_s=6.5))
    assert still_alive([*load, *generators()]) == []
    return record


@pytest.mark.parametrize("engine", [engine for engine in get_args(Engine) if engine != "threads"])
def test_workers_poll_what_the_plan_says(tmp_path: Path, two: Cluster, engine: str) -> None:
    """Every poll of the plan has its row, due when it should be, and the record says where it came from."""
    record = run(tmp_path, two, engine=engine)
    assert_all_planned(record)
    assert_as_planned(record)
    assert_all_answered(record)
    assert record.missing == ()
    instances = record.facts["generator"]["instances"]
    assert [item["worker"]["number"] for item in instances] == [1, 2]
    assert len({item["pid"] for item in instances}) == 2
    for name in ("rows_complete", "untouched", "one_at_a_time", "answers", "totals", "served"):
        assert check(record, name)["status"] == "valid", check(record, name)
    assert check(record, "clocks")["status"] != "not_applicable"


def test_the_clock_of_a_worker_here_is_found_to_be_ours(tmp_path: Path, two: Cluster) -> None:
    """On one machine both clocks are the same, so what was estimated must be within its own error of zero."""
    record = run(tmp_path, two)
    for item in record.facts["generator"]["instances"]:
        assert item["worker"]["on_this_machine"]
        assert item["clock_error_s"] > 0
        assert abs(item["clock_offset_s"]) <= item["clock_error_s"]
        assert abs(item["clock_drift_s"]) <= 2 * item["clock_error_s"]


def test_a_workers_own_samples_are_in_the_record(tmp_path: Path, two: Cluster) -> None:
    """CPU of each generator and of its worker, in seconds of the run; what it says of the machine names nobody."""
    record = run(tmp_path, two)
    samples = record.resources().filter(pl.col("group") != "host")
    groups = samples.group_by("group", "instance").agg(pl.col("cpu_s").max(), pl.col("t_s").max()).rows_by_key("group")
    assert {group: sorted(row[0] for row in rows) for group, rows in groups.items()} == {
        "server": [0],
        "generator": [0, 1],
        "kernel": [0, 1, 2],
    }
    assert all(cpu_s > 0 and t_s > 1.0 for rows in groups.values() for _, cpu_s, t_s in rows)
    own = samples.filter((pl.col("group") == "generator") & (pl.col("t_s") > record.window_s))
    counted = {item["instance"]: item["cpu_s"] for item in record.facts["generator"]["instances"]}
    for instance, cpu_s in own.group_by("instance").agg(pl.col("cpu_s").max()).rows():
        assert cpu_s >= 0.5 * counted[instance]
    text = (record.path / "run.json").read_text() + (record.path / "started.json").read_text()
    assert two.address not in text
    assert socket.gethostname() not in text or len(socket.gethostname()) < 3
    assert str(Path.home()) not in text


def kill_the_worker(fleet: Cluster) -> None:
    """Its nanny starts another, to which Dask would give the task again."""
    fleet.worker_of(1).kill()


def kill_the_machine(fleet: Cluster) -> None:
    """Everything of a worker at once, as when its power fails."""
    for process in descendants(fleet.workers[1].pid):
        process.kill()


@pytest.mark.parametrize("harm", [kill_the_worker, kill_the_machine])
def test_a_worker_that_is_lost_takes_its_last_seconds_only(tmp_path: Path, harm: Callable[[Cluster], None]) -> None:
    """The other goes on to the end; of the lost one what had come stays, the rest is unsent, and the verdict says so."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with cluster(folder, HERE, HERE) as fleet:
        lost = next(number for number, worker in enumerate(sorted_workers(fleet), 1) if worker == fleet.worker_of(1).pid)
        record = run(tmp_path, fleet, lambda: harm(fleet), minutes=9 / 60)
    assert record.facts["cut_short"] is None
    assert_all_planned(record)
    polls = prepare(record).with_columns(instance=pl.col("client") % 2)
    assert set(polls.filter(pl.col("instance") != lost - 1)["outcome"]) <= {"ok", "unsent_busy", "unsent_late"}
    gone = polls.filter(instance=lost - 1)
    assert set(gone["outcome"]) == {"ok", "unsent_late"}
    facts = record.facts["generator"]["instances"][lost - 1]
    assert f"generator {lost - 1} was lost with worker {lost} of the Dask cluster" in facts["error"]
    assert facts["added_rows"] == gone.filter(pl.col("outcome") == "unsent_late").height
    assert (facts["clock_drift_s"], facts["worker"]["number"]) == (None, lost)
    assert record.missing == (facts["error"],)
    assert check(record, "rows_complete")["status"] == "valid"
    assert check(record, "generator_errors")["status"] == "invalid"
    assert f"lost with worker {lost}" in check(record, "generator_errors")["meaning"]


def sorted_workers(fleet: Cluster) -> list[int]:
    """Process ids of the workers, in the order in which the lab numbers them."""
    from distributed import Client

    with Client(fleet.address, set_as_default=False) as client:
        return [pid for _, pid in sorted(client.run(os.getpid).items())]


def test_a_scheduler_that_is_lost_ends_the_run(tmp_path: Path) -> None:
    """Nobody can be heard any more: the window closes, and all polls have their rows."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with cluster(folder, HERE, HERE) as fleet:
        record = run(tmp_path, fleet, fleet.scheduler.kill, minutes=5)
    assert record.facts["cut_short"] == "generator 0 was lost with the Dask scheduler before it had given its facts"
    assert 0 < record.window_s < 60
    assert_all_planned(record)
    assert record.summary()["verdict"]["status"] == "invalid"


def test_an_interrupt_closes_the_window_on_all_workers(tmp_path: Path, two: Cluster) -> None:
    """The order to stop reaches them in time, so that nothing is sent after it, and nothing is missing."""
    record = run(tmp_path, two, lambda: os.kill(os.getpid(), signal.SIGINT), minutes=5)
    assert record.facts["cut_short_kind"] == "interrupted"
    assert_all_planned(record)
    assert record.missing == ()
    assert record.requests()["sent_s"].max() <= record.window_s  # type: ignore[operator]


def test_workers_stop_when_nobody_is_there_any_more(tmp_path: Path, two: Cluster) -> None:
    """A notebook that is killed leaves no load behind, and the workers are free for the next run."""
    asked = scenario(tmp_path, generators=2, dask_scheduler=two.address, minutes=5).model_dump()
    code = f"import experiments as lab; lab.run(lab.Scenario(**{asked!r}))"
    starter = subprocess.Popen([sys.executable, "-c", code])
    try:
        load = wait_for_generators(2)
    finally:
        starter.kill()
        starter.wait(10)
    assert still_alive(load, within_s=60) == []
    assert_all_answered(run(tmp_path, two, run_id="next"))


def wait_for_generators(number: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while len(found := generators()) < number and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(found) == number
    return found


def test_more_generators_than_workers_are_refused(tmp_path: Path, two: Cluster) -> None:
    """Two shards on one worker would share its process; nothing was started."""
    with pytest.raises(ParameterError, match=r"generators=3: each needs a Dask worker .* has 2; .* generators=2"):
        lab.run(scenario(tmp_path, generators=3, dask_scheduler=two.address))
    assert not (tmp_path / "results").exists()


def test_a_scheduler_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a bounded time, in one sentence; nothing was started."""
    monkeypatch.setattr("experiments.measure.generators.dask.cluster._CONNECT_S", 2.0)
    with pytest.raises(
        ParameterError, match=r"dask_scheduler='tcp://127.0.0.1:\d+': no Dask scheduler answers there within 2 s"
    ):
        lab.run(scenario(tmp_path, dask_scheduler=f"tcp://127.0.0.1:{free_port()}"))
    assert not (tmp_path / "results").exists()
