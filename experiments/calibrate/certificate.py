"""What a calibration found on this machine with these versions: written once, quoted by later runs.

A certificate speaks for a machine and for versions; where either differs it says nothing. It stands in the folder of
results, and `measure.host` copies the one that applies into each record, so that a record remains readable by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.calibrate.trial import Trial
from experiments.measure import host
from experiments.record import store

Parts = dict[str, list[Trial]]
"""Name of a part of the calibration -> its trials."""


def certify(results_dir: Path, variant: str, parts: Parts) -> dict[str, Any]:
    """Writes the certificate and returns it.

    Args:
        variant: how much was tried, `quick` or `full`.
        parts: what was tried; a part without trials was left out.
    """
    certificate = {
        "certified_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "variant": variant,
        "passed": all(trial.ok is not False for trials in parts.values() for trial in trials),
        "parts": {name: _count(trials) for name, trials in parts.items()},
        "failed": [f"{name}: {trial.name}" for name, trials in parts.items() for trial in trials if trial.ok is False],
        "machine": host.identity(),
    }
    store.write_json(results_dir / host.CERTIFICATE, certificate)
    return certificate


def _count(trials: Iterable[Trial]) -> dict[str, int]:
    outcomes = [trial.ok for trial in trials]
    return {"passed": outcomes.count(True), "failed": outcomes.count(False), "skipped": outcomes.count(None)}
