"""The cells of a sweep as tables: one row per cell, and one row per point of the grid with its repeats taken together.

Cells -> frames. Counts and costs come from each cell's own summary. Percentiles of a point are those of the rows of all its
repeats together, read one point at a time; percentiles are never averaged. Only repeats that may be believed are taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from experiments.analyse import latency, service_level
from experiments.analyse.checks.evidence import Evidence, number
from experiments.analyse.latency import Times
from experiments.analyse.passes.digest import Digest
from experiments.analyse.summary import current, is_longer
from experiments.analyse.targets import asked
from experiments.analyse.targets.naming import ARTICLE
from experiments.record.reading import Record

BELIEVED = ("valid", "suspect")
_PERCENTS = (50.0, 95.0, 99.0)

_COSTS: dict[str, tuple[str, ...]] = {
    "server_cores": ("server", "cpu_cores_mean"),
    "server_us_per_request": ("server", "cpu_us_per_request"),
    "server_rss_bytes": ("server", "rss_peak_bytes"),
    "generator_us_per_poll": ("generator", "cpu_us_per_poll"),
    "lag_p99_ms": ("generator", "lag_ms", "p99"),
}


def column(endpoint: str, figure: str) -> str:
    """The column of an endpoint's figure: `status_p99_ms`; `config.p99_ms`, so that no name of a target's is one of ours."""
    return f"{endpoint}_{figure}" if endpoint in ARTICLE else f"{endpoint}.{figure}"


def figures(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Column -> where a summary has it; the times of these endpoints first."""
    times = {
        column(name, f"{percentile}_ms"): ("endpoints", name, "response_ms", percentile)
        for name in names
        for percentile in ("p50", "p95", "p99")
    }
    return times | _COSTS


def endpoints_of(records: Iterable[Record]) -> tuple[str, ...]:
    """The endpoints of several runs, in the order of their targets; the article's two where there is no run."""
    return tuple(dict.fromkeys(name for record in records for name in record.endpoints)) or ARTICLE


@dataclass(frozen=True)
class Measured:
    """A cell of a grid and what came of it."""

    name: str
    at: Mapping[str, Any]
    """Axis -> value."""
    repeat: int
    state: str
    """The verdict of its record; or failed, unfinished, damaged, not measured."""
    why: str
    """Why there is no record, or the checks for which it is invalid or suspect."""
    record: Record | None
    report: str
    """Its report, relative to the sweep's folder; empty if there is none."""

    @property
    def believed(self) -> bool:
        return self.state in BELIEVED


@dataclass(frozen=True)
class Point:
    """One combination of the axes' values, with the repeats that may be believed taken together."""

    at: Mapping[str, Any]
    states: tuple[str, ...]
    """Of all its cells, in the order of their repeats."""
    planned: Mapping[str, int]
    """Endpoint -> polls planned."""
    failed_pct: Mapping[str, float | None]
    """Endpoint -> percent of the planned polls that were not answered right."""
    within_pct: Mapping[str, float | None]
    """Endpoint -> percent of the planned polls answered right within the limit; None where there is no limit."""
    levels: Mapping[str, Mapping[str, Any]]
    """Endpoint with a limit -> whether all its polls together keep it; see `service_level.response`."""
    may_fail_pct: Mapping[str, float]
    """Endpoint -> percent of its polls that may fail, where its target says so of it alone."""
    response_ms: Mapping[str, Mapping[str, float | None]]
    """Endpoint -> p50, p95, p99 of all rows together; None where too few polls support it."""
    longer: Mapping[str, frozenset[str]]
    """Endpoint -> which of them are only known to be longer, since polls never had an answer; see `latency`."""
    curves: Mapping[str, pl.DataFrame]
    """Endpoint -> `latency.curve`."""
    server: Mapping[str, float | None]
    """cores and us_per_request: means over repeats; rss_bytes: the highest."""
    repeats: Mapping[str, tuple[float, ...]]
    """Column of `cells_table` -> the figure of each repeat that may be believed by itself, where it has one."""

    @property
    def measured(self) -> bool:
        """Whether any repeat may be believed."""
        return any(state in BELIEVED for state in self.states)


def cells_table(cells: Iterable[Measured]) -> pl.DataFrame:
    """One row per cell: where it is, its state, the figures of its summary, and which of them are only lower bounds; null
    where there are none."""
    cells = list(cells)
    places = figures(endpoints_of(cell.record for cell in cells if cell.record))
    rows = []
    for cell in cells:
        summary = current(cell.record) if cell.record else {}
        planned = sum(one["planned"] for one in summary["endpoints"].values()) if summary else 0
        counted = {"planned": planned or None, "failed_pct": failed_pct(summary) if planned else None}
        found = {name: figure_at(summary, place) for name, place in places.items()}
        longer = {
            f"{name.removesuffix('_ms')}_censored": censored_at(summary, place)
            for name, place in places.items()
            if place[2:3] == ("response_ms",)
        }
        row = {"cell": cell.name, **cell.at, "repeat": cell.repeat, "state": cell.state, **counted, **found, **longer}
        rows.append(row)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.col(pl.Null).cast(pl.Float64))


def failed_pct(summary: Mapping[str, Any]) -> float:
    """Percent of a run's planned polls that were not answered right, whoever's fault that was; 0 where none were planned."""
    planned, ok = (sum(one[key] for one in summary["endpoints"].values()) for key in ("planned", "ok"))
    return 100 * (planned - ok) / planned if planned else 0.0


def points(cells: Sequence[Measured], limits_ms: Mapping[str, float], failure_pct: float = 100.0) -> list[Point]:
    """The points of a grid, in the order of its first repeat.

    Args:
        limits_ms: endpoint -> response time within which a poll keeps the service level; 0 for none.
        failure_pct: percent of the polls that may fail, and are left out of the p99 then; 100 where nothing was said.
    """
    grouped: dict[tuple[Any, ...], list[Measured]] = {}
    for cell in sorted(cells, key=lambda cell: cell.repeat):
        grouped.setdefault(tuple(cell.at.values()), []).append(cell)
    return [_point(group, limits_ms, failure_pct) for group in grouped.values()]


def _point(cells: Sequence[Measured], limits_ms: Mapping[str, float], failure_pct: float) -> Point:
    records = [cell.record for cell in cells if cell.record and cell.believed]
    digests = [Evidence(record).digest for record in records]
    names = endpoints_of(records)
    levels = _levels(records, names, limits_ms)
    own = {name: _counts(digests, name) for name in names if digests}
    own = {name: counts for name, counts in own.items() if counts.height}
    times = {name: Times.together([one.times[name, "response"] for one in digests]) for name in own}
    found = {name: latency.percentiles(values, _PERCENTS) for name, values in times.items()}
    summaries = [current(record) for record in records]
    return Point(
        at=cells[0].at,
        states=tuple(cell.state for cell in cells),
        planned={name: number(counts) for name, counts in own.items()},
        failed_pct={name: 100 * number(counts, pl.col("outcome") != "ok") / number(counts) for name, counts in own.items()},
        within_pct={name: _within(counts, times[name], levels[name].p99_ms) for name, counts in own.items()},
        levels={
            name: service_level.response(
                name, level.p99_ms, counts, times[name], service_level.allowed_pct(failure_pct, level)
            )
            for name, counts in own.items()
            if (level := levels[name]).p99_ms > 0
        },
        may_fail_pct={name: limit for name in own if (limit := levels[name].failure_pct) is not None},
        response_ms={name: _percentiles(each) for name, each in found.items()},
        longer={name: frozenset(f"p{one.percent:g}" for one in each if one.censored) for name, each in found.items()},
        curves={name: latency.curve(values) for name, values in times.items()},
        server=_server([summary["server"] for summary in summaries]),
        repeats=_repeats(summaries, names),
    )


def _levels(
    records: Sequence[Record], names: Sequence[str], limits_ms: Mapping[str, float]
) -> dict[str, service_level.Level]:
    """What is asked of each endpoint of a point: of the sweep, else by the target of its runs."""
    target = asked.target(records[0]) if records else None
    if target is None:
        return {name: service_level.Level(limits_ms.get(name, 0.0)) for name in names}
    found = service_level.levels(records[0].scenario, names, target)
    return {name: replace(level, p99_ms=limits_ms.get(name) or level.p99_ms) for name, level in found.items()}


def _repeats(summaries: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Each figure of each repeat; a lower bound tells nothing of how far repeats lie apart."""
    places = {**figures(names), **{column(name, "failed_pct"): ("endpoints", name) for name in names}}
    return {
        figure: tuple(
            value
            for summary in summaries
            if not censored_at(summary, place) and (value := _value_at(summary, place)) is not None
        )
        for figure, place in places.items()
    }


def _value_at(summary: Mapping[str, Any], place: Sequence[str]) -> float | None:
    value = figure_at(summary, place)
    if not isinstance(value, Mapping):
        return None if value is None else float(value)
    return 100 * (value["planned"] - value["ok"]) / value["planned"] if value["planned"] else None


def _counts(digests: Sequence[Digest], name: str) -> pl.DataFrame:
    """Of an endpoint in all runs: frame(outcome, polls)."""
    each = [one.counts.filter(pl.col("endpoint") == name).select("outcome", "polls") for one in digests]
    return pl.concat(each).group_by("outcome").agg(pl.col("polls").sum())


def _within(counts: pl.DataFrame, times: Times, limit_ms: float) -> float | None:
    right = times.answered_within(pl.col("value") <= limit_ms / 1000)
    return 100 * right / number(counts) if limit_ms > 0 else None


def _percentiles(found: Sequence[latency.Percentile]) -> dict[str, float | None]:
    return {f"p{one.percent:g}": None if one.value_s is None else 1000 * one.value_s for one in found}


def _server(costs: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    def known(name: str) -> list[float]:
        return [cost[name] for cost in costs if cost[name] is not None]

    def mean(values: list[float]) -> float | None:
        return math.fsum(values) / len(values) if values else None

    return {
        "cores": mean(known("cpu_cores_mean")),
        "us_per_request": mean(known("cpu_us_per_request")),
        "rss_bytes": max(known("rss_peak_bytes"), default=None),
    }


def figure_at(summary: Mapping[str, Any], place: Sequence[str]) -> Any:
    """The figure at this place of a summary; None where there is none."""
    value: Any = summary
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def censored_at(summary: Mapping[str, Any], place: Sequence[str]) -> bool:
    """Whether the figure at this place of a summary is only known to be longer; False where there is none."""
    times, name = figure_at(summary, place[:-1]), place[-1]
    return isinstance(times, Mapping) and is_longer(times, name)
