"""A shard over TLS: each device shows its own certificate, and its rows tell the handshake apart."""

import asyncio
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.schedule import Plan
from experiments.target import loading
from tests.support.certificates import Authority
from tests.support.scripted_server import answer, scripted

pytestmark = pytest.mark.slow

CLIENTS = 3


def measured(tmp_path: Path, engine: str, *, keep_alive: bool = True) -> tuple[pl.DataFrame, dict[str, Any], list[bytes]]:
    """The rows of a shard against a server that demands certificates, its facts, and what was asked."""
    (tmp_path / "requests").mkdir()
    authority = Authority(tmp_path)
    for client in range(CLIENTS):
        for path, kind in zip(authority.issued(f"dev-{client}.example"), ("cert", "key"), strict=True):
            path.rename(tmp_path / f"dev-{client}-{kind}.pem")
    text = f"""
url: https://lab.example:8443
tls: {{ca: {authority.file.name}, cert: "dev-{{index}}-cert.pem", key: "dev-{{index}}-key.pem"}}
endpoints:
  status: {{request: GET /status, expect: {{status: 200, bytes: 4}}}}
"""
    plan = Plan.of_ratio(
        clients=CLIENTS, interval_s=0.05, status_weight=1, bulk_weight=0, phase="spread", pacing="fixed", seed=1,
        warmup_s=0.1, window_s=0.4,
    )  # fmt: skip

    async def main() -> tuple[dict[str, Any], list[bytes]]:
        served = authority.server("lab.example", clients=authority)
        async with scripted([answer(b"good")], tls=served) as server:
            loaded = loading.read(text, tmp_path / "target.yaml")
            where = f"https://lab.example:{server.port}", ("127.0.0.1", server.port)
            target = Target.of(loaded, *where, keep_alive=keep_alive, timeout_s=5.0)
            shard = Shard(str(tmp_path), 0, 1, engine, plan, target)
            return await run_shard(shard, time.monotonic() + 0.5, lambda report: None, Stop()), server.requests

    facts, requests = asyncio.run(asyncio.wait_for(main(), 30))
    rows = pl.concat([pl.read_parquet(path, glob=False) for path in (tmp_path / "requests").iterdir()])
    return rows.filter(pl.col("sent_s").is_not_null()).sort("client", "round"), facts, requests


@pytest.mark.parametrize("engine", ["httpx", "httpx-stock"])
def test_every_poll_is_answered_over_tls(tmp_path: Path, engine: str) -> None:
    """By a server that takes only its own devices, under its name, which leads to another address."""
    rows, facts, requests = measured(tmp_path, engine)
    assert facts["first_fault"] is None
    assert set(rows["outcome"].to_list()) == {"ok"}
    assert rows["client"].n_unique() == CLIENTS
    assert len(requests) == rows.height == facts["attempts"]
    assert all(b"Host: lab.example:" in request for request in requests)


def test_a_handshake_is_told_once_a_connection(tmp_path: Path) -> None:
    """The first poll of each device shook hands, and the time is its own beside that of connecting."""
    rows, facts, _ = measured(tmp_path, "httpx")
    shook = rows.filter(pl.col("tls_s") > 0)
    assert shook["round"].to_list() == [1] * CLIENTS
    assert shook.filter(pl.col("connect_s") + pl.col("tls_s") > pl.col("done_s") - pl.col("sent_s")).height == 0
    assert rows.filter(pl.col("first_byte_s") > pl.col("done_s") - pl.col("sent_s") + 1e-5).height == 0
    assert (facts["connects"], facts["handshakes"], facts["resumptions"]) == (CLIENTS, CLIENTS, 0)


def test_without_keep_alive_sessions_are_resumed(tmp_path: Path) -> None:
    """Each poll shakes hands, and all but the first of a device do so briefly."""
    rows, facts, _ = measured(tmp_path, "httpx", keep_alive=False)
    assert rows.filter(pl.col("tls_s") > 0).height == rows.height == facts["handshakes"]
    assert facts["resumptions"] == facts["handshakes"] - CLIENTS
