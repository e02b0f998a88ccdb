"""What makes a cluster fit to be a fleet, without a cluster."""

import asyncio
import errno
import os
import queue
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import GeneratorError, ParameterError, ServerContractError
from experiments.measure.engines.target import Target
from experiments.measure.generators.dask import clock_offset, cluster
from experiments.measure.generators.dask.clock_offset import ClockOffset
from experiments.measure.generators.dask.generator import FleetGenerator, FleetWorker
from experiments.measure.generators.dask.look import look_around
from experiments.measure.generators.dask.task import machine
from experiments.measure.generators.shard import Shard
from experiments.measure.host import fingerprint
from experiments.measure.servers import probe
from experiments.scenario import Scenario
from tests.support.scripted_server import answer, scripted


def other(**changes: Any) -> dict[str, Any]:
    """What a machine like this one says of itself, but for some changes."""
    return machine() | changes


def test_machines_with_the_same_versions_are_alike() -> None:
    """Hardware may differ, and so may the last number of Python's version."""
    ours = machine()
    python = ours["python"].rpartition(".")[0] + ".99"
    assert cluster.differences(ours, other(python=python, cores=512, cpu_model="another", kernel="1.0", kernel_id="x")) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"python": "3.9.1"}, "Python is 3.9 there"),
        ({"lab_version": "0.0.1"}, "the lab is 0.0.1 there"),
        ({"lab_version": None}, "the lab is None there"),
        ({"packages": fingerprint.identity()["packages"] | {"httpx": "0.1"}}, "httpx is 0.1 there"),
        ({"packages": fingerprint.identity()["packages"] | {"uvloop": "0.1"}}, "uvloop is 0.1 there"),
        ({"packages": fingerprint.identity()["packages"] | {"polars": "0.1"}}, "polars is 0.1 there"),
        ({"packages": fingerprint.identity()["packages"] | {"httptools": None}}, "httptools is None there"),
    ],
    ids=str,
)
def test_another_version_is_named_with_ours(changes: dict[str, Any], said: str) -> None:
    """Each difference that could move a figure is said, with both sides."""
    ours = machine()
    found = cluster.differences(ours, other(**changes))
    assert len(found) == 1
    assert found[0].startswith(f"{said} and ")
    assert found[0].endswith(" here")
    with pytest.raises(ParameterError, match=f"^worker 3 of the Dask cluster is not alike: {said}"):
        cluster._agree(ours, "worker 3", lambda: other(**changes))


def test_a_worker_without_the_lab_is_told_apart() -> None:
    """Dask hands on what the import raised there; the sentence says where, and what to do."""

    def ask() -> dict[str, Any]:
        raise Exception("ModuleNotFoundError(\"No module named 'experiments'\")")

    with pytest.raises(ParameterError, match=r"worker 2 of the Dask cluster cannot load the lab .*install it there"):
        cluster._agree(machine(), "worker 2", ask)


def test_hosts_are_used_before_second_workers_of_any() -> None:
    """Two workers on one host share its processors; and the choice is the same each time."""
    workers = {f"tcp://10.0.0.{one}:{port}": {"host": f"10.0.0.{one}"} for one in (1, 2) for port in (1, 2, 3)}
    first, second, third = cluster.pick(workers, 3)
    assert (first, second, third) == ("tcp://10.0.0.1:1", "tcp://10.0.0.2:1", "tcp://10.0.0.1:2")
    assert len(cluster.pick(workers, 99)) == 6


@pytest.mark.parametrize("offset_s", [-1000.0, 0.0, 1e-4, 86_400.0])
@pytest.mark.parametrize("there_s", [0.0, 0.5, 1.0])
def test_an_offset_is_right_within_its_error(offset_s: float, there_s: float) -> None:
    """However unevenly a round trip is divided, and however slow most of them are."""
    now = 0.0
    trips: Iterator[float] = (0.5 if number % 7 else 0.002 + number * 1e-5 for number in count(1))

    def ask() -> float:
        nonlocal now
        trip = next(trips)
        now += trip * there_s
        theirs = now + offset_s
        now += trip * (1 - there_s)
        return theirs

    found = clock_offset.measure(ask, lambda: now)
    assert abs(found.offset_s - offset_s) <= found.error_s + 1e-9
    assert found.error_s == pytest.approx((0.002 + 7e-5) / 2)


def shard(run_path: Path) -> Shard:
    target = Target.hello("http://127.0.0.1:1", ("127.0.0.1", 1), True, 1.0, (100, 100), (0, 0))
    return Shard(str(run_path), 1, 2, "httpx", Scenario(clients=2).plan, target)


def generator(run_path: Path, samples: queue.SimpleQueue[list[dict[str, Any]]] | None = None) -> FleetGenerator:
    """One that has not been sent to its worker yet."""
    worker = FleetWorker(2, "tcp://192.0.2.9:1", {"cores": 2}, False, ClockOffset(100.0, 0.001))
    return FleetGenerator(shard(run_path), worker, None, "", 500.0, samples or queue.SimpleQueue())  # type: ignore[arg-type]


async def hear(one: FleetGenerator, *messages: dict[str, Any]) -> None:
    """Lets a generator take words as from the fleet's thread."""
    for message in messages:
        await asyncio.to_thread(one.receive, message)
    await asyncio.sleep(0)


REPORT = {"sent": 3, "ok": 2, "failed": 1, "in_flight": 0, "polls_per_s": 3.0, "problem": None}
REPORT |= {"response_p50_ms": None, "response_p99_ms": None}


def test_what_a_worker_says_is_kept(tmp_path: Path) -> None:
    """Parts lie beside those of other generators, samples go on, and the facts end it."""
    (tmp_path / "requests").mkdir()
    samples: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()

    async def run() -> FleetGenerator:
        one = generator(tmp_path, samples)
        await hear(one, {"ready": 77}, {"report": REPORT, "parts": {"part-1-0.parquet": b"rows"}, "samples": [{"t_s": 1.0}]})
        assert one.report is not None
        assert (one.report.sent, one.report.problem, one.ended.is_set()) == (3, None, False)
        await hear(one, {"facts": {"rows": 3, "error": None}, "error": None, "parts": {}, "samples": []})
        return one

    one = asyncio.run(run())
    assert (one.pid, one.facts, one.error, one.ended.is_set()) == (77, {"rows": 3, "error": None}, None, True)
    assert (tmp_path / "requests" / "part-1-0.parquet").read_bytes() == b"rows"
    assert samples.get_nowait() == [{"t_s": 1.0}]
    assert one.place["clock_offset_s"] == 100.0
    assert "192.0.2.9" not in repr(one.place)


@pytest.mark.parametrize("name", ["../run.json", "part-1-0.parquet/../../x", ".part-1-0.parquet", "part-1-0.parquet.tmp"])
def test_a_worker_cannot_name_another_file(tmp_path: Path, name: str) -> None:
    """Whatever comes over the wire, only parts are written; anything else is a problem of the run."""
    (tmp_path / "requests").mkdir()

    async def run() -> FleetGenerator:
        one = generator(tmp_path)
        await hear(one, {"report": REPORT, "parts": {name: b"?"}})
        return one

    one = asyncio.run(run())
    assert one.report is not None
    assert "no name of a part" in str(one.report.problem)
    assert [path.name for path in tmp_path.rglob("*")] == ["requests"]


def test_parts_that_cannot_be_kept_end_the_run(tmp_path: Path) -> None:
    """A full disk here is as bad as one there: the report asks to stop, and the facts say why."""
    no_such = os.strerror(errno.ENOENT)

    async def run() -> FleetGenerator:
        one = generator(tmp_path / "gone")
        await hear(one, {"report": REPORT, "parts": {"part-1-0.parquet": b"rows"}})
        assert one.report is not None
        assert one.report.problem == f"generator 1 could not keep its rows ({no_such})"
        await hear(one, {"facts": {"rows": 3, "error": None}, "error": None})
        return one

    assert asyncio.run(run()).facts == {"rows": 3, "error": f"generator 1 could not keep its rows ({no_such})"}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda one: one.lose("was lost with worker 2 of the Dask cluster"), "generator 1 was lost with worker 2 of the"),
        (lambda one: one.receive({"facts": None, "error": "generator 1 was ended by SIGKILL"}), "was ended by SIGKILL"),
    ],
)
def test_what_was_lost_stays_lost(tmp_path: Path, end: Callable[[FleetGenerator], None], said: str) -> None:
    """A task that Dask began again elsewhere is not listened to."""
    (tmp_path / "requests").mkdir()

    async def run() -> FleetGenerator:
        one = generator(tmp_path)
        await asyncio.to_thread(end, one)
        await asyncio.sleep(0)
        await hear(one, {"ready": 5}, {"facts": {}, "error": None, "parts": {"part-1-0.parquet": b"again"}})
        return one

    one = asyncio.run(run())
    assert said in str(one.error)
    assert (one.facts, one.pid, list((tmp_path / "requests").iterdir())) == (None, 0, [])


class Mailbox:
    """In the place of Dask's queue of words: these messages, then nothing; or a failure when it is closed."""

    def __init__(self, *messages: dict[str, Any], refuses: bool = False) -> None:
        self._messages = list(messages)
        self._refuses = refuses
        self.read = threading.Event()
        """All messages were taken."""

    def get(self, timeout: float) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop(0)
        self.read.set()
        raise TimeoutError

    def close(self) -> None:
        if self._refuses:
            raise OSError("the scheduler is gone")


class Cluster:
    """In the place of Dask's client: one worker is there, and it can be closed."""

    closed = False

    def nthreads(self) -> dict[str, int]:
        return {"tcp://192.0.2.9:1": 1}

    def close(self, timeout: float) -> None:
        self.closed = True


def listening(mailbox: Mailbox, client: Cluster, one: FleetGenerator) -> cluster.Fleet:
    """A fleet that has joined already, and listens."""
    joined: cluster.Fleet = object.__new__(cluster.Fleet)
    joined._client, joined._words = client, mailbox
    joined._generators, joined._missing, joined._left = {1: one}, [], threading.Event()
    joined._listener = threading.Thread(target=joined._listen, daemon=True)
    joined._listener.start()
    return joined


def test_words_that_cannot_be_taken_end_one_generator_and_not_the_listening(tmp_path: Path) -> None:
    """A fault in one message, or words of nobody, silence no machine; the run hears which generator was given up."""
    (tmp_path / "requests").mkdir()
    mailbox = Mailbox({"instance": 9}, {}, {"instance": 1, "parts": "no parts"}, {"instance": 1, "ready": 5})

    async def run() -> FleetGenerator:
        one = generator(tmp_path)
        one.beat = lambda: None  # type: ignore[method-assign]
        joined = listening(mailbox, Cluster(), one)
        assert await asyncio.to_thread(mailbox.read.wait, 10)
        await asyncio.sleep(0)
        assert joined._listener.is_alive()
        await joined.leave()
        assert not joined._listener.is_alive()
        return one

    one = asyncio.run(run())
    assert one.ended.is_set()
    assert "what its worker said could not be taken" in str(one.error)


def test_a_cluster_is_left_whole(tmp_path: Path) -> None:
    """A queue that cannot be closed keeps neither the connection nor the listener."""

    async def run() -> Cluster:
        client = Cluster()
        joined = listening(Mailbox(refuses=True), client, generator(tmp_path))
        with pytest.raises(OSError, match="the scheduler is gone"):
            await joined.leave()
        assert not joined._listener.is_alive()
        return client

    assert asyncio.run(run()).closed


def test_a_server_of_this_machine_alone_is_refused_for_workers_elsewhere(tmp_path: Path) -> None:
    """127.0.0.1 would be another server there; the sentence says what to do instead."""

    async def run() -> None:
        await generator(tmp_path).prepare()

    with pytest.raises(ServerContractError, match=r"worker 2 .* reach .*another machine.*--host ADDRESS.*allow_remote"):
        asyncio.run(run())


def test_a_shard_that_dask_began_again_counts_as_lost(tmp_path: Path) -> None:
    """A worker may come back under its old address before anybody has missed it; its shard does not."""

    async def run() -> FleetGenerator:
        one = generator(tmp_path)
        await hear(one, {"ready": 5}, {"ready": 6})
        return one

    one = asyncio.run(run())
    assert (one.pid, one.ended.is_set()) == (5, True)
    assert "begun again" in str(one.error)


def test_another_server_at_the_same_address_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a worker the address may lead somewhere else: the answer is compared, not only waited for."""
    monkeypatch.setattr(probe, "ask", lambda *asked, **at: probe.Answer(200, {}, b"other"))
    with pytest.raises(ServerContractError, match="another server"):
        asyncio.run(look_around(shard(tmp_path)))


OWN = """
devices: {table: devices.csv}
endpoints: {only: {request: "GET /{serial}", expect: {status: 200, json: {fine: true}}}}
"""


def of_target(folder: Path, port: int) -> Shard:
    """A shard of a target with a file beside it."""
    (folder / "devices.csv").write_text("serial\na\nb\n")
    (folder / "mine.yaml").write_text(f"url: http://127.0.0.1:{port}\n{OWN}")
    scenario = Scenario(target=str(folder / "mine.yaml"), clients=2)
    loaded = scenario.load_target()
    target = Target.of(loaded, f"http://127.0.0.1:{port}", ("127.0.0.1", port), keep_alive=True, timeout_s=1.0)
    return Shard(str(folder), 0, 1, "httpx", scenario.plan, target)


def seen(folder: Path, *answers: bytes, meanwhile: Callable[[], object] = lambda: None) -> list[bytes]:
    """What a worker asks of a server with these answers."""

    async def main() -> list[bytes]:
        async with scripted(*([one] for one in answers)) as server:
            one = of_target(folder, server.port)
            meanwhile()
            await look_around(one)
            return server.requests

    return asyncio.run(main())


def test_a_worker_asks_what_a_device_will_ask(tmp_path: Path) -> None:
    """Of a target of one's own it sees more than a port: its files, and an answer that is right."""
    (asked,) = seen(tmp_path, answer(b'{"fine": true}'))
    assert asked.startswith(b"GET /a HTTP/1.1\r\n")
    with pytest.raises(GeneratorError, match=r"does not answer it rightly: .*json\.fine"):
        seen(tmp_path, answer(b'{"fine": false}'))


def test_files_that_are_not_the_same_on_a_worker_are_seen(tmp_path: Path) -> None:
    """Another table, or none: its devices would ask for something else, or for nothing."""
    table = tmp_path / "devices.csv"
    with pytest.raises(ParameterError, match="not the same there as here: copy these files"):
        seen(tmp_path, meanwhile=lambda: table.write_text("serial\na\nc\n"))
    with pytest.raises(ParameterError, match=r"devices\.csv"):
        seen(tmp_path, meanwhile=table.unlink)


def test_a_server_that_a_worker_does_not_reach_is_no_wrong_answer(tmp_path: Path) -> None:
    """The sentence around it then says where a server must listen."""
    with pytest.raises(ServerContractError, match="there was no answer"):
        asyncio.run(look_around(of_target(tmp_path, 1)))
