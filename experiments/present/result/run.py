"""The result of a single run: its record and summary -> `Result`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.analyse.changes import Comparison
from experiments.analyse.summary import error_statuses, is_longer
from experiments.analyse.targets.naming import titles
from experiments.present import answer as answers
from experiments.present.duets import table as duets
from experiments.present.format import count, longer, number, reasons
from experiments.present.result.model import Case, Figure, Judgement, Result, State, Table
from experiments.present.tables import changes as differences
from experiments.present.tables import service_level as levels
from experiments.present.tables import verdict as judgement
from experiments.record.reading import Record

_COUNTS = ("planned", "sent", "ok", "failed", "unsent_busy", "unsent_late")
_QUANTILES = {"p50": "0.5", "p90": "0.9", "p95": "0.95", "p99": "0.99", "p999": "0.999", "max": "1"}
_MET: dict[bool | None, State] = {True: "passed", False: "failed", None: "error"}
_CHECKED: dict[str, State] = {"valid": "passed", "suspect": "passed", "invalid": "error"}


def result(
    record: Record,
    summary: Mapping[str, Any],
    comparison: Comparison | None = None,
    compare_to: str = "",
    margin_pct: float = 10.0,
) -> Result:
    """What a run comes to.

    Args:
        record: finished or not.
        summary: `analyse.summary.current(record)`, or with another service level than the run's own.
        comparison: with what `compare_to` names; None where it names nothing.
        margin_pct: what is worse by more is a regression.
    """
    found = answers.answer(record, summary)
    worse = changes([comparison] if comparison else [], compare_to, margin_pct)
    return Result(
        kind="run",
        name=record.run_id,
        title=found.subject.title,
        answer=" ".join([*duets.sentences(summary), found.text]),
        service_level=Judgement(status=found.service_level.status, said=found.service_level.said),
        measurement=Judgement(status=found.measurement.status, said=found.measurement.said),
        regressions=[case.said for case in worse if case.status == "failed"],
        next_step=found.next_step,
        cases=[*level_cases(summary), *_checks(summary), *worse],
        figures=list(figures(summary)),
        tables=[_counts(summary), _times(summary)],
    )


def level_cases(summary: Mapping[str, Any], where: str = "") -> Iterator[Case]:
    """One for each limit that was asked for.

    Args:
        where: the point of a study that it is about, after a comma.
    """
    level, names = summary.get("service_level") or {}, tuple(summary["endpoints"])
    for item in level.get("items", ()):
        yield Case(suite="service level", name=f"{item['name']}{where}", status=_MET[item["met"]], said=_held(item, names))


def _held(item: Mapping[str, Any], names: Sequence[str]) -> str:
    if item["met"] is False:
        return levels.missed_limit(item, names)
    limit = judgement.shown(item["limit"])
    return f"{judgement.shown(item['figure'])}, limit {limit}" if item["met"] else f"too few polls to say; limit {limit}"


def changes(comparisons: Sequence[Comparison], compare_to: str, margin_pct: float) -> list[Case]:
    """One for each figure that was compared; a regression has failed."""
    found = []
    for comparison in comparisons:
        worse = dict.fromkeys(differences.regressions(comparison, margin_pct))
        found += [Case(suite="change", name=f"since {compare_to}", status="failed", said=said) for said in worse]
        better = sum(not change.beyond(margin_pct) for change in comparison.changes)
        if better:
            said = f"{better} figures are not worse beyond the margin of {margin_pct:g} %"
            found.append(Case(suite="change", name=f"other figures since {compare_to}", status="passed", said=said))
    return found


def _checks(summary: Mapping[str, Any]) -> Iterator[Case]:
    for check in summary["verdict"]["checks"]:
        figure = f"{check['status']}: {judgement.shown(check['figure'])}, limit {judgement.shown(check['limit'])}"
        status = _CHECKED.get(check["status"], "skipped")
        yield Case(suite="measurement", name=check["name"], status=status, said=f"{figure}. {judgement.meaning(check)}")


def figures(summary: Mapping[str, Any], **labels: str) -> Iterator[Figure]:
    """Every figure of a summary that is a number, in seconds, bytes, cores or counts.

    Args:
        labels: what tells this run from others beside it.
    """
    for name, one in summary["endpoints"].items():
        yield from _of_endpoint(name, one, labels)
    for place, name, factor in _SINGLE:
        value = (summary.get(place[0]) or {}).get(place[1])
        if value is not None:
            yield Figure(name=name, value=factor * value, labels=labels)
    for quantile, value in (summary["generator"].get("lag_ms") or {}).items():
        if value is not None:
            yield Figure(name="send_delay_seconds", value=value / 1e3, labels={**labels, "quantile": _QUANTILES[quantile]})
    yield from _states(summary, labels)


_SINGLE = (
    (("server", "cpu_us_per_request"), "server_cpu_seconds_per_request", 1e-6),
    (("server", "cpu_cores_mean"), "server_cpu_cores", 1.0),
    (("server", "rss_peak_bytes"), "server_memory_peak_bytes", 1.0),
    (("generator", "cpu_us_per_poll"), "generator_cpu_seconds_per_poll", 1e-6),
    (("generator", "cpu_cores_max"), "generator_cpu_cores_max", 1.0),
    (("load", "polls_per_s_planned"), "polls_planned_per_second", 1.0),
    (("load", "polls_per_s_answered"), "polls_answered_per_second", 1.0),
)


def _of_endpoint(name: str, one: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Figure]:
    own = {**labels, "endpoint": name}
    yield from (Figure(name="polls", value=one[key], labels={**own, "state": key}) for key in _COUNTS)
    for why, polls in one["failures"].items():
        yield Figure(name="failed_polls", value=polls, labels={**own, "reason": why})
    for kind in ("response", "latency"):
        times = one[f"{kind}_ms"]
        known = {key: quantile for key, quantile in _QUANTILES.items() if times.get(key) is not None}
        for key, quantile in known.items():
            # A figure that is only known to be longer is a lower bound, and must not pass for the time itself.
            bound = {"bound": "lower"} if is_longer(times, key) else {}
            labelled = {**own, "quantile": quantile, **bound}
            yield Figure(name=f"{kind}_seconds", value=times[key] / 1e3, labels=labelled)


def _states(summary: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Figure]:
    status = summary["verdict"]["status"]
    for one in ("valid", "suspect", "invalid"):
        yield Figure(name="measurement_state", value=one == status, labels={**labels, "state": one})
    met = (summary.get("service_level") or {}).get("met")
    if met is not None:
        yield Figure(name="service_level_met", value=met, labels=labels)


def _polled(summary: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    endpoints = summary["endpoints"]
    yield from ((title, endpoints[name]) for name, title in titles(endpoints).items() if endpoints[name].get("planned"))


def _counts(summary: Mapping[str, Any]) -> Table:
    rows = [
        [
            title,
            *(count(one[key]) for key in ("planned", "ok", "failed")),
            count(one["unsent_busy"] + one["unsent_late"]),
            reasons(one["failures"], error_statuses(one), one.get("failed_checks")),
        ]
        for title, one in _polled(summary)
    ]
    return Table(title="Polls", head=["endpoint", "planned", "ok", "failed", "not sent", "reasons"], rows=rows)


def _times(summary: Mapping[str, Any]) -> Table:
    keys = ("p50", "p95", "p99", "max")
    rows = [
        [title, *(longer(number(one["response_ms"].get(key)), censored=is_longer(one["response_ms"], key)) for key in keys)]
        for title, one in _polled(summary)
    ]
    return Table(title="Response, ms", head=["endpoint", *keys], rows=rows)
