"""A generator process: `python -m experiments.measure.generator`, which drives one shard.

It is told what to do by JSON lines on standard input and answers with JSON lines on standard output.

    in   {"shard": {...}}  then  {"start_at": instant}  then perhaps  {"stop_at": instant}; end of input means stop now
    out  {"ready": true}  then  {"report": {...}} every second  then  {"facts": {...}}
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from experiments.measure.drive import drive
from experiments.measure.shard import Report, Shard
from experiments.measure.swarm import Stop

_LAST_WORDS_S = 10.0
"""How long a generator may take to end after its starter is gone, before it ends itself the hard way."""


def main() -> None:
    """The process: one shard, told by standard input."""
    shard = Shard.from_json(json.loads(sys.stdin.readline())["shard"])
    import polars  # noqa: F401 - loaded before the start, so that the first part does not hold the loop up
    import uvloop

    _say({"ready": True})
    line = sys.stdin.readline()
    if not line:
        return
    stop = Stop()
    threading.Thread(target=_obey, args=(stop,), daemon=True).start()
    # What is alive now stays alive: it need not be looked at by each collection of garbage.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        facts = runner.run(drive(shard, json.loads(line)["start_at"], _report, stop))
    _say({"facts": facts})


def _obey(stop: Stop) -> None:
    """Hands on an order to stop; at the end of input the starter is gone, and so must this process be."""
    while (line := sys.stdin.readline()).endswith("\n"):
        stop.at = min(stop.at, json.loads(line)["stop_at"])
    stop.at = min(stop.at, time.monotonic())
    time.sleep(_LAST_WORDS_S)
    os._exit(1)


def _report(report: Report) -> None:
    """Says how things are, unless nobody listens: a starter that is suspended must not hold up the load by a full pipe."""
    # What fits into an empty page of the pipe never blocks, and a report does.
    if select.select([], [sys.stdout], [], 0)[1]:
        _say({"report": asdict(report)})


def _say(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # The starter is gone; `_obey` ends this process.


if __name__ == "__main__":
    main()
