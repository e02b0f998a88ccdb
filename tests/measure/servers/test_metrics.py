"""What a server says of itself in Prometheus' text is read exactly, and what it does not say is said."""

import asyncio
import queue
from collections.abc import Callable
from typing import Any

import pytest

from experiments.errors import ServerContractError
from experiments.measure.servers.metrics import Metrics, MetricsSampler, Reading, reading, samples
from tests.support.scripted_server import answer, scripted

TEXT = """\
# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
process_resident_memory_bytes 2.5e+07
http_requests_total{method="GET",path="/status, {all}"} 40 1395066363000
http_requests_total{method="POST",path="a\\"b"} 2
http_requests_total{method="GET",path="/metrics"} 900
http_requests_created{method="GET"} NaN
not a sample at all
"""


def test_a_text_is_read_as_its_format_says() -> None:
    """Sums over label sets; those of the metrics' own path are no polls, and comments are no samples."""
    assert reading(TEXT, "http_requests_total", "/metrics") == Reading(12.5, 25_000_000, 42)
    assert reading("", "http_requests_total", "/metrics") == Reading(None, None, None)
    assert [labels for name, labels, _ in samples(TEXT) if name == "http_requests_total"][1] == {
        "method": "POST",
        "path": 'a\\"b',
    }


def asked(text: bytes, counter: str | None, ask: Callable[[Metrics], Any]) -> Any:
    """What a question of a server comes to that says this of itself."""

    async def main() -> Any:
        async with scripted([text]) as server:
            return await asyncio.to_thread(ask, Metrics(f"{server.url}/metrics", counter))

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "counter", "says"),
    [
        (answer(b"", status="404 No"), None, "was answered 404, not 200"),
        (answer(TEXT.encode()), "requests", "has no counter 'requests': correct metrics_requests"),
        (answer(b"up 1\n"), None, "neither process_cpu_seconds_total nor process_resident_memory_bytes"),
        (b"SSH-2.0\r\n\r\n", None, "does not answer"),
    ],
)
def test_what_does_not_say_what_is_needed_is_refused(text: bytes, counter: str | None, says: str) -> None:
    """Before the load, in one sentence."""
    with pytest.raises(ServerContractError, match=says):
        asked(text, counter, Metrics.check)


def test_samples_are_rows_of_the_server() -> None:
    """Its cumulative CPU and its memory, one row per question; who is asked no more has given at least one."""
    into: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()

    def sampled(metrics: Metrics) -> int:
        sampler = MetricsSampler(metrics, 1000.0, 0.0, into)
        sampler.start()
        sampler.stop()
        return sampler.missed

    assert asked(answer(TEXT.encode()), None, sampled) == 0
    row = into.get()[0]
    assert (row["group"], row["cpu_s"], row["rss_bytes"]) == ("server", 12.5, 25_000_000)
    assert asked(answer(b"", status="500 No"), None, sampled) >= 1
