"""A fleet whose workers are each on a host of their own, as far as the network goes."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

import experiments as lab
from experiments.errors import ServerContractError
from experiments.measure.servers.ports import free_port
from tests.faults.harm import SMALL, assert_all_answered, assert_all_planned, check, generators, scenario
from tests.support.cluster import Cluster, cluster
from tests.support.hosts import Hosts, hosts
from tests.support.plan_of import assert_as_planned
from tests.support.processes import still_alive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Hosts]:
    """Two hosts."""
    with hosts(2) as made:
        yield made


@pytest.fixture(scope="module")
def fleet(elsewhere: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler here, and a worker on each host."""
    with cluster(tmp_path_factory.mktemp("cluster"), *elsewhere.prefixes, host=elsewhere.address) as running:
        yield running


@pytest.fixture
def server_url(elsewhere: Hosts) -> Iterator[str]:
    """A server of somebody else's, on the address by which the hosts know this machine."""
    port = free_port()
    command = [sys.executable, "-m", "server", "--host", elsewhere.address, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--bulk-bytes", str(SMALL["bulk_bytes"])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_it_listens(elsewhere.address, port)
        yield f"http://{elsewhere.address}:{port}"
    finally:
        process.terminate()
        process.wait(15)


def wait_until_it_listens(host: str, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the server did not come up")


def test_workers_on_hosts_of_their_own_poll_what_the_plan_says(tmp_path: Path, fleet: Cluster, server_url: str) -> None:
    """Every poll of the plan has its row, the server has counted as many, and the clocks are known."""
    asked = {"generators": 2, "dask_scheduler": fleet.address, "server_url": server_url, "allow_remote": True}
    record = lab.run(scenario(tmp_path, **asked))
    assert_as_planned(record)
    assert_all_planned(record)
    assert_all_answered(record)
    assert record.missing == ()
    for name in ("rows_complete", "untouched", "totals", "served"):
        assert check(record, name)["status"] == "valid", check(record, name)
    assert check(record, "clocks")["status"] != "not_applicable"
    used = record.resources().filter(pl.col("group") == "generator").group_by("instance").agg(pl.col("cpu_s").max())
    assert {instance: cpu_s > 0 for instance, cpu_s in used.rows()} == {0: True, 1: True}
    text = (record.path / "run.json").read_text()
    assert fleet.address not in text
    assert [prefix[-1] in text for prefix in hosts_of(fleet)] == [False, False]


def hosts_of(fleet: Cluster) -> list[tuple[str, ...]]:
    """The addresses of the workers' hosts."""
    net = fleet.address.removeprefix("tcp://").rpartition(".")[0]
    return [(f"{net}.11:",), (f"{net}.12:",)]


def test_a_server_that_only_this_machine_reaches_is_refused(tmp_path: Path, fleet: Cluster) -> None:
    """What the lab starts listens on loopback; the worker that tried is named, and nothing is left behind."""
    with pytest.raises(ServerContractError, match=r"worker [12] .* does not reach the server .*refused.*allow_remote=True"):
        lab.run(scenario(tmp_path, generators=2, dask_scheduler=fleet.address))
    assert still_alive(generators()) == []
