"""One trial of the instrument: what had to come out, and what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.errors import LabError
from experiments.measure.progress import OnProgress, Progress
from experiments.record.store import Record
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
    """The record, where there is one."""


CAUSES = {"host_steal", "competitors"}
"""Checks that name a cause outside the lab: an honest run may be suspect where one of them is."""

Say = Callable[[str], None]
"""Takes a line of progress."""


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


def attempt(name: str, wanted: str, trial: Callable[[], Trial]) -> Trial:
    """A trial that cannot be carried out has failed, and says why; it does not end the others."""
    try:
        return trial()
    except LabError as error:
        return Trial(name, wanted, f"could not be tried: {error}", ok=False)
