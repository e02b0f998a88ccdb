"""One trial of the instrument: what had to come out, and what came."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.errors import LabError, RecordError
from experiments.measure.progress import OnProgress, Progress
from experiments.record import store
from experiments.record.reading import Record
from experiments.runner import run
from experiments.scenario import Scenario


@dataclass(frozen=True)
class Trial:
    """One line of a part's table."""

    name: str
    """What was tried."""
    wanted: str
    """What had to come out."""
    came: str
    """What came out."""
    ok: bool | None
    """None where it was skipped; `came` then says why."""
    run_id: str = ""
    """Folder of the record among the calibration's, where there is one."""


Parts = dict[str, list[Trial]]
"""Name of a part of the calibration -> its trials."""

_TRIALS = "trials.json"


def write(runs_dir: Path, parts: Parts) -> None:
    """Keeps what was tried beside the records that it rests on."""
    store.write_json(runs_dir / _TRIALS, {name: [asdict(trial) for trial in trials] for name, trials in parts.items()})


def read(runs_dir: Path) -> Parts:
    """What `write` kept.

    Raises:
        RecordError: no calibration came to its end there.
    """
    try:
        kept = json.loads((runs_dir / _TRIALS).read_text())
    except (OSError, ValueError):
        raise RecordError(f"{runs_dir} holds no {_TRIALS}: give the folder of a calibration.") from None
    return {name: [Trial(**trial) for trial in trials] for name, trials in kept.items()}


CAUSES = {"host_steal", "competitors"}
"""Checks that name a cause outside the lab: an honest run may be suspect where one of them is."""

Say = Callable[[str], None]
"""Takes a line of progress, one a run; see `agenda`."""


def measure(scenario: Scenario, meanwhile: OnProgress | None = None) -> Record:
    """Runs a scenario with a disturbance, if any, in its progress."""

    def on_progress(progress: Progress) -> None:
        if meanwhile is not None:
            meanwhile(progress)

    return run(scenario, on_progress=on_progress)


def judged(record: Record) -> tuple[str, dict[str, str]]:
    """The verdict's status, and the checks that are not valid with their status."""
    verdict = record.summary()["verdict"]
    bad = {check["name"]: check["status"] for check in verdict["checks"] if check["status"] in ("suspect", "invalid")}
    return verdict["status"], bad


def said(status: str, bad: Mapping[str, str]) -> str:
    """A verdict and its reasons, in words."""
    reasons = ", ".join(name if how == status else f"{name} {how}" for name, how in bad.items())
    return f"{status} ({reasons})" if reasons else status


def disturbances(*records: Record) -> str:
    """What a sentence about a wrong figure ends with, where the machine was not quiet; else nothing."""
    causes = sorted({cause for record in records for cause in judged(record)[1].keys() & CAUSES})
    return f"; the machine was not quiet ({', '.join(causes)})" if causes else ""


def attempt(name: str, wanted: str, trial: Callable[[], Trial]) -> Trial:
    """A trial that cannot be carried out has failed, and says why; it does not end the others."""
    try:
        return trial()
    except LabError as error:
        return Trial(name, wanted, f"could not be tried: {error}", ok=False)
