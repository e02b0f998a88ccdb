"""A result as OpenMetrics text, `metrics.prom`: gauges, since a run that is over counts nothing any more.

Source: https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest

from experiments.present.result.model import Figure, Result

_HELP = {
    "polls": "Polls of the measured window, by what became of them.",
    "failed_polls": "Polls that failed, by reason.",
    "response_seconds": "Time from when a poll was due until it was answered; with bound=lower it was longer.",
    "latency_seconds": "Time from when a poll was sent until it was answered.",
    "send_delay_seconds": "How late polls were sent: the generator's own fault.",
    "measurement_state": "1 for what the measurement is: valid, suspect or invalid.",
    "service_level_met": "1 if the service level is met, 0 if it is missed.",
}


def text(result: Result) -> str:
    """The exposition; ends with # EOF."""
    registry = CollectorRegistry()
    registry.register(_Collected(result))
    written: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return written.decode()


class _Collected:
    def __init__(self, result: Result) -> None:
        self._result = result

    def collect(self) -> Iterator[Metric]:
        result = self._result
        about = {"kind": result.kind, "name": result.name, "title": result.title}
        yield InfoMetricFamily("lab_result", "What was measured.", value=about)
        ended = GaugeMetricFamily("lab_exit_code", "0 fine, 1 service level missed or worse, 2 not measurable or invalid.")
        ended.add_metric([], result.exit_code)
        yield ended
        by_name: dict[str, list[Figure]] = {}
        for figure in result.figures:
            by_name.setdefault(figure.name, []).append(figure)
        for name, figures in by_name.items():
            yield _gauge(name, figures)


def _gauge(name: str, figures: list[Figure]) -> Metric:
    gauge = GaugeMetricFamily(f"lab_{name}", _HELP.get(name, name.replace("_", " ")))
    for figure in figures:
        gauge.add_sample(gauge.name, figure.labels, figure.value)
    return gauge
