"""A user's own transport carries a load that ours cannot: HTTP/2 over TLS."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from experiments.measure.engines.aio.adapters import takes_device
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.stop import Stop
from experiments.measure.engines.target import Target
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.measure.servers.ports import free_port
from experiments.schedule import Plan
from tests.support.certificates import Authority
from tests.support.http2_transport import CA_VARIABLE

BODY = b"x" * 100


@pytest.mark.parametrize(
    ("factory", "takes"),
    [
        (lambda: LeanTransport(), False),
        (lambda number: LeanTransport(), True),
        (lambda device=0: LeanTransport(), True),
        (lambda client=0, http2=True: LeanTransport(), True),
        (lambda keep_alive=True: LeanTransport(keep_alive=keep_alive), False),
        (LeanTransport, False),
        (httpx.AsyncHTTPTransport, False),
    ],
    ids=["none", "needed", "device", "client", "another meaning", "our class", "httpx's class"],
)
def test_a_factory_is_given_the_devices_number_if_that_is_what_it_takes(factory: Callable[..., Any], takes: bool) -> None:
    """One that needs an argument, or calls its first one device or client; no other setting is ever set to a number."""
    assert takes_device(factory) is takes


@pytest.mark.slow
def test_http2_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every planned poll is answered over HTTP/2, each device by its own transport and under the server's name."""
    (tmp_path / "requests").mkdir()
    authority, name = Authority(tmp_path), "lab.example"
    monkeypatch.setenv(CA_VARIABLE, str(authority.file))
    cert, key = authority.issued(name)
    port = free_port()
    seen: Counter[tuple[str, str, str]] = Counter()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        seen[scope["http_version"], headers[b"x-device"].decode(), headers[b"host"].decode()] += 1
        head = [(b"content-length", b"%d" % len(BODY))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": BODY})

    async def main() -> dict[str, Any]:
        config, ended = Config(), asyncio.Event()
        config.bind, config.certfile, config.keyfile = [f"127.0.0.1:{port}"], str(cert), str(key)
        config.errorlog = None
        serving = asyncio.ensure_future(serve(app, config, shutdown_trigger=ended.wait))
        plan = Plan.of_ratio(
            clients=3, interval_s=0.05, status_weight=1, bulk_weight=0, phase="spread", pacing="fixed", seed=1,
            warmup_s=0.2, window_s=0.5,
        )  # fmt: skip
        crc = zlib.crc32(BODY)
        target = Target.hello(f"https://{name}:{port}", ("127.0.0.1", port), True, 5.0, (100, 100), (crc, crc))
        shard = Shard(str(tmp_path), 0, 1, "httpx", plan, target, "tests.support.http2_transport:of_device")
        await _listening(port)
        try:
            return await run_shard(shard, time.monotonic() + 0.5, lambda report: None, Stop())
        finally:
            ended.set()
            await serving

    facts = asyncio.run(asyncio.wait_for(main(), 30))
    assert facts["first_fault"] is None
    assert facts["totals"]["sent"] == facts["totals"]["ok"] > 0
    assert {(version, host) for version, _, host in seen} == {("2", f"{name}:{port}")}
    assert {device for _, device, _ in seen} == {"0", "1", "2"}
    assert seen.total() == facts["attempts"]


async def _listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
