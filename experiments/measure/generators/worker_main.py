"""A generator process: `python -m experiments.measure.generators.worker_main`, which drives one shard.

It is told what to do by JSON lines on standard input and answers with JSON lines on standard output. Both are its own from
the first line on: what a user's transport prints goes to the log instead, and what it reads is empty.

    in   {"shard": {...}}  then  {"start_at": instant}  then perhaps  {"stop_at": instant}; end of input means stop now
    out  perhaps {"made": transports} or {"compiling": seconds} every second, then {"ready": true} or {"refused": why}
         then  {"report": {...}} every second  then  {"facts": {...}}
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Self, TextIO

import httpx

from experiments.errors import GeneratorError
from experiments.measure.engines.stop import Stop
from experiments.measure.generators.shard import Report, Shard
from experiments.measure.generators.shard_runner import run_shard

_LAST_WORDS_S = 10.0
"""How long a generator may take to end after its starter is gone, before it ends itself the hard way."""
_TELL_S = 1.0


def main() -> None:
    """The process: one shard, told by standard input."""
    starter = Starter.at_standard_streams()
    order = starter.order()
    if order is None:
        return
    shard = Shard.from_json(order["shard"])
    import polars  # noqa: F401 - loaded before the start, so that the first part does not hold the loop up
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            _make_engine(shard, starter)
            transports = runner.run(_make_transports(shard, starter))
            pollers, devices = shard.make_pollers(), shard.make_devices()
        except GeneratorError as error:
            traceback.print_exc()
            starter.say({"refused": str(error)})
            return
        starter.say({"ready": True})
        if (order := starter.order()) is None:
            return
        stop = Stop()
        threading.Thread(target=starter.obey, args=(stop,), daemon=True).start()
        # What is alive now stays alive: it need not be looked at by each collection of garbage.
        gc.collect()
        gc.freeze()
        facts = runner.run(run_shard(shard, order["start_at"], starter.report, stop, transports, pollers, devices))
        # Before the loop is closed, which waits for whatever a transport has left on it.
        starter.say({"facts": facts})


def _make_engine(shard: Shard, starter: Starter) -> None:
    """Before the start as well; its compilation says how long it has taken, once more when it is done."""
    begun = time.monotonic()
    made = threading.Event()

    def tell() -> None:
        while not made.wait(_TELL_S):
            starter.say({"compiling": time.monotonic() - begun})

    telling = threading.Thread(target=tell, daemon=True)
    telling.start()
    new = shard.make_engine()
    made.set()
    telling.join()
    if new:
        starter.say({"compiling": time.monotonic() - begun})


async def _make_transports(shard: Shard, starter: Starter) -> Sequence[httpx.AsyncBaseTransport] | None:
    """Made on the loop that they will be used on, and before the start: a device's first poll does not wait for it."""
    told_at = time.monotonic()

    def tell(made: int) -> None:
        nonlocal told_at
        if time.monotonic() >= told_at + _TELL_S:
            told_at = time.monotonic()
            starter.say({"made": made})

    return shard.make_transports(tell)


class Starter:
    """Who started this process: gives orders, and is told how things are."""

    def __init__(self, orders: TextIO, words: TextIO) -> None:
        self._orders = orders
        self._words = words

    @classmethod
    def at_standard_streams(cls) -> Self:
        """Takes standard input and output away from everybody else in this process."""
        orders, words = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return cls(orders, words)

    def order(self) -> dict[str, Any] | None:
        """The next order; None if the starter is gone."""
        line = self._orders.readline()
        order: dict[str, Any] | None = json.loads(line) if line.endswith("\n") else None
        return order

    def obey(self, stop: Stop) -> None:
        """Hands on an order to stop; at the end of input the starter is gone, and so must this process be."""
        while (order := self.order()) is not None:
            stop.at = min(stop.at, order["stop_at"])
        stop.at = min(stop.at, time.monotonic())
        time.sleep(_LAST_WORDS_S)
        os._exit(1)

    def report(self, report: Report) -> None:
        """Says how things are, unless nobody listens: a suspended starter must not hold up the load by a full pipe."""
        # What fits into an empty page of the pipe never blocks, and a report does.
        if select.select([], [self._words], [], 0)[1]:
            self.say({"report": asdict(report)})

    def say(self, message: dict[str, Any]) -> None:
        """Says it, whoever may listen."""
        try:
            self._words.write(json.dumps(message) + "\n")
            self._words.flush()
        except BrokenPipeError:
            pass  # The starter is gone; `obey` ends this process.


if __name__ == "__main__":
    main()
