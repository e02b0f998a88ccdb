"""The result in figures: both endpoints beside each other, the service level, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present.markup import Markup, Piece, caption, element, note, table
from experiments.present.tables.verdict import STATUSES, badge, shown
from experiments.present.words import (
    ENDPOINTS,
    NONE,
    TOO_FEW,
    codes,
    count,
    number,
    percent,
    plural,
    reasons,
    size,
)

_KINDS = (("response_ms", "response"), ("latency_ms", "latency"))
_COLUMNS = (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("max", "max"))


def sentences(summary: Mapping[str, Any]) -> list[str]:
    """The result in words: one sentence an endpoint, one for the service level if one was asked for."""
    said = [_endpoint_sentence(name, one) for name, one in _polled(summary)]
    level = summary.get("service_level") or {}
    if level.get("asked"):
        said.append(level_sentence(level))
    return said


def level_sentence(level: Mapping[str, Any]) -> str:
    """Whether the service level is met, and if not, by what it is missed."""
    said = _LEVEL_WORDS[level.get("met")]
    return f"{said[:-1]}: {missed}." if (missed := missed_limits(level)) else said


def missed_limits(level: Mapping[str, Any]) -> str:
    """`response p99 of A, ms is 61.2, limit 50`, for each limit that is missed; empty if none is."""
    items = [item for item in level["items"] if item["met"] is False]
    return "; ".join(f"{_level_name(item)} is {shown(item['figure'])}, limit {shown(item['limit'])}" for item in items)


_LEVEL_NAMES = {
    "status_response_p99_ms": "response p99 of A, ms",
    "bulk_response_p99_ms": "response p99 of B, ms",
    "failure_pct": "polls failed or not answered, %",
    "devices_pct": "devices that keep the level each by itself, %",
}


def _level_name(item: Mapping[str, Any]) -> str:
    return _LEVEL_NAMES.get(item["name"], str(item["name"]))


_LEVEL_WORDS = {
    True: "The service level that was asked for is met.",
    False: "The service level that was asked for is missed.",
    None: "Too few polls to say whether the service level is met.",
}


def _endpoint_sentence(name: str, one: Mapping[str, Any]) -> str:
    p50, p99 = one["response_ms"].get("p50"), one["response_ms"].get("p99")
    lost = one["failed"] + one["unsent_busy"] + one["unsent_late"]
    waits = [f"half were done within {number(p50)} ms"] if p50 is not None else []
    waits += [f"99 % within {number(p99)} ms"] if p99 is not None else []
    coded = f"; status {said}" if (said := codes(one.get("statuses", {}))) else ""
    rest = f"{count(lost)} failed or not sent ({percent(lost, one['planned'])}{coded})" if lost else "none failed"
    timing = f"; {' and '.join(waits)}" if waits else ""
    return f"{ENDPOINTS[name]}: {plural(one['planned'], 'poll')} planned, {rest}{timing}."


def _polled(summary: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The endpoints that the run polled, A before B."""
    endpoints = summary["endpoints"]
    return [(name, endpoints[name]) for name in ENDPOINTS if endpoints.get(name, {}).get("planned")]


def headline(summary: Mapping[str, Any]) -> Markup:
    """Counts and times of both endpoints."""
    polled = _polled(summary)
    if not polled:
        return note("No poll was planned in the measured window, so there is nothing to count.")
    return _counts(polled) + caption(_load(summary["load"])) + _times(polled) + caption(_READ)


def _load(load: Mapping[str, Any]) -> str:
    """What was asked for and what came, by the second."""
    planned, answered, megabytes = (
        number(load.get(key)) for key in ("polls_per_s_planned", "polls_per_s_answered", "mb_per_s_answered")
    )
    return f"Planned were {planned} polls/s; answered were {answered} polls/s with {megabytes} MB/s of bodies."


_READ = (
    "Response counts from when a poll was due: it is what a device felt. Latency counts from when it was sent. "
    "In brackets: where the percentile lies at 95 % confidence, as far as the polls of one run can tell."
)


def _counts(polled: list[tuple[str, Mapping[str, Any]]]) -> Markup:
    head = ["endpoint", "planned", "ok", "failed", "not sent, device waited", "not sent, generator late", "reasons"]
    rows = [
        [
            ENDPOINTS[name],
            *(count(one[key]) for key in ("planned", "ok", "failed", "unsent_busy", "unsent_late")),
            reasons(one["failures"], one.get("statuses", {})) or NONE,
        ]
        for name, one in polled
    ]
    return table(head, rows, label="polls by endpoint and outcome", numbers=range(1, 6), wide={6})


def _times(polled: list[tuple[str, Mapping[str, Any]]]) -> Markup:
    head = ["ms", *(label for _, label in _COLUMNS)]
    rows: list[list[Piece]] = [
        [f"{ENDPOINTS[name]} {word}", *(_time(one[key], column) for column, _ in _COLUMNS)]
        for name, one in polled
        for key, word in _KINDS
    ]
    return table(head, rows, label="response and latency in ms", numbers=range(1, 5))


def _time(times: Mapping[str, Any], column: str) -> Piece:
    """A figure with the interval that it lies in at 95 % confidence, if there is one."""
    value = times.get(column)
    if value is None:
        return element("span", NONE if times.get("max") is None else TOO_FEW, css="lab-small")
    interval = (times.get("interval") or {}).get(column)
    if not interval or None in interval:
        return number(value)
    low, high = (number(end) for end in interval)
    return Markup(f"{number(value)} {element('span', f'[{low} – {high}]', css='lab-small').content}")


def service_level(summary: Mapping[str, Any]) -> Markup:
    """Every limit that was asked for, and whether it is kept."""
    level = summary.get("service_level") or {}
    if not level.get("asked"):
        return caption("No service level was asked for: every slo_... parameter is at its default.")
    rows: list[list[Piece]] = [
        [_level_name(item), badge(_LEVEL_STATUS[item["met"]]), shown(item["figure"]), shown(item["limit"])]
        for item in level["items"]
    ]
    return table(["service level", "kept", "figure", "limit"], rows, label="service level", numbers={2, 3})


_LEVEL_STATUS = {
    True: STATUSES["valid"]._replace(word="met"),
    False: STATUSES["invalid"]._replace(word="missed"),
    None: STATUSES["suspect"]._replace(word="cannot be said"),
}


def costs(summary: Mapping[str, Any]) -> Markup:
    """What the server and the generator used."""
    server, generator = summary["server"], summary["generator"]
    lag = generator.get("lag_ms") or {}
    rows = [
        ["server", "processor time for a request", _unit(server.get("cpu_us_per_request"), "µs")],
        ["server", "processor cores in use, mean", _unit(server.get("cpu_cores_mean"), "cores")],
        ["server", "resident memory, peak", size(server.get("rss_peak_bytes"))],
        ["generator", "processor time for a poll", _unit(generator.get("cpu_us_per_poll"), "µs")],
        ["generator", "processor cores in use, peak", _unit(generator.get("cpu_cores_max"), "cores")],
        ["generator", "lag, p99", _unit(lag.get("p99"), "ms")],
        ["generator", "lag, slowest", _unit(lag.get("max"), "ms")],
    ]
    if database := summary.get("database"):
        rows.insert(3, ["PostgreSQL", "processor cores in use, mean", _unit(database["cpu_cores_mean"], "cores")])
    return table(["of", "what", "figure"], rows, label="cost of the run", numbers={2})


def _unit(value: float | None, unit: str) -> str:
    return NONE if value is None else f"{number(value)} {unit}"
