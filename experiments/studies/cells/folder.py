"""The folder of many cells: what was planned, what happened, and one folder per cell.

    <folder>/
        plan.json               what was asked, and under what it is measured, written once; a folder of another plan, or
                                one that was measured under something else, is refused
        journal.jsonl           what happened and why, a line each
        cells/<cell>/
            <cell>/             the record
            run.ipynb           the executed notebook
            report.html
            run.log             what papermill said
            failed.json         only if the process ended without a word and without a record: how
        aside/<cell>-<n>/       attempts that do not count: killed, failed, damaged

The state of a cell is what can be seen here, so a kill at any moment leaves nothing to repair.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from experiments.analyse.summary import ANALYSIS_VERSION
from experiments.errors import LabError, ParameterError, RecordError
from experiments.record import store
from experiments.record.collection import collect
from experiments.record.reading import Record
from experiments.record.state import CutKind, Fault
from experiments.runner import summarise
from experiments.scenario import Scenario
from experiments.studies.cells import conditions
from experiments.studies.cells.cell import Cell, Outcome
from experiments.studies.cells.journal import Journal

_PLAN, _FAILED = "plan.json", "failed.json"
_UNDER = "fingerprint"
"""Key of a plan that is no part of the question."""


class Folder:
    """Knows where everything lies, and sees what became of a cell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal(path / "journal.jsonl")

    def place(self, cell: Cell) -> Path:
        """Where everything of a cell lies."""
        return self.path / "cells" / cell.name

    def begin(self, plan: Mapping[str, Any], under: Mapping[str, Any] | None = None, *, kind: str = "") -> IO[bytes]:
        """Makes the folder for this plan, or opens the one that was made for it, for this process alone.

        Args:
            under: machine, versions and code of now, from `conditions`; None where that is not to be kept.
            kind: what names the parameters that help: `sweep` for `sweep_id` and `sweep_dir`.

        Returns:
            The lock, which holds until it is closed or the process is gone, however it ends.

        Raises:
            ParameterError: it was made for another plan or measured under something else, another process is at it, or it
                cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("ab")
        except OSError as error:
            raise ParameterError(f"{self.path} cannot be written ({error.strerror}); name a folder that can.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise ParameterError(
                f"{self.path} is being measured by another process: wait for it, or choose another name."
            ) from None
        try:
            self._hold_to(plan, under, kind)
        except BaseException:
            lock.close()
            raise
        return lock

    def _hold_to(self, plan: Mapping[str, Any], under: Mapping[str, Any] | None, kind: str) -> None:
        if (self.path / "started.json").exists():
            raise ParameterError(f"{self.path} holds a single run, not cells: choose another name.")
        asked = json.loads(json.dumps(plan))
        if not (self.path / _PLAN).exists():
            store.write_json(self.path / _PLAN, asked | ({_UNDER: under} if under else {}))
            self.journal.add("planned")
            return
        if differences := _differences(self.plan(), asked):
            raise ParameterError(
                f"{self.path} was made by another plan: {'; '.join(differences)}. Ask for the same to go on with it, or "
                "choose another name."
            )
        before = self._under()
        if under and before and (differences := conditions.differences(before, json.loads(json.dumps(under)))):
            raise ParameterError(
                f"{self.path} was measured under something else: {'; '.join(differences)}; the two must not stand in one "
                f"table: choose another {kind}_id to measure anew, or show what is there with {kind}_dir={str(self.path)!r}."
            )

    def _under(self) -> Mapping[str, Any]:
        """Under what the cells were measured; of a folder of before, which does not say, as its first record has it."""
        if under := _json(self.path / _PLAN).get(_UNDER):
            return dict(under)
        try:
            return dict(collect(self.path)[0].started["environment"])
        except (LabError, KeyError, TypeError):
            return {}

    def plan(self) -> dict[str, Any]:
        """What was asked.

        Raises:
            RecordError: the file is not there, or cannot be read.
        """
        try:
            plan = json.loads((self.path / _PLAN).read_text())
        except (OSError, ValueError) as error:
            raise RecordError(f"{self.path} holds no readable {_PLAN} ({error}): it is not a folder of cells.") from None
        if not isinstance(plan, dict):
            raise RecordError(f"{self.path / _PLAN} does not hold a JSON object.")
        return {name: value for name, value in plan.items() if name != _UNDER}

    def by_target(self) -> dict[str, Record]:
        """The name or path of each target that was measured -> a record of it, which says what the file said then."""
        try:
            records = collect(self.path)
        except LabError:
            return {}
        return {record.scenario.target: record for record in records}

    def outcome(self, cell: Cell) -> Outcome:
        """What became of a cell, as its folder shows it."""
        place = self.place(cell)
        report = place / "report.html"
        found = report if report.is_file() else None
        if not place.exists():
            return Outcome(cell, "not measured", "it was not its turn yet")
        record = Record(place / cell.name)
        if not record.finished:
            why = _why_failed(place)
            return Outcome(cell, "failed" if why else "unfinished", why or "it was killed before it was done", None, found)
        if damage := _damage(record, cell.scenario):
            return Outcome(cell, "damaged", damage, None, found)
        if record.cut_short is not None and record.cut_short.kind is CutKind.INTERRUPTED:
            return Outcome(cell, "unfinished", str(record.cut_short), None, found)
        return Outcome(cell, "done", "", _summarised(record), found)

    def tell_failure(self, cell: Cell, why: str) -> None:
        """Leaves word of why a cell has no record, if its notebook has not said so itself."""
        if self.outcome(cell).status == "unfinished":
            store.write_json(self.place(cell) / _FAILED, {"why": why})

    def clear(self, cell: Cell, why: str) -> Path:
        """Makes room for a new attempt; the one before is kept aside.

        Returns:
            The empty folder of the cell.
        """
        place = self.place(cell)
        if place.exists():
            aside = self.path / "aside"
            aside.mkdir(exist_ok=True)
            number = 1 + sum(1 for _ in aside.glob(f"{cell.name}-*"))
            place.rename(aside / f"{cell.name}-{number}")
            self.journal.add("set aside", cell=cell.name, why=why, to=f"aside/{cell.name}-{number}")
        place.mkdir(parents=True)
        return place


def _why_failed(place: Path) -> str:
    """What the notebook raised, or how its process ended; empty where neither is known, as after a kill of the sweep."""
    cells = _json(place / "run.ipynb").get("cells", ())
    for output in (output for cell in cells for output in cell.get("outputs", ())):
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"
    return str(_json(place / _FAILED).get("why", ""))


def _json(path: Path) -> dict[str, Any]:
    """The object in a file; empty if it is not there, or not whole."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = [*before, *(name for name in now if name not in before)]
    absent = object()
    return [
        f"{name} was {before.get(name, 'not asked')}, now it is {now.get(name, 'not asked')}"
        for name in names
        if before.get(name, absent) != now.get(name, absent)
    ]


def _damage(record: Record, asked: Scenario) -> str:
    """What is wrong with a sealed record, read without its rows; empty if nothing is."""
    try:
        if record.scenario.short_hash != asked.short_hash:
            return "its record answers another question"
        if "generator" not in record.facts:
            return "its record cannot be read (run.json says nothing of the generators)"
        for file, checksum in record.written.items():
            if store.checksum(record.path / file) != checksum:
                return f"{Path(file).name} {Fault.CHANGED.words}"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (LabError, OSError, ValueError, KeyError, TypeError) as error:
        return f"its record cannot be read ({error})"
    return ""


def _summarised(record: Record) -> Record:
    """The record with a summary of this version of the analysis beside it."""
    try:
        summary = record.summary()
    except RecordError:
        summary = {}
    current = summary.get("analysis_version") == ANALYSIS_VERSION and "verdict" in summary
    return record if current else summarise(record)
