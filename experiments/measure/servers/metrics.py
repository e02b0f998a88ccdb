"""What a server says of itself in Prometheus' text format: its CPU, its memory and what it served, from wherever it runs.

A URL in; readings, or rows of samples, out. Asked in a thread of its own, so that a slow answer delays nobody.
Source: the text format of https://prometheus.io/docs/instrumenting/exposition_formats/, and the names that client libraries
give, https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from experiments.errors import ServerContractError

CPU = "process_cpu_seconds_total"
MEMORY = "process_resident_memory_bytes"
_WITHIN_S = 2.0
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Reading:
    """What was said at one time; None of what was not said."""

    cpu_s: float | None
    rss_bytes: int | None
    requests: int | None
    """Of the counter that was named, all its label sets together, but for those that name the path of the metrics."""


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, labels and value of each sample in a text; lines that are none are passed over."""
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line.strip())
        if match is None or line.lstrip().startswith("#"):
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        yield match["name"], dict(_LABEL.findall(match["labels"] or "")), value


def reading(text: str, counter: str | None, own_path: str) -> Reading:
    """What a text says.

    Args:
        counter: name of the counter of requests; None for none.
        own_path: of the metrics: who asks for them is no poll.
    """
    found: dict[str, float] = {}
    for name, labels, value in samples(text):
        if name in (CPU, MEMORY) or (name == counter and own_path not in labels.values()):
            found[name] = found.get(name, 0.0) + value
    cpu, memory, requests = found.get(CPU), found.get(MEMORY), found.get(counter or "")
    return Reading(cpu, None if memory is None else int(memory), None if requests is None else int(requests))


class Metrics:
    """The metrics of one server.

    Args:
        url: of the text.
        counter: name of the counter of requests; None for none.
        verify: whether an https server's certificate is checked, or against which CA file.
    """

    def __init__(self, url: str, counter: str | None, *, verify: bool | str = True) -> None:
        self.url = url
        self.counter = counter
        self.asked = 0
        """How often; a server's own count may hold these questions too."""
        self._verify = verify

    def read(self) -> Reading:
        """Asks once.

        Raises:
            ServerContractError: there was no answer of the kind that is needed.
        """
        self.asked += 1
        try:
            answer = httpx.get(self.url, timeout=_WITHIN_S, trust_env=False, verify=self._verify)
        except (httpx.HTTPError, OSError) as error:
            raise ServerContractError(f"metrics_url {self.url} does not answer ({error or type(error).__name__}).") from None
        if answer.status_code != 200:
            raise ServerContractError(f"metrics_url {self.url} was answered {answer.status_code}, not 200.")
        return reading(answer.text, self.counter, urlsplit(self.url).path)

    def check(self) -> Reading:
        """Asks once, before the load.

        Raises:
            ServerContractError: it does not say what is needed.
        """
        first = self.read()
        if self.counter and first.requests is None:
            raise ServerContractError(f"metrics_url {self.url} has no counter {self.counter!r}: correct metrics_requests.")
        if first.cpu_s is None and first.rss_bytes is None and first.requests is None:
            raise ServerContractError(
                f"metrics_url {self.url} says neither {CPU} nor {MEMORY}: give the URL of a Prometheus text that does."
            )
        return first


class MetricsSampler:
    """Asks for the metrics of a server again and again, and hands them on as samples of the group `server`."""

    def __init__(
        self,
        metrics: Metrics,
        sample_ms: float,
        start_at: float,
        into: queue.SimpleQueue[list[dict[str, Any]]],
        number: int = 0,
    ) -> None:
        self._number = number
        """Of the server, among those of the run."""
        self._metrics = metrics
        self._period_s = sample_ms / 1000
        self._start_at = start_at
        self._into = into
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="metrics", daemon=True)
        self.missed = 0
        """How often there was no answer."""

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Takes a last sample, and ends."""
        self._ended.set()
        self._thread.join(timeout=3 * _WITHIN_S)

    def _work(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            self._sample()
            due = max(due + self._period_s, time.monotonic())
            self._ended.wait(due - time.monotonic())
        self._sample()

    def _sample(self) -> None:
        begun = time.monotonic()
        try:
            told = self._metrics.read()
        except ServerContractError:
            self.missed += 1
            return
        if told.cpu_s is None:
            return
        # Between asking and answer, as nobody can say when within it the server looked.
        at_s = (begun + time.monotonic()) / 2 - self._start_at
        row = {"t_s": at_s, "group": "server", "instance": self._number, "cpu_s": told.cpu_s, "rss_bytes": told.rss_bytes}
        self._into.put([row])
