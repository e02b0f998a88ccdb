"""Load tools that are Python packages, and the client that a good aiohttp user writes: one entry each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from experiments.studies.tools.catalogue.tool import MAX, Asked, Said, Tool, figure, maybe, unreadable

_HERE = Path(__file__).parent
_EXTRA = "pip install -e '.[peers]'"


def _aiohttp(asked: Asked, place: str) -> list[str]:
    numbers = (asked.clients, asked.interval_s, asked.seconds, asked.timeout_s, asked.body_bytes)
    return [place, str(_HERE / "aiohttp_poller.py"), asked.url, asked.phase, *map(str, numbers)]


def read_aiohttp(printed: str, asked: Asked) -> Said:
    """The last line of `aiohttp_poller.py` is JSON; it gives no times."""
    said = _json("aiohttp", printed, r"^\{.*\}$")
    answered, failed = int(said["answered"]), int(said["failed"])
    return Said(answered, failed, answered + failed)


def _locust(user: str) -> Callable[[Asked, str], list[str]]:
    def command(asked: Asked, place: str) -> list[str]:
        at, clients = urlsplit(asked.url), str(asked.clients)
        return [
            *(place, "-m", "locust", "--locustfile", str(_HERE / "locustfile.py"), user),
            *("--headless", "--only-summary", "--json", "--loglevel", "WARNING", "--host", f"{at.scheme}://{at.netloc}"),
            *("--users", clients, "--spawn-rate", clients, "--run-time", f"{asked.seconds:.0f}s", "--stop-timeout", "2"),
        ]

    return command


def _locust_env(asked: Asked) -> dict[str, str]:
    at = urlsplit(asked.url)
    return {
        "LAB_PATH": f"{at.path}?{at.query}",
        "LAB_INTERVAL_S": str(asked.interval_s),
        "LAB_PHASE": asked.phase,
        "LAB_TIMEOUT_S": str(asked.timeout_s),
        "LAB_BYTES": str(asked.body_bytes),
    }


def read_locust(printed: str, asked: Asked) -> Said:
    """`--json`: a list with an entry per request name. Its histogram has whole milliseconds, and two digits above 100."""
    entries = _json("locust", printed, r"^\[$.*?^\]$")
    requests, failures = (sum(int(entry[key]) for entry in entries) for key in ("num_requests", "num_failures"))
    times: dict[float, float] = {}
    if len(entries) == 1 and entries[0].get("response_times"):
        histogram = {float(ms): int(number) for ms, number in entries[0]["response_times"].items()}
        times = {percent: _at(histogram, percent) / 1e3 for percent in (50.0, 75.0, 90.0, 95.0, 99.0)}
        times[MAX] = float(entries[0].get("max_response_time", max(histogram))) / 1e3
    rate = None
    return Said(requests - failures, failures, requests, rate, times)


def _at(histogram: Mapping[float, int], percent: float) -> float:
    """The value that so many percent do not exceed, as Locust works it out for its own table."""
    left = sum(histogram.values()) * (1 - percent / 100)
    for value in sorted(histogram, reverse=True):
        left -= histogram[value]
        if left < 0:
            return value
    return min(histogram)


def _molotov(asked: Asked, place: str) -> list[str]:
    # Its delay is a pause after each answer.
    options = ["-c", "-w", str(asked.clients), "-d", f"{asked.seconds:.0f}", "--delay", f"{asked.interval_s:g}"]
    return [place, "-c", "from molotov.run import main; main()", *options, str(_HERE / "molotov_scenario.py")]


def read_molotov(printed: str, asked: Asked) -> Said:
    """It counts what succeeded and what failed, and gives no times."""
    last = printed[max(0, printed.rfind("SUCCESSES")) :]
    good, bad = int(figure(r"^SUCCESSES: (\d+)", last, "molotov")), int(maybe(r"FAILURES: (\d+)", last) or 0)
    return Said(good, bad, good + bad)


def _json(tool: str, printed: str, pattern: str) -> Any:
    found = re.findall(pattern, printed, re.MULTILINE | re.DOTALL)
    try:
        return json.loads(found[-1])
    except (IndexError, ValueError):
        raise unreadable(tool, printed) from None


ENTRIES = (
    Tool("aiohttp", _EXTRA, _aiohttp, read_aiohttp, module="aiohttp", phases=("random", "together")),
    # Locust in step would only show once more that it is expensive.
    Tool(
        "locust-fast",
        _EXTRA,
        _locust("FastPoller"),
        read_locust,
        module="locust",
        phases=("random",),
        environment=_locust_env,
    ),
    Tool(
        "locust-http",
        _EXTRA,
        _locust("HttpPoller"),
        read_locust,
        module="locust",
        phases=("random",),
        environment=_locust_env,
    ),
    Tool(
        "molotov",
        _EXTRA,
        _molotov,
        read_molotov,
        module="molotov",
        pacing="after",
        environment=lambda asked: {"LAB_URL": asked.url, "LAB_TIMEOUT_S": str(asked.timeout_s)},
    ),
)
"""All of them."""
