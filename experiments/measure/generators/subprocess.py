"""Where a shard runs: in a process of its own, or on the loop of this kernel. Both look the same from outside.

`fleet_generator` is a third place, a Dask cluster.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from experiments.errors import GeneratorError
from experiments.measure.engines.aio.own_device import Device
from experiments.measure.engines.stop import Stop
from experiments.measure.generators.shard import Report, Shard
from experiments.measure.generators.shard_runner import run_shard
from experiments.measure.sampler import ProcessTree
from experiments.target.poller import Poller

_READY_S = 30.0
_END_S = 5.0
"""How long a generator that was closed may take to end by itself, and how long one that was killed may take to go."""


class Generator(ABC):
    """A shard on its way. `ended` is set when it has given its facts, or can give none any more."""

    pid: int
    """The process that carries the load."""
    notice_s = 0.2
    """How long before an instant the order for it must be given, to arrive in time."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.report: Report | None = None
        """The latest report."""
        self.facts: dict[str, Any] | None = None
        """What `run_shard` returned."""
        self.error: str | None = None
        """Why there are no facts, if so."""
        self.compiling_s: float | None = None
        """For how long it has compiled its engine, if it had to."""
        self.ended = asyncio.Event()

    @property
    @abstractmethod
    def trees(self) -> list[ProcessTree]:
        """What is to be sampled of it on this machine."""

    @property
    def place(self) -> dict[str, Any]:
        """What a record says of where it runs, besides its own facts."""
        return {}

    @abstractmethod
    async def prepare(self) -> None:
        """Gets everything ready for the start.

        Raises:
            GeneratorError: the generator did not come up.
        """

    @abstractmethod
    def start(self, start_at: float) -> None:
        """Lets the devices go; the measured window begins at `start_at` on the monotonic clock."""

    @abstractmethod
    def stop(self, at: float) -> None:
        """Closes the window early, at that instant; facts still come."""

    @abstractmethod
    async def close(self) -> None:
        """Ends the generator, whatever it is doing."""

    async def _until(self, event: asyncio.Event, within_s: float) -> bool:
        """Waits for an event, the end or the time, whichever is first; whether it was the event."""
        waiters = [asyncio.ensure_future(one.wait()) for one in (event, self.ended)]
        await asyncio.wait(waiters, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()
        return event.is_set()


class KernelGenerator(Generator):
    """On this process's own loop: for small swarms, and for looking inside."""

    def __init__(self, shard: Shard) -> None:
        super().__init__(shard)
        self.pid = os.getpid()
        self._stop = Stop()
        self._transports: list[httpx.AsyncBaseTransport] | None = None
        self._pollers: list[tuple[Poller, ...]] | None = None
        self._devices: list[Device] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def trees(self) -> list[ProcessTree]:
        return [ProcessTree("generator", 0, (self.pid,), descendants=False)]

    async def prepare(self) -> None:
        begun = time.monotonic()
        if await asyncio.to_thread(self.shard.make_engine):
            self.compiling_s = time.monotonic() - begun
        self._transports = self.shard.make_transports()
        self._pollers = self.shard.make_pollers()
        self._devices = self.shard.make_devices()

    def start(self, start_at: float) -> None:
        self._task = asyncio.ensure_future(self._drive(start_at))

    async def _drive(self, start_at: float) -> None:
        try:
            self.facts = await run_shard(
                self.shard, start_at, self._take, self._stop, self._transports, self._pollers, self._devices
            )
        except Exception as error:  # noqa: BLE001 - reported like the death of a process
            self.error = f"generator {self.shard.instance} broke: {error!r}"
        finally:
            self.ended.set()

    def _take(self, report: Report) -> None:
        self.report = report

    def stop(self, at: float) -> None:
        self._stop.at = min(self._stop.at, at)

    async def close(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_END_S)


class GeneratorProcess(Generator):
    """A process on this machine, spoken to in JSON lines; see `generator` for the words.

    It is in a session of its own, so that an interrupt of the kernel does not reach it, and ends by itself when this
    process is gone, since its standard input ends then.

    Raises:
        GeneratorError: there is no room for a log, or for a process.
    """

    def __init__(self, shard: Shard) -> None:
        super().__init__(shard)
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._refusal: str | None = None
        self._heard_at = 0.0
        self._made = 0
        """How many transports it had made when it last told."""
        self._log_path = Path(shard.run_path) / f"generator-{shard.instance}.log"
        try:
            self._process = self._launch()
        except OSError as error:
            raise GeneratorError(f"generator {shard.instance} could not be started ({error.strerror}).") from None
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _launch(self) -> subprocess.Popen[bytes]:
        with self._log_path.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "experiments.measure.generators.worker_main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                # One thread is enough for a part of a few thousand rows, and each costs memory.
                env={**os.environ, "POLARS_MAX_THREADS": "1"},
            )

    @property
    def trees(self) -> list[ProcessTree]:
        return [ProcessTree("generator", self.shard.instance, (self.pid,))]

    async def prepare(self) -> None:
        self._tell({"shard": self.shard.to_json()})
        self._heard_at = time.monotonic()
        # As long as it says that it goes on with its engine or its devices' transports, it is waited for.
        while (left_s := self._heard_at + _READY_S - time.monotonic()) > 0 and not self.ended.is_set():
            if await self._until(self._ready, left_s):
                return
        if self._refusal:
            raise GeneratorError(self._refusal)
        reason = self.error or f"generator {self.shard.instance} was not ready within {_READY_S:g} s"
        if self._made and not self.error:
            reason += f" of the last of {self._made:,} transports that it had made for {len(self.shard.clients):,} devices"
        raise GeneratorError(f"{reason}; the end of its log: {self._log_tail()}")

    def start(self, start_at: float) -> None:
        self._tell({"start_at": start_at})

    def stop(self, at: float) -> None:
        self._tell({"stop_at": at})

    async def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # It is gone already.
            self._process.stdin.close()
        try:
            await asyncio.to_thread(self._process.wait, _END_S)
        except subprocess.TimeoutExpired:
            if self.facts is None:
                self.error = self.error or f"generator {self.shard.instance} did nothing any more and was killed"
            self._process.kill()
        # Its last words may still be on their way, also those of one that ended long ago.
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), _END_S)
        with suppress(OSError):
            if not self._log_path.stat().st_size:
                self._log_path.unlink()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # It is gone; the reader says so.
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self, stream: BinaryIO) -> None:
        """In a thread: hands the generator's messages to the loop until there are no more."""
        with stream:
            for line in stream:
                if line.endswith(b"\n"):  # It was not killed in the middle of it.
                    self._hand_over(self._take, line)
        code = self._process.wait()
        self._hand_over(self._gone, code)

    def _hand_over(self, method: Any, argument: Any) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits for this any more.
            self._loop.call_soon_threadsafe(method, argument)

    def _take(self, line: bytes) -> None:
        message = json.loads(line)
        self._heard_at = time.monotonic()
        if "ready" in message:
            self._ready.set()
        elif "compiling" in message:
            self.compiling_s = message["compiling"]
        elif "made" in message:
            self._made = message["made"]
        elif "refused" in message:
            self._refusal = self.error = message["refused"]
        elif "report" in message:
            self.report = Report(**message["report"])
        elif "facts" in message:
            self.facts = message["facts"]

    def _gone(self, code: int) -> None:
        if self.facts is None and self.error is None:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            self.error = f"generator {self.shard.instance} {how} before it had given its facts"
        self.ended.set()

    def _log_tail(self) -> str:
        with suppress(OSError):
            return self._log_path.read_text(errors="replace")[-2000:].strip() or "(empty)"
        return "(gone)"
