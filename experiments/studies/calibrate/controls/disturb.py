"""Doing harm to a run that is going on, at a chosen moment, and only to processes that this one started."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from experiments.progress import Progress

_BURN = "import time, sys\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"


class At:
    """A progress callback that does one thing, once, when the measured window is `share` over."""

    def __init__(self, share: float, action: Callable[[], None]) -> None:
        self._share = share
        self._action = action
        self._done = False

    def __call__(self, progress: Progress) -> None:
        if self._done or progress.phase != "measuring" or progress.elapsed_s < self._share * progress.total_s:
            return
        self._done = True
        # In a thread, since this is called from the loop that watches the run.
        threading.Thread(target=self._action, daemon=True).start()


def generators() -> list[psutil.Process]:
    """The generator processes that this process has started."""
    return _children("experiments.measure.generators.worker_main")


def servers() -> list[psutil.Process]:
    """The main processes of servers that this process has started for runs."""
    return [child for guard in _children("guard.py") for child in guard.children()]


def _children(word: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            if any(word in part for part in process.cmdline()):
                found.append(process)
    return found


def stop_for(processes: list[psutil.Process], seconds: float) -> None:
    """Stops processes for a while (SIGSTOP, SIGCONT)."""
    for process in processes:
        process.suspend()
    time.sleep(seconds)
    for process in processes:
        process.resume()


def throttle(processes: list[psutil.Process], *, running_s: float, stopped_s: float, for_s: float) -> None:
    """Lets processes run for a small share of the time only, as a machine that is too slow would."""
    end = time.monotonic() + for_s
    with suppress(psutil.NoSuchProcess):
        while time.monotonic() < end:
            stop_for(processes, stopped_s)
            time.sleep(running_s)


def crowd(processes: list[psutil.Process], for_s: float) -> None:
    """Puts processes on one core, and keeps that core busy for a while with something else."""
    core = min(psutil.Process().cpu_affinity())
    for process in processes:
        process.cpu_affinity([core])
    burner = psutil.Popen([sys.executable, "-I", "-S", "-c", _BURN, str(for_s)])
    burner.cpu_affinity([core])
    burner.wait()
