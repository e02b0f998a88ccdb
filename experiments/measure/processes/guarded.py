"""A command under `guard.py`, seen from its starter: started, watched, and ended with all that descends from it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import psutil

from experiments.measure.processes import guard
from server import catalogue

POLL_S = 0.01
_END_S = guard.GRACE_S + guard.REAP_S + 1.0

How = Literal["itself", "terminated", "killed"]


@dataclass(frozen=True)
class ServerExit:
    """How a server ended."""

    code: int | None
    """Exit code of its main process, minus the signal if one ended it; None if nobody could read it."""
    how: How
    """Before it was told to, when it was told to, or by force."""
    seconds: float
    """From being told until nothing of it was left."""


class Guarded:
    """A command under `guard.py`.

    Args:
        times: write the time before each line of its log.
        cwd: the folder in which it starts; None for that of the package `server`.

    Raises:
        OSError: the log cannot be written, or no process can be started.
    """

    def __init__(
        self, command: list[str], *, env: dict[str, str], log_path: Path, times: bool = False, cwd: Path | None = None
    ) -> None:
        with log_path.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *(["--times"] if times else []), "--", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
                # By default `server` can be imported from there, and no file of the user's can take a module's place.
                cwd=cwd or Path(catalogue.__file__).parents[1],
                bufsize=0,
                # What is sent to this process's group, by a terminal or when a kernel ends, is not meant for the guard.
                start_new_session=True,
            )
        self._stdin, self._stdout = self._guard.stdin, self._guard.stdout
        assert self._stdin is not None
        assert self._stdout is not None
        os.set_blocking(self._stdout.fileno(), False)
        self._words = ""
        self._main: psutil.Process | None = None
        self.pid: int | None = None
        """The command's process, once it runs."""
        self.failure: str | None = None
        """Why the command could not be started, if so."""
        self.exit: tuple[int, How] | None = None
        """Exit code and manner of the end, once nothing is left of the command."""

    @property
    def watched(self) -> bool:
        """Whether the guard is there."""
        return self._guard.poll() is None

    @property
    def alive(self) -> bool:
        """Whether the command's own process is there."""
        self.listen()
        return self._main is not None and self.exit is None and lives(self._main)

    def listen(self) -> None:
        """Takes in what the guard has said."""
        assert self._stdout is not None
        if self._stdout.closed:
            return
        with suppress(BlockingIOError):
            while chunk := os.read(self._stdout.fileno(), 4096):
                self._words += chunk.decode(errors="replace")
        said = dict(line.split(" ", 1) for line in self._words.splitlines())
        self.failure = said.get("failed")
        if "pid" in said and self.pid is None:
            self.pid = int(said["pid"])
            with suppress(psutil.NoSuchProcess):
                self._main = psutil.Process(self.pid)
        if "exit" in said:
            code, how = said["exit"].split()
            self.exit = int(code), cast(How, how)

    def processes(self) -> list[psutil.Process]:
        """What is there of the command and its descendants, orphans too: the members of its session."""
        self.listen()
        if self._main is None or self.exit:
            return []
        if psutil.pid_exists(self._main.pid) and not self._main.is_running():
            return []  # All are gone, and the number has become somebody else's.
        members = []
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):
                if os.getsid(pid) == self.pid:
                    members.append(psutil.Process(pid))
        return [process for process in members if lives(process)]

    async def end(self) -> ServerExit:
        """Ends the command and its guard."""
        assert self._stdin is not None
        assert self._stdout is not None
        began = time.monotonic()
        self._stdin.close()
        if not await within(_END_S, lambda: not self.watched):
            self._guard.kill()
            self._guard.wait()
        self.listen()
        code, how = self.exit or (None, await self._end_unguarded())
        self._stdout.close()
        return ServerExit(code, how, time.monotonic() - began)

    async def _end_unguarded(self) -> How:
        """Does what the guard would have done, had it not been killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes():
                with suppress(psutil.Error):
                    process.send_signal(number)
            if await within(guard.GRACE_S, lambda: not self.processes()):
                return "terminated" if number == signal.SIGTERM else "killed"
        return "killed"


async def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Waits until it has happened; False if it has not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
