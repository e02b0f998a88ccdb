"""What a calibration found on this machine with these versions: written once, quoted by later runs.

A certificate speaks for a machine, for versions and for the engines that were tried; where one differs it says nothing.
It stands in the folder of results, and `measure.host` copies the one that applies into each record, so that a record
remains readable by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from experiments.measure.host import fingerprint
from experiments.present.html import Markup
from experiments.present.pages import asked as shown
from experiments.record import reading, store
from experiments.scenario import Scenario
from experiments.studies.calibrate import limits
from experiments.studies.calibrate.second_opinion import opinions
from experiments.studies.calibrate.trial import Parts, Trial


@dataclass(frozen=True)
class Tried:
    """What a calibration was asked to try."""

    variant: str
    """How much of it, `quick` or `full`."""
    engines: Sequence[str]
    pacings: Sequence[str]


def certify(
    results_dir: Path,
    tried: Tried,
    parts: Parts,
    figures: pl.DataFrame,
    carries: Mapping[str, float] | None = None,
    left_out: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Writes the certificate and returns it; arguments as of `made_out`."""
    certificate = made_out(results_dir, tried, parts, figures, carries, left_out)
    store.write_json(results_dir / fingerprint.CERTIFICATE, certificate)
    return certificate


def made_out(
    results_dir: Path,
    tried: Tried,
    parts: Parts,
    figures: pl.DataFrame,
    carries: Mapping[str, float] | None = None,
    left_out: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """What a certificate says.

    Args:
        parts: what was tried; a part without trials was left out.
        figures: every figure with a known answer, as `known.trials` gives them.
        carries: engine -> most polls/s that one generator carried; where it was not measured now, what an earlier
            calibration of this machine with these versions says still holds.
        left_out: part -> how many of its cases were not tried, for want of time or after an interrupt. What was not tried
            has not passed.
    """
    earlier = fingerprint.certificate(results_dir) or {}
    failed = [f"{name}: {trial.name}" for name, those in parts.items() for trial in those if trial.ok is False]
    failed += [f"{name}: {count} not tried" for name, count in (left_out or {}).items() if count]
    return {
        "certified_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "variant": tried.variant,
        "engines": list(tried.engines),
        "pacings": list(tried.pacings),
        "tools": _tools(parts.get(SECOND_OPINION, ())),
        "passed": not failed,
        "parts": {name: _count(those) for name, those in parts.items()},
        "honest_runs": _together(parts.get(limits.POSITIVE, ())),
        "figures": {
            "counts": _errors(figures.filter(pl.col("unit") == "")),
            "percentiles_ms": _errors(figures.filter(pl.col("unit") == "ms")),
        },
        "failed": failed,
        "carries": dict(carries or {}) or earlier.get("carries", {}),
        "machine": fingerprint.identity(),
    }


def asked(scenario: Scenario) -> Markup:
    """The scenario shown back before it runs, beside what this machine was measured to carry."""
    results_dir = reading.results_dir(scenario.results_dir)
    return shown.asked(scenario, fingerprint.certificate(results_dir))


SECOND_OPINION = opinions.PART
"""The part whose trials are of other tools."""


def _count(trials: Iterable[Trial]) -> dict[str, int]:
    outcomes = [trial.ok for trial in trials]
    return {"passed": outcomes.count(True), "failed": outcomes.count(False), "skipped": outcomes.count(None)}


def _together(trials: Iterable[Trial]) -> str:
    """How many of the positive controls were valid: what the trial says that judges them together."""
    return next((trial.came for trial in trials if not trial.run_id), "")


def _tools(trials: Iterable[Trial]) -> list[str]:
    """Those that were there."""
    return list(dict.fromkeys(trial.name.partition(",")[0] for trial in trials if trial.ok is not None))


def _errors(figures: pl.DataFrame) -> dict[str, Any]:
    """How many were compared, and the largest error of all, with the figure that it is of."""
    worst = figures.drop_nulls("error").sort(pl.col("error").abs()).tail(1)
    found: dict[str, Any] = {"compared": figures.height, "worst_error": None, "of": None}
    for error, trial, figure in worst.select("error", "trial", "figure").iter_rows():
        found |= {"worst_error": round(abs(error), 6), "of": f"{figure} ({trial})"}
    return found
