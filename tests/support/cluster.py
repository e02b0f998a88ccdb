"""A real Dask cluster on this machine: a scheduler and workers in processes that end with the test."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from distributed import Client

from tests.support.processes import descendants, still_alive

_READY_S = 60.0


@dataclass
class Cluster:
    """What runs."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Each is a nanny, with the worker as its child."""

    def worker_of(self, number: int) -> psutil.Process:
        """The process that is the worker, not its nanny."""
        return next(one for one in descendants(self.workers[number].pid)[1:] if "spawn_main" in " ".join(one.cmdline()))


@contextmanager
def cluster(folder: Path, *prefixes: Sequence[str], host: str = "127.0.0.1") -> Iterator[Cluster]:
    """Starts a scheduler and a worker for each prefix, the words to put before a worker's command."""
    with ExitStack() as ending:
        found = folder / "scheduler.json"
        command = ["scheduler", "--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(found)]
        scheduler = _start(ending, folder, "scheduler", command)
        running = Cluster(_address(found), scheduler)
        for number, prefix in enumerate(prefixes):
            local = folder / f"worker-{number}"
            command = ["worker", running.address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(local)]
            running.workers.append(_start(ending, folder, f"worker-{number}", command, prefix))
        with Client(running.address, timeout=_READY_S, set_as_default=False) as client:
            client.wait_for_workers(len(prefixes), timeout=_READY_S)
        yield running


def _start(
    ending: ExitStack, folder: Path, name: str, command: list[str], prefix: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    log = ending.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen([*prefix, sys.executable, "-m", "dask", *command], stdout=log, stderr=log)
    ending.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    family = descendants(process.pid) if process.poll() is None else []
    process.terminate()
    if still_alive(family, within_s=15):
        for one in family:
            if one.is_running():
                one.kill()
    process.wait(15)


def _address(found: Path) -> str:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if found.is_file() and (text := found.read_text()):
            address: str = json.loads(text)["address"]
            return address
        time.sleep(0.1)
    raise TimeoutError("the scheduler did not come up")
