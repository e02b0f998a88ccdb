"""One trial of the instrument: what had to come out, and what came."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments.errors import LabError, RecordError
from experiments.progress import OnProgress, Progress
from experiments.record import store
from experiments.record.reading import Record
from experiments.record.state import CutKind
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
    case: str = ""
    """What it is a result of; empty where that has the trial's own name."""
    figures: Sequence[Mapping[str, Any]] = ()
    """Figures with a known answer that it rests on, a line each."""


@dataclass(frozen=True)
class Case:
    """What is to be tried: a step of a calibration."""

    part: str
    name: str
    """Unique in its part."""
    wanted: str
    """What has to come out, said where it cannot be tried."""
    attempt: Callable[[Path], Trial | Sequence[Trial]]
    """Takes the folder for records, and may raise a LabError: such a case has failed, and does not end the others."""


@dataclass(frozen=True)
class Came:
    """What came of a case."""

    case: Case
    trials: tuple[Trial, ...] = ()

    @property
    def done(self) -> bool:
        return bool(self.trials)


Parts = dict[str, list[Trial]]
"""Name of a part of the calibration -> its trials."""

_TRIALS = "trials.json"


def write(runs_dir: Path, parts: Parts) -> None:
    """Keeps what was tried beside the records that it rests on."""
    store.write_json(runs_dir / _TRIALS, {name: [asdict(trial) for trial in trials] for name, trials in parts.items()})


def found(runs_dir: Path, case: Case) -> Came:
    """What lies there of a case."""
    try:
        tried = read(runs_dir).get(case.part, [])
    except RecordError:
        tried = []
    return Came(case, tuple(one for one in tried if (one.case or one.name) == case.name))


def keep(runs_dir: Path, came: Came) -> None:
    """Adds what came of a case to what was kept."""
    try:
        parts = read(runs_dir)
    except RecordError:
        parts = {}
    write(runs_dir, {**parts, came.case.part: [*parts.get(came.case.part, []), *came.trials]})


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
"""Checks that name a cause outside the lab: a positive control may be suspect where one of them is."""

Say = Callable[[str], None]
"""Takes a line of progress."""


def measure(scenario: Scenario, meanwhile: OnProgress | None = None) -> Record:
    """Runs a scenario with a disturbance, if any, in its progress.

    Raises:
        KeyboardInterrupt: the experimenter interrupted it, so it shows nothing.
    """

    def on_progress(progress: Progress) -> None:
        if meanwhile is not None:
            meanwhile(progress)

    record = run(scenario, on_progress=on_progress)
    if record.cut_short is not None and record.cut_short.kind is CutKind.INTERRUPTED:
        raise KeyboardInterrupt
    return record


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


def attempted(case: Case, runs_dir: Path) -> Came:
    """Tries a case; one that cannot be carried out has failed, and says why."""
    try:
        came = case.attempt(runs_dir)
    except LabError as error:
        came = Trial(case.name, case.wanted, f"could not be tried: {error}", ok=False)
    trials = [came] if isinstance(came, Trial) else came
    return Came(case, tuple(replace(one, case=case.name) for one in trials))
