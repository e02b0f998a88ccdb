"""What a run of a comparison shows: its figures, and whether they count.

The outcome of a cell -> `Run`; all of them -> `Comparison`. Reads records; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from experiments.analyse.duets import gate
from experiments.analyse.points import failed_pct
from experiments.analyse.summary import current, error_statuses
from experiments.record.reading import Record
from experiments.studies.capacity.strategy import Search
from experiments.studies.cells import Cell, Outcome
from experiments.studies.compare.params import Asked, Series
from experiments.studies.compare.statistics import Ratio, of_pieces

Role = Literal["duet", "duet with itself", "system", "again", "pool", "memory", "serial"]
"""duet: a system, polled at once with what it is held against. duet with itself: that, beside itself. system: what is held
against Falcon by blocks. again: Falcon, held against itself. pool: more runs of Falcon, for the method's error rate. memory:
many connections. serial: requests that wait for a database."""

DUETS = ("duet", "duet with itself")

_PERCENTILES = ("p50", "p95")
_MOST_FAILED_PCT = 5.0
"""Percent of polls; where more failed, the load was not equal: polls that fail do not cost what others do."""


@dataclass(frozen=True)
class Figures:
    """Of one run."""

    cpu_us_per_request: float | None
    times_ms: Mapping[str, Mapping[str, float | None]]
    """Endpoint, in the target's order, -> p50 and p95 of the response."""
    polls_per_s: float
    """Answered."""
    failed_pct: float
    """Percent of the planned polls that were not answered right."""
    server_cores: float
    uss_bytes: int | None
    """Memory that only the server's processes hold, by worker, with all devices connected."""
    connections: int | None
    """Of the server, when that was sampled."""
    start_s: float | None
    """From the start of the server until it was ready."""


@dataclass(frozen=True)
class Duet:
    """What a run with two servers shows beside the figures of the second."""

    first: Figures
    """Of what the second is held against."""
    ratios: Mapping[str, Ratio]
    """`cpu`, `p50` and `p95` of what is polled most -> what the second needs for what the first needs."""
    endpoint: str
    """The one that is polled most."""


@dataclass(frozen=True)
class Run:
    """One run, and where in the comparison it belongs."""

    system: str
    role: Role
    series: Series
    block: int
    """From 1."""
    cell: Cell
    outcome: Outcome
    figures: Figures | None
    """None where it does not count."""
    why: str
    """Why it does not count; empty if it does."""
    suspect: bool
    """It counts, with care."""
    duet: Duet | None = None
    """None of a run with one server, or one that does not count."""

    @property
    def counts(self) -> bool:
        return self.figures is not None


@dataclass(frozen=True)
class Comparison:
    """All that was asked, and what came of it."""

    asked: Asked
    folder: Path
    runs: list[Run]
    """Those that were planned, in their order; also those that were not measured."""
    capacities: Mapping[str, Search] = field(default_factory=dict)
    """System -> the search for its capacity."""
    clients: Mapping[str, Outcome] = field(default_factory=dict)
    """Client -> its cell, of those that ask one server."""
    left_out: str = ""
    """What the time did not allow; empty if nothing was left out."""

    @property
    def blocks(self) -> int:
        """Blocks of which every run was measured."""
        missing = {run.block for run in self.runs if run.outcome.status in ("not measured", "unfinished")}
        return len({run.block for run in self.runs} - missing)


def seen(system: str, role: Role, series: Series, block: int, outcome: Outcome) -> Run:
    """What came of a cell, and whether it counts."""
    why = _why_not(outcome, at_once=role in DUETS)
    record = None if why else outcome.record
    figures = None if record is None else read(record)
    duet = None
    if record is not None and figures is not None and role in DUETS:
        duet, figures = _duet(record, figures), beside(record)
    with_care = outcome.verdict in ("suspect", "invalid")
    return Run(system, role, series, block, outcome.cell, outcome, figures, why, with_care, duet)


def _duet(record: Record, first: Figures) -> Duet:
    told = current(record)["duet"]
    keys = {"cpu": "cpu_ratio", "p50": "response_p50_ratio", "p95": "response_p95_ratio"}
    found = {name: of_pieces(told[key]) for name, key in keys.items()}
    return Duet(first, {name: one for name, one in found.items() if one is not None}, _polled_most(record))


def _polled_most(record: Record) -> str:
    rates = record.plan.rates
    return max(rates, key=lambda name: rates[name])


def _why_not(outcome: Outcome, *, at_once: bool) -> str:
    """Why a run does not count.

    Args:
        at_once: two servers were polled: a generator that was late was so for both alike.
    """
    summary = outcome.summary
    if summary is None:
        return f"{outcome.status}: {outcome.why}"
    verdict = summary["verdict"]
    if verdict["status"] == "invalid" and (damaged := gate.damage(verdict["checks"]) if at_once else verdict["headline"]):
        return str(damaged)
    return next((why for one in (summary, *summary.get("beside", ())) if (why := _why_not_equal(one))), "")


def _why_not_equal(summary: Mapping[str, Any]) -> str:
    """Why polls of a server do not cost what others do; empty if they do."""
    if wrong := sum(one["failures"].get("wrong_body", 0) for one in summary["endpoints"].values()):
        return f"{wrong:,} polls were answered with the wrong bytes"
    failed = failed_pct(summary)
    if failed > _MOST_FAILED_PCT:
        reasons = {reason for one in summary["endpoints"].values() for reason in _reasons(one)}
        named = f" ({', '.join(sorted(reasons))})" if reasons else ""
        return f"{failed:.0f} % of the polls were not answered right{named}: the load was not equal"
    return ""


def _reasons(endpoint: Mapping[str, Any]) -> list[str]:
    """Why polls failed; of answers that were errors, with the status codes."""
    codes = ", ".join(error_statuses(endpoint))
    return [f"{one} ({codes})" if one == "http_error" and codes else one for one in endpoint["failures"]]


def read(record: Record) -> Figures:
    """The figures of a record that has a summary; of one with several servers, those of the first."""
    return _figures(record, current(record), 0, record.facts["server"])


def beside(record: Record) -> Figures:
    """Those of the second."""
    return _figures(record, current(record)["beside"][0], 1, record.facts["beside"][0])


def _figures(record: Record, summary: Mapping[str, Any], number: int, facts: Mapping[str, Any]) -> Figures:
    server, times = summary["server"], {name: one["response_ms"] for name, one in summary["endpoints"].items()}
    uss, connections = _memory(record, number)
    return Figures(
        cpu_us_per_request=server["cpu_us_per_request"],
        times_ms={name: {percentile: _known(one, percentile) for percentile in _PERCENTILES} for name, one in times.items()},
        polls_per_s=summary["load"]["polls_per_s_answered"] or 0.0,
        failed_pct=failed_pct(summary),
        server_cores=server["cpu_cores_mean"] or 0.0,
        uss_bytes=uss,
        connections=connections,
        start_s=facts.get("ready_s"),
    )


def _known(times: Mapping[str, Any], name: str) -> float | None:
    """A percentile; None where polls that never had an answer leave open how long it is: a bound cannot be ranked."""
    return None if times["censored"][name] else times[name]


def _memory(record: Record, number: int) -> tuple[int | None, int | None]:
    """Own memory of the server by worker, and its connections then: the last time that it was sampled under load.

    That is seldom, and may be before the window, since it is expensive; devices are connected by then. The sample after
    the load is of a server that they have left.
    """
    under_load = (pl.col("t_s") <= record.window_s) & pl.col("uss_bytes").is_not_null()
    ours = (pl.col("group") == "server") & (pl.col("instance") == number)
    expensive = record.resources().filter(ours & under_load).sort("t_s")
    if not len(expensive):
        return None, None
    last = expensive.row(-1, named=True)
    return round(last["uss_bytes"] / record.scenario.workers), last["connections"]
