"""summary.json: the figures of a run that other tools rely on, from the record alone.

Record -> a dict of plain JSON values, without NaN: what a record cannot support is null. Everything
covers the measured window only. Records are in seconds; the summary is in the units of its names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from experiments.analyse import connections, latency, service_level
from experiments.analyse.checks.evidence import Evidence, names, number
from experiments.analyse.checks.verdict import Verdict, judge
from experiments.analyse.duets import duet as duets
from experiments.analyse.latency import Percentile, Times
from experiments.analyse.passes.devices import by_device
from experiments.analyse.polls import count, statuses
from experiments.analyse.resources import Costs
from experiments.analyse.targets import asked
from experiments.errors import RecordError
from experiments.record.reading import Record
from experiments.record.schema import UNSENT
from experiments.scenario import Scenario

ANALYSIS_VERSION = 2
"""Rises when a figure of the same record would come out differently."""

_NAMES = {50.0: "p50", 90.0: "p90", 95.0: "p95", 99.0: "p99", 99.9: "p999"}


def current(record: Record) -> dict[str, Any]:
    """The stored summary; one made now where there is none, or one of another version, or where files are damaged."""
    try:
        stored = record.summary()
    except RecordError:
        stored = {}
    whole = stored.get("analysis_version") == ANALYSIS_VERSION and "verdict" in stored
    # One that was made while all files were whole says nothing of what is shown now.
    return stored if whole and not record.gaps else summarise(record)


def is_longer(times: Mapping[str, Any], name: str) -> bool:
    """Whether a figure of `response_ms` or `latency_ms`, such as `p99`, is only known to be longer."""
    return bool((times.get("censored") or {}).get(name))


def error_statuses(endpoint: Mapping[str, Any]) -> dict[str, int]:
    """Of an endpoint in a summary, the answers with a wrong status, by their code.

    Which codes are right is the target's to say; where there is none, it is 200 alone.
    """
    found = endpoint.get("error_statuses")
    if found is None:
        found = {code: number_ for code, number_ in endpoint.get("statuses", {}).items() if code != "200"}
    return dict(found)


def summarise(record: Record, evidence: Evidence | None = None) -> dict[str, Any]:
    """Makes the summary of a record, finished or not.

    Args:
        evidence: what has been gathered of this record already; None to gather it.
    """
    evidence = evidence or Evidence(record)
    first, *others = evidence.each
    return {
        "analysis_version": ANALYSIS_VERSION,
        "endpoints": _endpoints(first),
        "server": _server(first),
        "generator": _generator(evidence),
        **_database(evidence),
        **_beside(evidence, others),
        "load": _load(first),
        "connecting": _connecting(evidence),
        "connections": connections.summarise(record),
        "service_level": judged(first, record.scenario),
        "cut_short": _cut_short(record),
        "cut_short_kind": record.cut_short.kind if record.cut_short else None,
        "verdict": _verdict(judge(record, evidence)),
    }


def _endpoints(evidence: Evidence) -> dict[str, Any]:
    return {name: _endpoint(evidence, name) for name in evidence.record.endpoints}


def _beside(evidence: Evidence, others: Sequence[Evidence]) -> dict[str, Any]:
    """The other servers, each beside the first; nothing in a run with one."""
    if not others:
        return {}
    called = names(evidence.record)
    found = duets.duets(evidence)
    beside = [
        {"name": called[one.system], "endpoints": _endpoints(one), "server": _server(one), "load": _load(one)}
        for one in others
    ]
    return {"beside": beside, "duet": found[0], "duets": found}


def _endpoint(evidence: Evidence, name: str) -> dict[str, Any]:
    counts, times = evidence.counts.filter(pl.col("endpoint") == name), evidence.digest.times
    return {
        **count(counts),
        "failures": _most_first(counts.filter(~pl.col("outcome").is_in(("ok", *UNSENT))), "outcome"),
        "statuses": statuses(counts),
        "failed_checks": _most_first(counts, "failed_check"),
        **_expected(counts, name, asked.target(evidence.record)),
        "response_ms": _times(times[name, "response"], evidence.responses[name]),
        "latency_ms": _times(times[name, "latency"]),
    }


def _most_first(counts: pl.DataFrame, column: str) -> dict[str, int]:
    """Words of a column -> how many polls, the most frequent first."""
    each = counts.drop_nulls(column).group_by(pl.col(column).cast(pl.String)).agg(pl.col("polls").sum())
    return dict(each.sort("polls", column, descending=[True, False]).iter_rows())


def _expected(counts: pl.DataFrame, name: str, target: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a target's own expectations came to; nothing where the article's two endpoints were asked."""
    if target is None:
        return {}
    found: dict[str, Any] = {"error_statuses": statuses(counts.filter(pl.col("outcome") == "http_error"))}
    if target["endpoints"].get(name, {}).get("etag") == "remember":
        found["not_modified"] = number(counts, (pl.col("outcome") == "ok") & (pl.col("status") == 304))
    return found


def judged(evidence: Evidence, scenario: Scenario) -> dict[str, Any]:
    """The service level that a scenario asks for, which need not be the one of the record; see `service_level.judge`."""
    record, times = evidence.record, evidence.digest.times
    responses = {name: times[name, "response"] for name in record.endpoints}

    def devices(asked_of: Mapping[str, service_level.Level]) -> pl.DataFrame:
        return by_device(evidence, {name: level.p99_ms for name, level in asked_of.items()})

    return service_level.judge(scenario, evidence.counts, responses, devices, asked.target(record))


def _times(times: Times, found: tuple[Percentile, ...] | None = None) -> dict[str, Any]:
    """Mean, percentiles and maximum in ms, the interval of each percentile that has one, and what is a lower bound.

    `off_by_ratio` is there only where percentiles are not exact: by how much, as a share, they may be too long.
    `censored` says of each figure whether it is only known to be longer, `interval_open` of each interval whether it has
    no known upper end, so that the one given is a lower bound too.
    """
    found = found or latency.percentiles(times)
    known = [one for one in found if one.value_s is not None]
    return {
        "mean": _ms(times.mean_s),
        **{_NAMES[one.percent]: _ms(one.value_s) for one in found},
        "max": _ms(times.longest_s),
        **({"off_by_ratio": times.off_by} if times.off_by else {}),
        "interval": {_NAMES[one.percent]: [_ms(one.low_s), _ms(one.high_s)] for one in known},
        "interval_open": {_NAMES[one.percent]: one.open_ended for one in known},
        "censored": {
            "mean": times.censored,
            **{_NAMES[one.percent]: one.censored for one in found},
            "max": times.censored,
        },
    }


def _server(evidence: Evidence) -> dict[str, Any]:
    """CPU over answers, both of the part of the window that was sampled."""
    costs = evidence.costs
    # Warm-up polls in flight too.
    answered = number(evidence.all_counts, pl.col("status") > 0, "done_covered")
    cores = costs.server_cores
    per_request = 1e6 * cores * costs.seconds / answered if cores is not None and answered else None
    return {
        "cpu_us_per_request": _rounded(per_request),
        "cpu_cores_mean": _rounded(cores),
        "rss_peak_bytes": costs.server_rss_peak_bytes,
        "may_use": evidence.server.get("may_use"),
        "throttled": _throttled(costs, "server"),
    }


def _throttled(costs: Costs, group: str) -> dict[str, float] | None:
    """What a CPU quota did to a group within the window; null where none was seen."""
    found = costs.throttled.get(group)
    if found is None:
        return None
    # Whole periods: the ends of the window lie between two samples, so a part of one is no more than a guess.
    whole = {"periods": round(found.periods), "throttled_periods": round(found.throttled_periods)}
    return {**whole, "seconds": round(found.seconds, 3)}


def _generator(evidence: Evidence) -> dict[str, Any]:
    costs = evidence.costs
    sent = number(evidence.all_counts, of="sent_covered")
    cores = costs.generator_cores.values()
    lags = latency.percentiles(evidence.digest.lag, (50.0, 99.0, 99.9))
    return {
        "cpu_us_per_poll": _rounded(1e6 * sum(cores) * costs.seconds / sent) if cores and sent else None,
        "cpu_cores_max": _rounded(max(cores, default=None)),
        "lag_ms": {
            **{_NAMES[one.percent]: _ms(one.value_s) for one in lags},
            "max": _ms(evidence.digest.lag.longest_s),
        },
        "throttled": _throttled(costs, "kernel") or _throttled(costs, "generator"),
    }


def _database(evidence: Evidence) -> dict[str, Any]:
    """Nothing where none was seen."""
    cores = evidence.costs.database_cores
    return {} if cores is None else {"database": {"cpu_cores_mean": _rounded(cores)}}


def _load(evidence: Evidence) -> dict[str, Any]:
    """What was asked for and what came, by the second of the window."""
    window_s = evidence.record.window_s
    if window_s <= 0:
        return {"polls_per_s_planned": None, "polls_per_s_answered": None, "mb_per_s_answered": None}
    answered = evidence.all_counts.filter(pl.col("status") > 0)
    return {
        "polls_per_s_planned": _rounded(evidence.planned / window_s),
        "polls_per_s_answered": _rounded(number(answered, of="came") / window_s),
        "mb_per_s_answered": _rounded(number(answered, of="came_bytes") / 1e6 / window_s),
    }


def _connecting(evidence: Evidence) -> dict[str, Any]:
    """First packets of connections that were dropped or sent again within the window."""
    found = evidence.digest.sent_again.connecting(evidence.costs)
    counts = {name: getattr(found, name) for name in ("syn_retransmits", "listen_overflows", "listen_drops")}
    return {
        "resent": {str(seconds): number for seconds, number in found.resent.items()},
        **{name: None if value is None else round(value) for name, value in counts.items()},
        "backlog": evidence.server.get("backlog"),
    }


def _cut_short(record: Record) -> str | None:
    if not record.finished:
        return record.missing[0]
    return str(record.cut_short) if record.cut_short else None


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "headline": verdict.headline,
        "reason": verdict.reason,
        "checks": [asdict(check) for check in verdict.checks],
    }


def _ms(seconds: Any) -> float | None:
    """Milliseconds to the nanosecond, far finer than the record's ticks; null stays null."""
    return None if seconds is None else round(1000 * float(seconds), 6)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
