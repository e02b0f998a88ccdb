"""What tries the tools of one test, one tool after the other, each with some answers at a time: as `cells` is for runs.

    <folder>/tools/<tool>/<answer>/   what came of an attempt; see `attempt`
    <folder>/tools/<tool>/done.json   all answers were tried, with this version
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.record import store
from experiments.runner import wait_for
from experiments.studies.cells.folder import Folder
from experiments.studies.tools.attempt import Load, attempt
from experiments.studies.tools.catalogue.tool import Tool

BESIDE_S = 3.0
"""What an attempt takes beyond its load, about: starts and ends of server and tool."""


@dataclass(frozen=True)
class Step:
    """One tool with all answers."""

    tool: Tool
    answers: Sequence[str]
    load: Load
    lanes: int


@dataclass(frozen=True)
class Came:
    """What came of a step."""

    step: Step
    version: str | None = None
    """None where it was not tried to its end."""

    @property
    def done(self) -> bool:
        return self.version is not None


class Attempts:
    """All attempts of one folder."""

    def __init__(self, folder: Folder, *, cool_down_s: float, on_progress: Callable[[str], None]) -> None:
        """Touches nothing yet; arguments as of `Cells`.

        Args:
            on_progress: called when an attempt is begun, with its name.
        """
        self._folder = folder
        self._cool_down_s = cool_down_s
        self._on_progress = on_progress

    @staticmethod
    def found(folder: Folder, step: Step) -> Came:
        """What lies in a folder of a step."""
        try:
            return Came(step, str(json.loads((place(folder.path, step.tool.name) / _DONE).read_text())["version"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Came(step)

    def expect(self, steps: object) -> None:
        """Who counts them was told how many there are."""

    def expected_s(self, step: Step) -> float:
        """Seconds that a step will take, about."""
        return -(-len(step.answers) // step.lanes) * (step.load.seconds + BESIDE_S)

    @staticmethod
    def left_out(step: Step) -> Came:
        """Nothing comes of a step for which there was no time."""
        return Came(step)

    def measure(self, step: Step) -> Came:
        """Tries a tool with every answer.

        Raises:
            LabError: the server with known answers did not come up.
        """
        self._folder.journal.add("begun", tool=step.tool.name)
        wait_for(self._all(step))
        version = step.tool.installed_version()
        store.write_json(place(self._folder.path, step.tool.name) / _DONE, {"version": version})
        self._folder.journal.add("done", tool=step.tool.name)
        time.sleep(self._cool_down_s)
        return Came(step, version)

    async def _all(self, step: Step) -> None:
        gate = asyncio.Semaphore(step.lanes)

        async def one(answer: str) -> None:
            async with gate:
                self._on_progress(f"{step.tool.name}, {answer}")
                await attempt(step.tool, answer, step.load, place(self._folder.path, step.tool.name) / answer)

        await asyncio.gather(*map(one, step.answers))


_DONE = "done.json"


def place(folder: Path, tool: str) -> Path:
    """Where a tool's attempts lie."""
    return folder / "tools" / tool
