"""The result in figures: all endpoints beside each other, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.analyse.summary import error_statuses, is_longer
from experiments.analyse.targets.naming import titles
from experiments.present.format import (
    LONGER,
    NONE,
    TOO_FEW,
    count,
    longer,
    number,
    percent,
    plural,
    ranked,
    reasons,
    rounded_up,
    size,
)
from experiments.present.html import Markup, Piece, caption, element, note, table
from experiments.present.tables import connections, limits
from experiments.record.schema import UNANSWERED

_KINDS = (("response_ms", "response"), ("latency_ms", "latency"))
_COLUMNS = (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("max", "max"))


def sentences(summary: Mapping[str, Any]) -> list[str]:
    """The result in words: one sentence per endpoint."""
    return [_endpoint_sentence(title, one) for title, one in _polled(summary)]


def _endpoint_sentence(title: str, one: Mapping[str, Any]) -> str:
    planned = one["planned"]
    none = "none was answered right" if planned and not one["ok"] else "none failed"
    coded = f"; status {said}" if (said := ranked(error_statuses(one))) else ""
    lost = [
        f"{count(polls)} {what} ({percent(polls, planned)}{coded if what == 'failed' else ''})"
        for what, polls in _lost(one).items()
        if polls
    ]
    rest = ", ".join([*([none] if not lost or not one["ok"] else []), *lost])
    waits = _waits(one["response_ms"])
    # Errors answered fast are not timed: the percentages are of what is left.
    others = "of those that did not fail " if waits and _lost(one)["failed"] else ""
    timing = f"; {others}{waits}" if waits else ""
    unchanged = f"; {plural(n, 'answer')} said that nothing had changed (304)" if (n := one.get("not_modified")) else ""
    return f"{title}: {plural(planned, 'poll')} planned, {rest}{unchanged}{timing}."


def _lost(one: Mapping[str, Any]) -> dict[str, int]:
    """What became of the polls without a right answer, each by what it is."""
    timed_out = sum(one["failures"].get(reason, 0) for reason in UNANSWERED)
    return {
        "failed": one["failed"] - timed_out,
        "had no answer within the timeout": timed_out,
        "could not be sent since their device still waited": one["unsent_busy"],
        "not sent since the generator was late": one["unsent_late"],
    }


def _waits(times: Mapping[str, Any]) -> str:
    """How long half of the polls took, and nearly all; longer than that where some never had an answer."""
    p50, p99 = times.get("p50"), times.get("p99")
    if p50 is None:
        return ""
    longer_than = is_longer(times, "p50"), is_longer(times, "p99")
    half = f"half {'waited longer than' if longer_than[0] else 'were done within'} {number(p50)} ms"
    if p99 is None:
        return half
    if longer_than[1]:
        return f"{half} and 1 % {'' if longer_than[0] else 'waited '}longer than {number(p99)} ms"
    return f"{half} and 99 % {'were done ' if longer_than[0] else ''}within {number(p99)} ms"


def _polled(summary: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The endpoints that the run polled, as people call them, in the target's order."""
    endpoints = summary["endpoints"]
    return [(title, endpoints[name]) for name, title in titles(endpoints).items() if endpoints[name].get("planned")]


def headline(summary: Mapping[str, Any]) -> Markup:
    """Counts and times of every endpoint."""
    polled = _polled(summary)
    if not polled:
        return note("No poll was planned in the measured window, so there is nothing to count.")
    times = [one[key] for _, one in polled for key, _ in _KINDS]
    unknown = any(is_longer(one, column) for one in times for column, _ in _COLUMNS)
    steps = rounded_up(max(one.get("off_by_ratio", 0.0) for one in times))
    read = " ".join(filter(None, [_READ, LONGER if unknown else "", steps]))
    return _counts(polled) + caption(_load(summary["load"])) + connections.figures(summary) + _times(polled) + caption(read)


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
            title,
            *(count(one[key]) for key in ("planned", "ok", "failed", "unsent_busy", "unsent_late")),
            reasons(one["failures"], error_statuses(one), one.get("failed_checks")) or NONE,
        ]
        for title, one in polled
    ]
    return table(head, rows, label="polls by endpoint and outcome", numbers=range(1, 6), wide={6})


def _times(polled: list[tuple[str, Mapping[str, Any]]]) -> Markup:
    head = ["ms", *(label for _, label in _COLUMNS)]
    rows: list[list[Piece]] = [
        [f"{title} {word}", *(_time(one[key], column) for column, _ in _COLUMNS)]
        for title, one in polled
        for key, word in _KINDS
    ]
    return table(head, rows, label="response and latency in ms", numbers=range(1, 5))


def _time(times: Mapping[str, Any], column: str) -> Piece:
    """A figure with the interval that it lies in at 95 % confidence, if there is one."""
    value = times.get(column)
    if value is None:
        return element("span", NONE if times.get("max") is None else TOO_FEW, css="lab-small")
    figure = longer(number(value), censored=is_longer(times, column))
    interval = (times.get("interval") or {}).get(column)
    if not interval or None in interval:
        return figure
    low, high = (number(end) for end in interval)
    open_ended = (times.get("interval_open") or {}).get(column)
    within = f"[{low} or longer]" if open_ended else f"[{low} – {high}]"
    return element("span", f"{figure} ", element("span", within, css="lab-small"))


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
    rows[3:3] = limits.rows(summary)
    if database := summary.get("database"):
        rows.insert(3, ["PostgreSQL", "processor cores in use, mean", _unit(database["cpu_cores_mean"], "cores")])
    return table(["of", "what", "figure"], rows, label="cost of the run", numbers={2})


def _unit(value: float | None, unit: str) -> str:
    return NONE if value is None else f"{number(value)} {unit}"
