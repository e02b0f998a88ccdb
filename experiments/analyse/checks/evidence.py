"""What a verdict rests on: the record, its polls, its costs, and what a check says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import polars as pl

from experiments.analyse import latency, resources
from experiments.analyse.latency import Percentile, Times
from experiments.analyse.passes.digest import Digest, digest
from experiments.analyse.polls import arrange
from experiments.record.reading import Record

Status = Literal["valid", "suspect", "invalid", "not_applicable"]
SEVERITY: tuple[Status, ...] = ("not_applicable", "valid", "suspect", "invalid")
"""Worse and worse."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at before the figures are believed."""

    name: str
    status: Status
    figure: str
    """What was found, with its unit."""
    limit: str
    """What was allowed."""
    meaning: str
    """What follows, for a reader who knows no load generators."""
    advice: str
    """What to do about it; empty where there is nothing to be done."""
    of_limit: float | None
    """The figure as a share of the most that is valid, so above 1 it is not; None where nothing is graded."""
    kind: str
    """What was found, for programs: a key of `words.WORDS[name]`."""

    @property
    def said(self) -> str:
        """Meaning and advice, as people read them."""
        return f"{self.meaning} {self.advice}".rstrip()


@dataclass(frozen=True)
class Found:
    """What a check found, as data; `words` puts it into words."""

    kind: str
    status: Status
    figure: str = "–"
    limit: str = "–"
    of_limit: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the words need."""


@dataclass(frozen=True)
class Evidence:
    """Everything that checks look at."""

    record: Record
    system: int = 0
    """The server that is looked at, where several were polled."""
    alone: bool = False
    """Whether the polls are those of this server; else those of all."""

    @cached_property
    def each(self) -> tuple[Evidence, ...]:
        """What there is of each server, with its own polls alone; this very evidence where there is one."""
        count = self.record.plan.systems
        return (self,) if count == 1 else tuple(Evidence(self.record, number, alone=True) for number in range(count))

    @cached_property
    def costs(self) -> resources.Costs:
        return resources.costs(self.record, self.system)

    @cached_property
    def digest(self) -> Digest:
        """What was gathered of the polls."""
        return digest(self.record, self.costs, self.system if self.alone else None)

    @cached_property
    def arranged(self) -> pl.DataFrame:
        """All polls of all servers at once: for what compares several piece by piece, and nothing else."""
        return arrange(self.record)

    @property
    def all_counts(self) -> pl.DataFrame:
        """How many polls, warm-up included; see `Digest.all_counts`."""
        return self.digest.all_counts

    @property
    def counts(self) -> pl.DataFrame:
        """How many polls of the measured window."""
        return self.digest.counts

    @property
    def planned(self) -> int:
        """Polls of the measured window."""
        return number(self.counts)

    @cached_property
    def responses(self) -> dict[str, tuple[Percentile, ...]]:
        """Response percentiles, by endpoint; the ones that the report shows."""
        return {name: latency.percentiles(self.digest.times[name, "response"]) for name in self.record.endpoints}

    @property
    def server(self) -> dict[str, Any]:
        """What run.json says of the server; empty for an unfinished run."""
        if self.system:
            beside: list[dict[str, Any]] = self.record.facts.get("beside", [])
            return beside[self.system - 1] if beside else {}
        facts: dict[str, Any] = self.record.facts.get("server", {})
        return facts

    @property
    def workers_seen(self) -> bool:
        """Whether the numbers of the server's workers are known to name one process each: those of this machine do.

        Behind a proxy, a balancer or in containers, several workers may have the same number, or one answer for another.
        """
        return bool(self.server.get("started_by_lab") or self.server.get("workers_seen"))

    @property
    def instances(self) -> list[dict[str, Any]]:
        """What run.json says of each generator; empty for an unfinished run."""
        instances: list[dict[str, Any]] = self.record.facts.get("generator", {}).get("instances", [])
        return instances


def names(record: Record) -> tuple[str, ...]:
    """What people call the servers of a run, in their order."""
    return record.scenario.names


def worst(found: Sequence[Found], of: Sequence[str]) -> Found:
    """The worst of what a check found of several servers, with the figures of all.

    Args:
        of: what each of them is called.
    """
    if len(found) == 1:
        return found[0]
    chosen = max(found, key=lambda one: SEVERITY.index(one.status))
    figures = "; ".join(f"{name}: {one.figure}" for name, one in zip(of, found, strict=True))
    return replace(chosen, figure=figures)


def served_by_all(server: Mapping[str, Any]) -> int | None:
    """Requests that the server's workers say they served, by run.json's facts; None where one of them did not say."""
    counts = [worker.get("served") for worker in server.get("workers") or []]
    return None if not counts or None in counts else sum(counts)


def number(counts: pl.DataFrame, which: pl.Expr | None = None, of: str = "polls") -> int:
    """How many polls there are of these counts, or of those that fulfil this.

    Args:
        of: the column that is summed.
    """
    return int((counts if which is None else counts.filter(which))[of].sum())


def percentile_or_most(times: Times, percent: float) -> float:
    """A percentile in seconds; the largest value where too few support it, to be on the safe side; 0 of none."""
    value = latency.percentiles(times, (percent,))[0].value_s
    return value if value is not None else times.longest_s or 0.0


def unknown(kind: str, **values: Any) -> Found:
    """A record gives this check nothing to look at."""
    return Found(kind, "not_applicable", values=values)


def percentage(share: float) -> str:
    """Of a share of 1: `100 %`, `12 %`, `0.042 %`: two significant digits or whole percents, never an exponent."""
    value = 100 * share
    if not value:
        return "0 %"
    digits = max(0, 1 - math.floor(math.log10(abs(value))))
    return "below 0.01 %" if 0 < value < 0.01 else f"{value:,.{digits}f} %"


def ms(seconds: float) -> str:
    """Three significant digits: `0.43 ms`, `1,230 ms`."""
    value = 1000 * seconds
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:,.{digits}f} ms"
