"""Runs a notebook by papermill, makes the report and the files beside it, and tells how it ended.

papermill runs in a process of its own: an interrupt ends the notebook, and not what is made of it afterwards. What cells
print is passed on, which is how far a run has come; everything else stands in the report.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from experiments.command import places
from experiments.command.given import Given
from experiments.command.kinds import Kind
from experiments.errors import LabError
from experiments.present.result import files, shown
from experiments.present.result import run as of_run
from experiments.present.result.model import FINE, MISSED, NOT_MEASURED, WRONG_INPUT, Case, Judgement, Result
from experiments.record import reading

LOG = "papermill.log"
"""What papermill itself said, if anything."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ended:
    """What is left of a run of a notebook."""

    result: Result
    exit_code: int
    folder: Path
    report: Path | None
    """None where none could be made."""


Judge = Callable[[Result, Path], Result]
"""Takes a result and its folder, and gives the result with what is to be thought of it besides."""


def execute(
    kind: Kind,
    given: Given,
    *,
    folder: Path | None = None,
    options: Sequence[str] = (),
    judge: Judge | None = None,
    stem: str = "",
) -> Ended:
    """Runs a notebook with these parameters.

    Args:
        folder: where its report goes; None for one made from the parameters.
        options: more words for papermill.
        stem: what the folder is named after, where neither a name nor a file is given.
        judge: what the command judges the result by, besides what the notebook does.

    Raises:
        ParameterError: a parameter is wrong; nothing was started.
    """
    asked = kind.check(given.typed)
    place = folder or places.folder(kind, asked, given.stem or stem)
    named = {} if folder or asked[kind.shows] else {kind.id: place.name}
    notebook = place / kind.notebook.name
    status = _papermill(kind.notebook, notebook, [*given.with_texts(named).words, *options])
    return conclude(kind.name, notebook, status, judge)


def conclude(kind: str, notebook: Path, status: int = 0, judge: Judge | None = None) -> Ended:
    """Makes report and files of an executed notebook.

    Args:
        status: papermill's exit code.
    """
    place = notebook.parent
    report = _report(notebook) if notebook.is_file() else None
    cells = _cells(notebook)
    error = _error(cells, status)
    result = shown.found(cells) or _of_record(place) or _nothing(kind, place.name, error)
    result = judge(result, place) if judge else result
    with suppress(OSError, LabError):  # A full disk takes no files; the lines on the terminal say the same.
        files.write(place, result, os.environ)
        _write_histogram(place)
        places.point_latest(place)
        places.index(place.parent)
    return Ended(result, _exit_code(result, error, report), place, report)


def _papermill(notebook: Path, executed: Path, words: Sequence[str]) -> int:
    # papermill formats both paths with the parameters, and a folder may well have braces in its name.
    source, target = (str(path).replace("{", "{{").replace("}", "}}") for path in (notebook, executed))
    quiet = ("-k", "python3", "--no-progress-bar", "--log-level", "WARNING", "--stdout-file", "-")
    log = executed.with_name(LOG)
    with log.open("wb") as said:
        command = [sys.executable, "-m", "papermill", source, target, *words, *quiet]
        with _PassedOn(subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=said)) as process:
            status = _waited(process)
    if status == 0:
        log.unlink()
    return status


def _waited(process: subprocess.Popen[bytes]) -> int:
    """The exit code. An interrupt from a terminal reaches papermill as well, which ends the notebook; it is waited for."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


class _PassedOn:
    """While a process runs, a request to end is for it: what it leaves is still made into a report."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._before: Any = None

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._before = signal.signal(signal.SIGTERM, self._end)
        return self._process

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._process.send_signal(signal.SIGINT)


def _report(notebook: Path) -> Path | None:
    from experiments.present import exporter

    report = notebook.with_name("report.html")
    try:
        exporter.write(notebook, report)
    except Exception as error:  # noqa: BLE001  # Whatever it is, the figures are there, and the lines below say them.
        sys.stderr.write(f"No report could be made of {notebook}: {error}\n")
        return None
    return report


def _cells(notebook: Path) -> list[Any]:
    try:
        return list(json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, KeyError):
        return []


def _error(cells: Sequence[Any], status: int) -> tuple[str, str] | None:
    """Name and words of what ended the notebook, or of papermill's own end; None where it came to its end."""
    for output in (output for cell in cells for output in cell.get("outputs", ())):
        if output["output_type"] == "error":
            return str(output["ename"]), _ANSI.sub("", str(output["evalue"]))
    if status == 0:
        return None
    return "", f"papermill ended with code {status}; {LOG} tells more"


def _of_record(place: Path) -> Result | None:
    """What the record says of a run whose notebook broke off."""
    from experiments.analyse.summary import current

    if not (place / "started.json").is_file():
        return None
    try:
        record = reading.load(place)
        return of_run.result(record, current(record))
    except (LabError, KeyError, ValueError):
        return None


def _write_histogram(place: Path) -> None:
    from experiments.analyse.polls import prepare
    from experiments.present.result import histogram

    if (place / "started.json").is_file():
        record = reading.load(place)
        histogram.write(place / "response.hlog", record, prepare(record))


def _nothing(kind: str, name: str, error: tuple[str, str] | None) -> Result:
    said = error[1] if error else "the notebook holds no result"
    return Result(
        kind=kind,
        name=name,
        title=f"{kind} {name}",
        answer="Nothing was measured.",
        service_level=Judgement(status="not asked"),
        measurement=Judgement(status="invalid", said=said),
        cases=[Case(suite="measurement", name="measured", status="error", said=said)],
        next_step="Do what the sentence above says, and start again.",
    )


def _exit_code(result: Result, error: tuple[str, str] | None, report: Path | None) -> int:
    if error and error[0] == "ParameterError":
        return WRONG_INPUT
    if report is None or (error and error[0] not in ("", "VerdictError")):
        return NOT_MEASURED
    if error and result.exit_code == FINE:
        return MISSED if error[0] else NOT_MEASURED
    return result.exit_code
