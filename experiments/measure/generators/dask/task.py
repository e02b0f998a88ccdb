"""A shard in a Dask task: the process that runs it anywhere runs here, and what it says and writes goes back as it comes.

A shard and the names of two Dask queues in; nothing out but words. Instants are on this worker's monotonic clock.

    orders  {"start_at": instant}  then perhaps {"stop_at": instant}, and {"end": true}; {} says that the starter is there
    words   {"ready": pid} or {"refused" | "unreached": why}  then every second {"report", "parts", "samples"}
            and at last {"facts", "error", "parts", "samples"}; each with the number of the shard as "instance"

A starter that is silent for some seconds is gone, and so are then the process and the load.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distributed import Queue, get_worker

from experiments.errors import LabError, ServerContractError
from experiments.measure.generators.dask.look import look_around
from experiments.measure.generators.shard import Shard
from experiments.measure.generators.subprocess import GeneratorProcess
from experiments.measure.host import fingerprint
from experiments.measure.sampler import EXPENSIVE_BEFORE_S, EXPENSIVE_EVERY_S, ProcessTree

BEAT_S = 2.0
"""How often the starter shows that it is there."""
_SILENCE_S = 15.0
_TELL_S = 1.0


def machine() -> dict[str, Any]:
    """What a run must know of the machine that this is called on; `kernel` is the same for all that share its clock."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return fingerprint.identity() | {"kernel_id": boot.read_text() if boot.is_file() else platform.node()}


def run_task(shard: dict[str, Any], sample_ms: float, orders: str, words: str) -> None:
    """The Dask task: returns when the shard has ended, well or badly."""
    # Where Dask clears up, also after a worker that was killed.
    with TemporaryDirectory(dir=get_worker().local_directory) as folder:
        (Path(folder) / "requests").mkdir()
        here = replace(Shard.from_json(shard), run_path=folder)
        queues = Queue(orders), Queue(words)
        asyncio.run(_Task(here, sample_ms, *queues).run())
        for one in queues:
            one.close()


async def _ended(generator: GeneratorProcess, within_s: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(generator.ended.wait(), within_s)
    return generator.ended.is_set()


class _Task:
    def __init__(self, shard: Shard, sample_ms: float, orders: Queue, words: Queue) -> None:
        self._shard = shard
        self._period_s = sample_ms / 1000
        self._orders = orders
        self._words = words
        self._samples: list[dict[str, Any]] = []
        self._start_at = 0.0
        self._started = asyncio.Event()

    async def run(self) -> None:
        generator = None
        try:
            await look_around(self._shard)
            generator = GeneratorProcess(self._shard)
            await generator.prepare()
            await self._say(ready=generator.pid)
            await self._accompany(generator)
        except ServerContractError as error:
            await self._say(unreached=str(error))
        except LabError as error:
            await self._say(refused=str(error))
        finally:
            if generator is not None:
                await generator.close()

    async def _accompany(self, generator: GeneratorProcess) -> None:
        """Hands orders in and news out until the generator has ended and the starter has heard of it."""
        obeying = asyncio.ensure_future(self._obey(generator))
        sampling = asyncio.ensure_future(self._sample(generator))
        while not await _ended(generator, _TELL_S):
            report = asdict(generator.report) if generator.report else None
            await self._say(report=report, **self._news())
        sampling.cancel()
        await self._say(facts=generator.facts, error=generator.error, **self._news())
        await obeying

    async def _obey(self, generator: GeneratorProcess) -> None:
        """Does what the starter orders until it orders the end, or is gone."""
        while True:
            try:
                order = await asyncio.to_thread(self._orders.get, timeout=_SILENCE_S)
            except Exception:  # noqa: BLE001 - silence, no scheduler, no worker: whatever Dask raises, nobody is there
                break
            if "start_at" in order:
                self._start_at = order["start_at"]
                generator.start(self._start_at)
                self._started.set()
            elif "stop_at" in order:
                generator.stop(order["stop_at"])
            elif "end" in order:
                break
        await generator.close()

    async def _sample(self, generator: GeneratorProcess) -> None:
        """Samples the generator and, as the process that runs the shard, this worker."""
        trees = [*generator.trees, ProcessTree("kernel", self._shard.instance + 1, (os.getpid(),), descendants=False)]
        await self._started.wait()
        next_expensive = self._start_at - EXPENSIVE_BEFORE_S
        while True:
            now = time.monotonic()
            expensive = now >= next_expensive
            if expensive:
                next_expensive = now + EXPENSIVE_EVERY_S
            self._samples += [{"t_s": now - self._start_at, **tree.sample(expensive=expensive)} for tree in trees]
            await asyncio.sleep(self._period_s)

    def _news(self) -> dict[str, Any]:
        """Samples and whole parts since the last words; what was handed over is kept here no longer."""
        samples, self._samples = self._samples, []
        parts = {}
        for path in sorted((Path(self._shard.run_path) / "requests").glob("part-*.parquet")):
            parts[path.name] = path.read_bytes()
            path.unlink()
        return {"samples": samples, "parts": parts}

    async def _say(self, **words: Any) -> None:
        await asyncio.to_thread(self._words.put, {"instance": self._shard.instance, **words})
