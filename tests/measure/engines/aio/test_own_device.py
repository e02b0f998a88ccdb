"""Devices of a user's class, over a transport that answers at once: the same rows, and every fault in its place."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from experiments.errors import GeneratorError
from experiments.measure.engines.aio import own_device
from experiments.measure.engines.aio.own_device import Device
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import drive
from experiments.target import loading, planning
from tests.measure.engines.aio import own_devices

TARGET = """
devices: {id: "dev-{index}"}
endpoints:
  login: {request: POST /login, share: 0, json: {device: none}, expect: {json: {token: {type: string}}}}
  status: {request: "GET /status/{round}", expect: {status: 200}}
"""


class Server(httpx.AsyncBaseTransport):
    """Knows whom it gave a token, and what it was asked."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self._refuses = refuses

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, shown = request.url.path, request.headers.get("Authorization", "")
        body = json.loads(request.content) if request.content else None
        self.asked.append((path, shown, body))
        await asyncio.sleep(0)
        if self._refuses and path.startswith(self._refuses):
            raise httpx.ReadError("gone")
        if path.startswith(("/login", "/more")):
            return answered(200, {"token": f"t-{body['device']}"})
        return answered(401 if shown.endswith("old") else 200, {"round": int(path.rpartition("/")[2])})


def answered(status: int, media: dict[str, Any]) -> httpx.Response:
    """An answer that nobody has read yet."""
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(media).encode()))


def lived(
    tmp_path: Path, kind: type[Device], *, refuses: str = "", timeout_s: float = 5.0, text: str = TARGET
) -> tuple[pl.DataFrame, dict[str, Any], list[Server]]:
    """Rows and facts of two devices, and what each asked."""
    (tmp_path / "requests").mkdir()
    loaded = loading.read(text, tmp_path / "mine.yaml", environ={})
    name = f"{kind.__module__}:{kind.__name__}"
    plan = own_device.paced(
        planning.plan(loaded.target, clients=2, interval_s=0.1, phase="together", pacing="fixed", seed=1, warmup_s=0.0,
                      window_s=0.25), name)  # fmt: skip
    target = Target.of(loaded, "http://lab.test", ("127.0.0.1", 9), keep_alive=True, timeout_s=timeout_s)
    shard = Shard(str(tmp_path), 0, 1, "httpx", plan, target, device=name)
    assert Shard.from_json(json.loads(json.dumps(shard.to_json()))) == shard
    servers = [Server(refuses) for _ in shard.clients]
    facts = asyncio.run(asyncio.wait_for(drive(shard, time.monotonic(), lambda report: None, Stop(), servers), 20))
    rows = pl.concat(pl.read_parquet(path, glob=False) for path in (tmp_path / "requests").iterdir())
    totals = facts["totals"]
    assert totals["planned"] == rows.height == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert totals["sent"] == totals["ok"] + totals["failed"] > 0
    assert facts["attempts"] == sum(len(server.asked) for server in servers)
    assert rows.select("client", "round", "endpoint").is_unique().all()
    return rows.drop_nulls("sent_s").sort("client", "round"), facts, servers


def outcomes(rows: pl.DataFrame) -> Counter[str]:
    return Counter(rows["outcome"].cast(pl.String).to_list())


def test_a_class_that_only_asks_has_the_rows_of_the_plan(tmp_path: Path) -> None:
    """A request a poll, each due by the plan."""
    rows, _, servers = lived(tmp_path, own_devices.Plain)
    assert outcomes(rows) == {"ok": rows.height}
    assert rows["due_s"].to_list() == pytest.approx([0.1 * (round_ - 1) for round_ in rows["round"]], abs=1e-6)
    for client, server in enumerate(servers):
        rounds = rows.filter(pl.col("client") == client)["round"].to_list()
        assert [path for path, *_ in server.asked] == [f"/status/{round_}" for round_ in rounds]


def test_it_logs_in_once_and_remembers(tmp_path: Path) -> None:
    """Within its first poll; from then on all requests have its token, and what it asks besides makes no rows."""
    rows, _, servers = lived(tmp_path, own_devices.Sensor)
    assert outcomes(rows) == {"ok": rows.height}
    assert rows["endpoint"].cast(pl.String).unique().to_list() == ["status"]
    for client, server in enumerate(servers):
        (path, shown, body), *others = server.asked
        assert (path, shown, body) == ("/login", "", {"device": f"dev-{client}"})
        assert {shown for _, shown, _ in others} == {f"Bearer t-dev-{client}"}
        mine = rows.filter(pl.col("client") == client)["round"].to_list()
        assert [path for path, *_ in others] == [one for n in mine for one in (f"/status/{n}", f"/more/{n}")]


def test_an_answer_that_it_gets_over_is_no_failure(tmp_path: Path) -> None:
    """The row has the last answer to the endpoint that was polled."""
    rows, facts, servers = lived(tmp_path, own_devices.Renewing)
    assert outcomes(rows) == {"ok": rows.height}
    assert rows["status"].unique().to_list() == [200]
    assert facts["attempts"] == 2 * rows.height + len(servers)
    assert facts["first_wrong_answers"] == []


def test_a_login_that_fails_fails_the_poll_and_is_tried_again(tmp_path: Path) -> None:
    """By the expectation of the login, which the row names."""
    text = TARGET.replace("type: string", "type: integer")
    rows, facts, servers = lived(tmp_path, own_devices.Sensor, text=text)
    assert outcomes(rows) == {"checks": rows.height}
    assert rows["failed_check"].cast(pl.String).unique().to_list() == ["login.json.token"]
    assert {path for server in servers for path, *_ in server.asked} == {"/login"}
    (first,) = facts["first_wrong_answers"]
    assert (first["endpoint"], first["failed_check"]) == ("status", "login.json.token")
    assert "integer" in first["why"]
    assert "t-dev-" not in str(first)


def test_a_request_without_an_answer_fails_the_poll(tmp_path: Path) -> None:
    """For the reason that the transport gave, though the answer before was right."""
    rows, _, _ = lived(tmp_path, own_devices.Sensor, refuses="/more")
    assert outcomes(rows) == {"reset": rows.height}


def test_a_class_may_set_its_own_pace(tmp_path: Path) -> None:
    """The next poll is due so long after the last answer as `poll` returned."""
    rows, _, _ = lived(tmp_path, own_devices.Paced)
    assert outcomes(rows) == {"ok": rows.height}
    for _, mine in rows.group_by("client", maintain_order=True):
        waited = (mine["due_s"] - mine["done_s"].shift(1)).drop_nulls().to_list()
        assert waited == pytest.approx([0.05] * len(waited), abs=1e-6)
        assert len(waited) > 0


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (own_devices.Hasty, "sets_next_poll = True"),
        (own_devices.Idle, "poll('status') asked nothing of 'status'"),
        (own_devices.Twofold, "one thing at a time"),
    ],
)
def test_a_fault_of_the_class_is_the_generators(tmp_path: Path, kind: type[Device], fault: str) -> None:
    """No valid run may hold it, and the first one is told."""
    rows, facts, _ = lived(tmp_path, kind)
    assert outcomes(rows) == {"generator_error": rows.height}
    assert fault in facts["first_fault"]


def test_a_poll_that_raises_keeps_its_row(tmp_path: Path) -> None:
    """The device goes on with its next one, and the first error is told."""
    rows, facts, _ = lived(tmp_path, own_devices.Broken)
    found = outcomes(rows)
    assert found.keys() <= {"ok", "generator_error"}
    assert found["ok"] == rows.filter(pl.col("round") == 1).height
    assert facts["first_fault"] == (None if not found["generator_error"] else "KeyError('firmware')")


def test_a_poll_ends_with_its_time(tmp_path: Path) -> None:
    """Also where the class would go on: the timeout is that of the whole poll."""
    rows, _, _ = lived(tmp_path, own_devices.Stubborn, timeout_s=0.05)
    assert outcomes(rows).keys() <= {"read_timeout", "interrupted"}
    assert outcomes(rows)["read_timeout"] > 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Missing", "cannot be imported (AttributeError("),
        ("NOT_ONE", "is no class that inherits from lab.Device"),
        ("Unmade", "failed when it was made as device 0 (RuntimeError('no serial number'))"),
    ],
)
def test_a_class_that_cannot_be_had_is_told_before_the_load(tmp_path: Path, name: str, said: str) -> None:
    """In one sentence."""
    loaded = loading.read(TARGET, tmp_path / "mine.yaml", environ={})
    plan = planning.plan(loaded.target, clients=1, interval_s=1.0, phase="together", pacing="fixed", seed=1, warmup_s=0.0,
                         window_s=1.0)  # fmt: skip
    target = Target.of(loaded, "http://lab.test", ("127.0.0.1", 9), keep_alive=True, timeout_s=1.0)
    shard = Shard(str(tmp_path), 0, 1, "httpx", plan, target, device=f"{own_devices.__name__}:{name}")
    with pytest.raises(GeneratorError) as error:
        shard.make_devices()
    assert said in str(error.value)


@pytest.mark.parametrize(
    "changes", [{"path": "/a b"}, {"path": "status"}, {"headers": {"X": "a\r\nHost: b"}}, {"headers": {"X": "a "}}]
)
def test_what_cannot_be_sent_is_refused(changes: dict[str, Any]) -> None:
    """Before anything goes over the wire."""
    device = own_devices.Plain()

    async def never(endpoint: str, changes: Any) -> Any:
        raise AssertionError(endpoint)

    device.bind(0, "dev-0", never)
    with pytest.raises(ValueError, match=r"sent|percent-encoded"):
        asyncio.run(device.ask("status", **changes))
