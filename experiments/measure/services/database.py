"""The database of a run, seen from its starter: checked, made ready, counted, and gone when the run is.

`python -m server.database` does it, in a process of its own, which clears up by itself when this one is gone. The password
travels over its standard input and in the server's environment, and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from experiments.errors import ParameterError
from experiments.scenario import Scenario
from server import catalogue

_CHECK_S = 20.0
_PREPARE_S = 300.0
"""A million rows take some seconds."""
_COUNT_S = 20.0
_CLEAR_S = 30.0
_ANSWERS = 5
"""More than are ever waited for."""


class Database:
    """What a server of ours reads and writes; made by `open`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listening = asyncio.get_running_loop(), process.stdout
        threading.Thread(target=self._listen, args=listening, daemon=True).start()
        self.environment: dict[str, str] = {}
        """What the server must find to reach it."""
        self.facts: dict[str, Any] = {}
        """What a record says of it."""
        self._before = 0
        """Polls that were written before the load."""

    @classmethod
    async def open(cls, scenario: Scenario) -> Database | None:
        """Makes sure that the database can be had; None where a run has none, or does not start its server.

        Raises:
            ParameterError: why not, and what to do; nothing was changed.
        """
        if scenario.workload != "database" or scenario.server_url:
            return None
        order = {
            "url": scenario.database_url,
            "devices": scenario.clients,
            "status_bytes": scenario.status_bytes,
            "bulk_bytes": scenario.bulk_bytes,
            "workers": scenario.workers,
            "connections": scenario.db_connections,
            "delay_s": scenario.db_delay_ms / 1000,
        }
        try:
            database = cls(_launch())
        except OSError as error:
            raise ParameterError(f"the database could not be looked at ({error.strerror}).") from None
        try:
            await database._ask({"order": order}, _CHECK_S)
        except BaseException:
            await database.close()
            raise
        return database

    async def prepare(self, run_path: Path) -> None:
        """Makes the rows that the devices will ask for.

        Raises:
            ParameterError: it cannot be done, and why.
        """
        said = await self._ask({"folder": str(run_path)}, _PREPARE_S)
        self.environment = said["environment"]
        self.facts = said["prepared"]

    async def begin_counting(self) -> None:
        """What was written until now, by the device that asks before the load, does not count.

        Raises:
            ParameterError: the database does not answer.
        """
        self._before = (await self._ask({"count": True}, _COUNT_S))["polls"]

    async def finish(self) -> None:
        """Counts what was written during the run and clears up; the server must have ended. Faults become facts."""
        try:
            said = await self._ask({"count": True}, _COUNT_S)
            self.facts["polls_written"] = said["polls"] - self._before
        except ParameterError as error:
            self.facts["polls_written"] = None
            self.facts["error"] = str(error)
        if left := await self.close():
            self.facts["left_behind"] = left

    async def close(self) -> str | None:
        """Clears up, whatever was done so far; may be called again. Returns what is left, and why, if so."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            said = await self._answer(_CLEAR_S)
            await asyncio.to_thread(self._process.wait, _CLEAR_S)
        except (ParameterError, subprocess.TimeoutExpired) as error:
            self._process.kill()
            self._process.wait()
            return str(error)
        refused: str | None = said.get("refused")
        return refused

    async def _ask(self, order: dict[str, Any], within_s: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # It is gone, which its answer tells.
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        said = await self._answer(within_s)
        if not said:
            raise ParameterError("the process that keeps the database ended by itself; the notebook's log may tell why.")
        if "refused" in said:
            raise ParameterError(f"{said['refused']}.")
        return said

    async def _answer(self, within_s: float) -> dict[str, Any]:
        """What it says next; nothing if it is gone."""
        try:
            return await asyncio.wait_for(self._said.get(), within_s)
        except TimeoutError:
            self._process.kill()
            raise ParameterError(f"the database did not answer within {within_s:g} s.") from None

    def _listen(self, loop: asyncio.AbstractEventLoop, stream: TextIO) -> None:
        """In a thread: hands over what the process says, and then for ever that it says nothing more."""
        with stream, suppress(RuntimeError):  # The loop is closed: nobody waits for this any more.
            for line in stream:
                if line.endswith("\n"):  # It was not killed in the middle of it.
                    loop.call_soon_threadsafe(self._said.put_nowait, json.loads(line))
            for _ in range(_ANSWERS):
                loop.call_soon_threadsafe(self._said.put_nowait, {})


def _launch() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "server.database"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(catalogue.__file__).parents[1],
        env=dict(os.environ),
        # An interrupt is meant for the run, which tells it when to clear up.
        start_new_session=True,
    )
