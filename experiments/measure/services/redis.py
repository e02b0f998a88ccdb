"""The Redis of a run: the lab's own on a private socket, or one that is there; asked before the load, and after it.

Nothing that is not this run's is read or changed: its one key is named after the run, and is gone when the run is.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from experiments.errors import ParameterError
from experiments.measure.engines.threads.counter import RedisCounters, connect, reason
from experiments.measure.processes.guarded import Guarded
from experiments.scenario import Scenario

PROGRAM = "redis-server"
_READY_S = 10.0
_LOOK_S = 0.02
INSTALL = "pip install -e '.[author]'"


class RunRedis:
    """Where the author's client counts; made by `open`."""

    def __init__(self, url: str, folder: Path | None = None, process: Guarded | None = None) -> None:
        self._url = url
        self._folder = folder
        self._process = process
        self._key = ""
        self.facts: dict[str, Any] = {}
        """What a record says of it."""

    @classmethod
    async def open(cls, scenario: Scenario) -> RunRedis | None:
        """Makes sure that there is a Redis to count in; None where the engine counts nowhere.

        Without `redis_url` and without `redis-server` the run goes on uncounted, and `facts` says why.

        Raises:
            ParameterError: why it cannot be had, and what to do; nothing was changed.
        """
        if scenario.engine != "threads":
            return None
        for package in ("requests", "redis"):
            if find_spec(package) is None:
                raise ParameterError(f"engine='threads' needs the package {package}, which is not installed: {INSTALL}.")
        if scenario.redis_url:
            counts = cls(scenario.redis_url)
        elif shutil.which(PROGRAM) is None:
            counts = cls("")
            counts.facts = {"skipped": f"{PROGRAM} is not installed (Debian: apt install {PROGRAM}), and redis_url is empty"}
            return counts
        else:
            counts = _launch()
        try:
            await counts._prepare(scenario.model_dump()["redis_url"])
        except BaseException:
            await counts.close()
            raise
        return counts

    def counters(self, run_id: str) -> RedisCounters | None:
        """Where the polls of this run are counted; None for nowhere."""
        if not self._url:
            return None
        self._key = f"falcon-lab:{run_id}"
        return RedisCounters(self._url, self._key)

    async def finish(self) -> None:
        """Reads the counts, and takes them out of Redis. Faults become facts."""
        if self._key:
            try:
                self.facts["counts"] = await asyncio.to_thread(self._take)
            except Exception as error:  # noqa: BLE001 - a fault of the witness must not become one of the run
                self.facts["counts"] = None
                self.facts["error"] = reason(error)

    async def close(self) -> None:
        """Takes the key away if it is still there, and ends a Redis of the run's own; may be called again."""
        if self._key and self._process is None and "counts" not in self.facts:
            with suppress(Exception):
                await asyncio.to_thread(self._take)
        try:
            if self._process is not None:
                await self._process.end()
                self._process = None
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    async def _prepare(self, shown: str) -> None:
        ends_at = asyncio.get_running_loop().time() + (_READY_S if self._process else 0.0)
        while True:
            try:
                self.facts["version"] = await asyncio.to_thread(self._version)
                break
            except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the experimenter's sentence
                if self._process and self._process.watched and asyncio.get_running_loop().time() < ends_at:
                    await asyncio.sleep(_LOOK_S)
                    continue
                where = f"redis_url={shown!r}" if shown else PROGRAM
                raise ParameterError(
                    f"{where} cannot be used ({reason(error)}): start it, or set redis_url to one that answers."
                ) from None
        self.facts["started_by_lab"] = self._process is not None

    def _version(self) -> str:
        with connect(self._url) as client:
            return str(client.info("server")["redis_version"])

    def _take(self) -> dict[str, int]:
        with connect(self._url) as client:
            counts: Any = client.hgetall(self._key)
            client.delete(self._key)
        return {name: int(count) for name, count in sorted(counts.items())}


def _launch() -> RunRedis:
    folder = Path(tempfile.mkdtemp(prefix="lab-redis-"))
    try:
        # No port, nothing on disk: it lives as long as the run.
        command = [
            *(PROGRAM, "--port", "0", "--unixsocket", str(folder / "socket"), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"),
        ]
        process = Guarded(command, env=dict(os.environ), log_path=folder / "log")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ParameterError(f"{PROGRAM} could not be started ({error.strerror}).") from None
    return RunRedis(f"unix://{folder}/socket", folder, process)
