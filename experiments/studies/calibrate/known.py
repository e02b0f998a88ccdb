"""Figures that must be right: runs against servers whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl

from experiments.scenario import Scenario
from experiments.studies.calibrate import known_answers
from experiments.studies.calibrate.known_answers.compare import Line
from experiments.studies.calibrate.trial import Case, Trial, disturbances, measure
from server import catalogue

QUICK = ("constant", "two-delays", "stall", "bursts-503", "truncated", "chunked")
"""Programs of the quick variant: one of each kind (delay, mixture, stall, failure, broken answer, framing)."""

_LOADS: dict[str, dict[str, Any]] = {
    "httpx": {"clients": 64, "minutes": 8 / 60},
    "epoll": {"clients": 64, "minutes": 8 / 60},
    "httpx-stock": {"clients": 16, "minutes": 6 / 60},
}
"""Small, so that a generator has nothing to do but to be exact: what it does under load is judged by the verdict. 64 devices
for p99 of A and for rounds in which bytes are compared; httpx's own client is exact in its counts up to 16."""

_COMMON: dict[str, Any] = {"interval_ms": 500.0, "warmup_s": 0.5, "timeout_s": 1.5, "ratio": "10:1", "sample_ms": 250.0}


def programs() -> tuple[str, ...]:
    """Names of all programs with known answers, as the catalogue has them."""
    return tuple(catalogue.PROGRAMS)


def cases(names: Sequence[str], pacings: Sequence[str], engines: Sequence[str]) -> list[Case]:
    """Every program x pacing x engine."""
    return [
        Case(PART, f"{name}, {pacing}, {engine}", _WANTED, partial(_trial, name, pacing, engine))
        for name, pacing, engine in product(names, pacings, engines)
    ]


PART = "known answers"
_WANTED = "counts exact, percentiles within 2 % or 1 ms"


def _trial(name: str, pacing: str, engine: str, results_dir: Path) -> Trial:
    title = f"{name}, {pacing}, {engine}"
    asked = Scenario.from_parameters(
        _COMMON
        | _LOADS[engine]
        | {"server": f"{catalogue.KNOWN}{name}", "pacing": pacing, "engine": engine, "results_dir": str(results_dir)}
    )
    program = catalogue.PROGRAMS[name]
    scenario = known_answers.with_exact_counts(asked, program)
    record = measure(scenario)
    compared = known_answers.compare(record, known_answers.expect(scenario, program))
    off = [line for line in compared if not line.ok]
    came = f"{len(compared) - len(off)} of {len(compared)} figures right"
    if off:
        came += f"; {_words(off[0])}{disturbances(record)}"
    lines = [asdict(line) for line in compared]
    return Trial(title, _WANTED, came, not off, record.path.name, figures=lines)


def _words(line: Line) -> str:
    """`status response p90: expected 20 ms, measured 22.14 ms`."""
    expected, measured = (
        "none" if value is None else f"{value:.4g} {line.unit}" for value in (line.expected, line.measured)
    )
    return f"{line.figure}: expected {expected.strip()}, measured {measured.strip()}"


LINES: dict[str, Any] = {
    "trial": pl.String,
    "figure": pl.String,
    "unit": pl.String,
    "expected": pl.Float64,
    "measured": pl.Float64,
    "error": pl.Float64,
    "limit": pl.Float64,
    "ok": pl.Boolean,
}


def figures(trials: Iterable[Trial]) -> pl.DataFrame:
    """What trials rest on: frame(trial, figure, unit, expected, measured, error, limit, ok)."""
    return pl.DataFrame([{"trial": one.name, **line} for one in trials for line in one.figures], schema=LINES)
