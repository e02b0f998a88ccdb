"""A shard on a worker of a Dask cluster, seen from the run: the third kind of generator. See `fleet_shard` for the words.

Orders go to the worker with instants on its own clock; its parts are kept beside those of other generators. It must not
know how the cluster was found; `fleet` tells it what came and what was lost.
"""

from __future__ import annotations

import asyncio
import ipaddress
import queue
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Client, Future, Queue

from experiments.errors import GeneratorError, LabError, ServerContractError
from experiments.measure.generators.dask import clock_offset
from experiments.measure.generators.dask.clock_offset import ClockOffset
from experiments.measure.generators.dask.task import run_task
from experiments.measure.generators.shard import Report, Shard
from experiments.measure.generators.subprocess import Generator
from experiments.measure.sampler import ProcessTree
from experiments.record import store

_READY_S = 60.0
"""A worker that never did this before imports all of the lab first."""
_END_S = 20.0
_SERVE_ELSEWHERE = (
    "What the lab starts listens on its own machine alone: start the server where all workers reach it (python -m server "
    "--host ADDRESS), and name it with server_url and allow_remote=True."
)


@dataclass(frozen=True)
class FleetWorker:
    """A worker of the cluster that was found fit."""

    number: int
    """From 1."""
    address: str
    """Where Dask finds it; for no record."""
    machine: dict[str, Any]
    here: bool
    """Whether it is on this very machine, and shares its processors and clock."""
    clock: ClockOffset


class FleetGenerator(Generator):
    """A process on another machine, or on this one if a worker is here."""

    notice_s = 2.0

    def __init__(
        self,
        shard: Shard,
        worker: FleetWorker,
        client: Client,
        words: str,
        sample_ms: float,
        samples: queue.SimpleQueue[list[dict[str, Any]]],
    ) -> None:
        super().__init__(shard)
        self.pid = 0
        self.worker = worker
        self._client = client
        self._words = words
        self._sample_ms = sample_ms
        self._samples = samples
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._refusal: LabError | None = None
        self._unkept: str | None = None
        """Why a part of it could not be kept here, if so."""
        self._orders: Queue | None = None
        self._task: Future[None] | None = None
        self._clock_after: ClockOffset | None = None
        # Asking the scheduler takes milliseconds, and many seconds once it is gone: never on the loop.
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="orders")

    @property
    def trees(self) -> list[ProcessTree]:
        return []

    @property
    def place(self) -> dict[str, Any]:
        before, after = self.worker.clock, self._clock_after
        return {
            "clock_offset_s": before.offset_s,
            "clock_error_s": max(before.error_s, after.error_s if after else 0.0),
            "clock_drift_s": after.offset_s - before.offset_s if after else None,
            "worker": {
                "number": self.worker.number,
                "on_this_machine": self.worker.here,
                "machine": self.worker.machine,
            },
        }

    async def prepare(self) -> None:
        """As for every generator.

        Raises:
            ServerContractError: the worker does not reach the server.
        """
        if not self.worker.here and ipaddress.ip_address(self.shard.target.address[0]).is_loopback:
            raise ServerContractError(self._unreached("it is another machine, and that address means itself there"))
        await asyncio.to_thread(self._submit)
        if await self._until(self._ready, _READY_S):
            return
        why = self.error or f"was not ready within {_READY_S:g} s; its worker may be busy with other tasks"
        raise self._refusal or GeneratorError(f"generator {self.shard.instance} {why}.")

    def _submit(self) -> None:
        self._orders = Queue(f"lab-orders-{uuid4().hex}", client=self._client)
        self._task = self._client.submit(
            run_task,
            replace(self.shard, run_path="").to_json(),
            self._sample_ms,
            self._orders.name,
            self._words,
            workers=[self.worker.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )

    def start(self, start_at: float) -> None:
        self._order({"start_at": start_at + self.worker.clock.offset_s})

    def stop(self, at: float) -> None:
        self._order({"stop_at": at + self.worker.clock.offset_s})

    def beat(self) -> None:
        """Shows the worker that somebody is there."""
        self._order({})

    async def close(self) -> None:
        if self._task is None or self._orders is None:
            return
        task, self._task = self._task, None
        self._order({"end": True})
        if await self._until(self.ended, _END_S) and self.facts is not None:
            with suppress(Exception):  # Whatever Dask raises of a worker that went right then; the record says null.
                await asyncio.to_thread(task.result, _END_S)
                self._clock_after = await asyncio.to_thread(clock_offset.measure, self._ask_clock)
        self.ended.set()
        self._sender.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # The scheduler may be gone, and then so is the task.
            await asyncio.to_thread(task.cancel)
            self._orders.close()

    def _ask_clock(self) -> float:
        now: float = self._client.run(time.monotonic, workers=[self.worker.address])[self.worker.address]
        return now

    def _order(self, order: dict[str, Any]) -> None:
        with suppress(RuntimeError):  # It is closed.
            if self._orders is not None:
                self._sender.submit(self._orders.put, order)

    def receive(self, message: dict[str, Any]) -> None:
        """Takes what the shard said; called from the fleet's thread."""
        if self.ended.is_set():
            return
        try:
            for name, content in message.get("parts", {}).items():
                store.keep_part(Path(self.shard.run_path), name, content)
        except OSError as error:
            self._unkept = f"generator {self.shard.instance} could not keep its rows ({error.strerror or error})"
        if samples := message.get("samples"):
            self._samples.put(samples)
        self._hand_over(self._take, message)

    def lose(self, how: str) -> None:
        """Takes note that it is gone; called from the fleet's thread."""
        self._hand_over(self._gone, f"generator {self.shard.instance} {how} before it had given its facts")

    def _hand_over(self, method: Any, argument: Any) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits for this any more.
            self._loop.call_soon_threadsafe(method, argument)

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message and self._ready.is_set():
            self._gone(f"generator {self.shard.instance} was begun again by Dask: its worker had been lost")
        elif "ready" in message:
            self.pid = message["ready"]
            self._ready.set()
        elif "unreached" in message:
            self._refusal = ServerContractError(self._unreached(message["unreached"]))
            self.ended.set()
        elif "refused" in message:
            self._refusal = GeneratorError(f"worker {self.worker.number} of the Dask cluster: {message['refused']}")
            self.ended.set()
        elif "facts" in message:
            facts = message["facts"]
            self.facts = facts and facts | {"error": self._unkept or facts["error"]}
            self._gone(message["error"])
        elif message.get("report"):
            report = Report(**message["report"])
            self.report = replace(report, problem=self._unkept or report.problem)

    def _gone(self, why: str | None) -> None:
        if self.facts is None and self.error is None:
            self.error = why
        self.ended.set()

    def _unreached(self, why: str) -> str:
        return (
            f"worker {self.worker.number} of the Dask cluster does not reach the server at {self.shard.target.url} ({why}). "
            f"{_SERVE_ELSEWHERE}"
        )
