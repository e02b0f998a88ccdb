"""A comparison as the plain rows that tables and charts take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from statistics import median
from typing import Any

import polars as pl

from experiments.analyse.targets.naming import letters
from experiments.measure.watched import log_path
from experiments.studies.compare import own as users
from experiments.studies.compare import ranking as ranking_
from experiments.studies.compare import text as words
from experiments.studies.compare.params import FALCON, SYSTEMS, Series
from experiments.studies.compare.ranking import AGAIN, CPU, Standing, by_block, endpoints, measures, ranked
from experiments.studies.compare.runs import DUETS, Comparison, Figures, Run
from experiments.studies.compare.statistics import variation
from server import catalogue

_LOG_LINES = 30


def kind(name: str, reference: str = FALCON) -> str:
    """What a system is, as charts know it."""
    if name in (reference, AGAIN):
        return "falcon" if name == reference else "again"
    return SYSTEMS[name].comparison if name in SYSTEMS else "own"


def system(name: str) -> catalogue.System:
    """What can be said of a system."""
    return SYSTEMS[name] if name in SYSTEMS else users.system(name)


def ratio(one: Standing, reference: str = FALCON) -> dict[str, Any]:
    """A row of the chart of ratios."""
    known = one.ratio
    return {
        "title": words.title(one.name),
        "kind": kind(one.name, reference),
        "ratio": 1.0 if one.is_reference else known.value if known else None,
        "low": 1.0 if one.is_reference else known.low if known else None,
        "high": 1.0 if one.is_reference else known.high if known else None,
        "value": one.value,
        "verdict": words.verdict(one),
    }


def ranking(comparison: Comparison, series: Series) -> list[dict[str, Any]]:
    """A system each, by CPU: title, kind, runs, and for every measure its value, ratio and verdict."""
    figures, reference = ranking_.figures(comparison, series), comparison.asked.reference
    ranked_ = {measure.title: ranking_.found(comparison, series, measure) for measure in measures(figures)}
    found = {measure: {one.name: one for one in standings} for measure, standings in ranked_.items()}
    order = [*found[CPU.title], *(name for name in figures if name not in found[CPU.title])]
    return [
        {
            "title": words.title(name),
            "kind": kind(name, reference),
            "runs": sum(map(len, figures[name].values())),
            "measures": {
                measure: None
                if name not in one
                else (one[name].value, words.interval(one[name]) if name != reference else "", words.verdict(one[name]))
                for measure, one in found.items()
            },
            "failed_pct": max(one.failed_pct for one in chain(*figures[name].values())),
        }
        for name in order
    ]


def missing(comparison: Comparison, series: Series) -> list[tuple[str, str, str]]:
    """Title, `skipped`, `invalid` or `not measured`, and why: systems asked for that have no run that counts."""
    found = ranking_.figures(comparison, series)
    made = []
    for name in comparison.asked.systems:
        if name in found:
            continue
        state, why = state_of(comparison, name, series)
        made.append((words.title(name), state, why))
    return made


def state_of(comparison: Comparison, name: str, series: Series) -> tuple[str, str]:
    """What became of a system at a series, and why."""
    if why := comparison.asked.skipped.get(name):
        return "skipped", why
    if not series.concerns(name):
        return "skipped", f"it does not answer the {series.workload} workload"
    ranked = ("system", *DUETS)
    runs = [run for run in comparison.runs if run.system == name and run.role in ranked and run.series.name == series.name]
    if any(run.figures is not None for run in runs):
        return "measured", ""
    why = next((run.why for run in runs if run.why), "no block came to it")
    state = "invalid" if any(run.outcome.done for run in runs) else "not measured"
    return state, why


def times(comparison: Comparison, series: Series) -> list[dict[str, Any]]:
    """A row each of the chart of response times, those of the first endpoint."""
    blocks = ranking_.figures(comparison, series)
    first = next(iter(endpoints(blocks)), "")
    return [
        {
            "title": words.title(name),
            **{
                percentile: _median([one.times_ms.get(first, {}).get(percentile) for one in chain(*own.values())])
                for percentile in ("p50", "p95")
            },
        }
        for name, own in blocks.items()
    ]


def first_endpoint(comparison: Comparison, series: Series) -> str:
    """What people call the endpoint of which `times` tells."""
    return next(iter(letters(endpoints(ranking_.figures(comparison, series))).values()), "A")


def costs(comparison: Comparison) -> list[dict[str, Any]]:
    """A system each: memory per worker, per 1,000 connections, start-up, lines of its application."""
    found = ranking_.figures(comparison, comparison.asked.first)
    many = {run.system: run.figures for run in comparison.runs if run.role == "memory" and run.figures is not None}
    made = []
    for name, own in found.items():
        if name != AGAIN:
            few = list(chain(*own.values()))
            per = _per_1000(few, many.get(name), comparison.asked.base.workers)
            made.append(
                {
                    "title": words.title(name),
                    "uss_mb": _median([one.uss_bytes / 1e6 for one in few if one.uss_bytes is not None]),
                    "per_1000_mb": per,
                    # Beside another server a start may take longer.
                    "start_s": many[name].start_s if name in many else _median([one.start_s for one in few]),
                    "lines": catalogue.code_lines(SYSTEMS[name]) if name in SYSTEMS else None,
                }
            )
    return sorted(made, key=lambda row: (row["uss_mb"] is None, row["uss_mb"] or 0))


def _per_1000(few: Sequence[Figures], many: Figures | None, workers: int) -> float | None:
    """MB that 1,000 more connections took, of all workers together; None where not enough of them were more."""
    if many is None or many.uss_bytes is None or not many.connections:
        return None
    base = [(one.uss_bytes, one.connections) for one in few if one.uss_bytes is not None and one.connections is not None]
    if not base:
        return None
    more = many.connections - median(connections for _, connections in base)
    held = workers * (many.uss_bytes - median(uss for uss, _ in base))
    return held / more * 1000 / 1e6 if more > 0 else None


def serial(comparison: Comparison) -> list[dict[str, Any]]:
    """A system each: the response of every poll of its first round, in ms, in order."""
    made: dict[str, dict[str, Any]] = {}
    for run in comparison.runs:
        record = run.outcome.record
        if run.role != "serial" or record is None or run.figures is None:
            continue
        polls = record.requests().filter((pl.col("due_s") >= 0) & (pl.col("outcome") == "ok"))
        first = polls.filter(pl.col("round") == polls["round"].min()) if len(polls) else polls
        waits = sorted((1000 * (first["done_s"] - first["due_s"])).to_list())
        made[run.system] = {"title": words.title(run.system), "times": waits, "serial": SYSTEMS[run.system].serial}
    return list(made.values())


def fairness(comparison: Comparison) -> list[list[str]]:
    """A system each, as the catalogue has it, and the version that its record has."""
    made = []
    for name in comparison.asked.systems:
        one = system(name)
        keep_alive = f"{one.keep_alive_s:g} s"
        facts = [one.comparison, one.loop, one.http_parser, str(_workers(comparison, name)), str(one.threads), keep_alive]
        made.append([one.title, _version(comparison, name), *facts, one.unequal or "–"])
    return made


def how(comparison: Comparison) -> list[list[str]]:
    """A system each: how it reads and writes rows, and the command that starts it."""
    asked = ((words.title(name), system(name)) for name in comparison.asked.systems)
    return [[title, one.rows or "–", " ".join(one.template)] for title, one in asked]


def _workers(comparison: Comparison, name: str) -> int:
    most = system(name).most_workers
    return min(comparison.asked.base.workers, most) if most else comparison.asked.base.workers


def _version(comparison: Comparison, name: str) -> str:
    """As its server said it, in the first record that there is."""
    for run in comparison.runs:
        if run.system == name and run.outcome.record is not None:
            facts = run.outcome.record.facts
            server = facts["beside"][0] if run.role == "duet" and facts.get("beside") else facts.get("server", {})
            return " ".join(str(server.get(key) or "") for key in ("framework", "framework_version")).strip() or "–"
    return "–"


def spreads(comparison: Comparison, series: Series) -> list[tuple[str, int, float | None]]:
    """Title, runs, and coefficient of variation of the CPU per request over the blocks, of one run a block."""
    found = by_block(comparison.runs, series)  # What was measured in duets varies within a run, not over blocks.
    # Falcon has several a block, and their mean would vary less than the single runs of others.
    single = {name: {block: runs[:1] for block, runs in own.items()} for name, own in found.items()}
    return [(words.title(one.name), len(one.values), variation(one.values)) for one in ranked(single)]


def runs_of(comparison: Comparison, name: str) -> list[Run]:
    """The runs of a system, whatever they were for, in their order."""
    return [run for run in comparison.runs if run.system == name]


def log_tail(comparison: Comparison, name: str) -> str:
    """The last lines that a server of this system printed, one that failed before any other; empty if it printed nothing."""
    for run in sorted(runs_of(comparison, name), key=lambda run: run.counts):
        # Also a run that has no whole record, since its server did not start, has a log.
        place = comparison.folder / "cells" / run.cell.name / run.cell.name
        log = log_path(place, 1 if run.role == "duet" else 0)
        try:
            text = log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        return "\n".join(text.splitlines()[-_LOG_LINES:])
    return ""


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
