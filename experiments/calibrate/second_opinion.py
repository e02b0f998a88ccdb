"""The same steady load measured by a tool that is not ours.

hey lets its workers fire together, each at its own rate; `phase="together"` does the same. Its CSV has the time of every
request, from which percentiles are taken by the same rule as ours. Its workers differ from our devices in one thing: they
begin anew when late, so only a load that the server carries with ease is compared.

Source: hey's README (github.com/rakyll/hey), options -c, -q, -z and -o csv.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from experiments.analyse.latency import percentiles
from experiments.calibrate.trial import Say, Trial, measure
from experiments.measure.server_process import ServerProcess
from experiments.record.store import Record
from experiments.runner import wait_for
from experiments.scenario import Scenario
from server import catalogue

_CLIENTS = 20
_INTERVAL_MS = 100.0
_SECONDS = 15.0
_PERCENTS = (50.0, 90.0, 95.0)
_AGREE_MS = 0.5
_AGREE_RATIO = 0.25
"""hey prints tenths of a millisecond, and it counts from its own write to its own read, as we do: agreement within half a
millisecond or a quarter is all that the two can be asked for on a shared machine."""


def second_opinion(results_dir: Path, say: Say) -> Iterator[Trial]:
    """Latency of a light load of A by hey, beside ours."""
    tool = shutil.which("hey")
    if tool is None:
        yield Trial(
            "latency as hey measures it", "agreement", "skipped: hey is not installed (apt-get install hey)", ok=None
        )
        return
    say("the same load by this lab")
    ours = _ours(results_dir)
    say("the same load by hey")
    theirs = _theirs(tool, results_dir)
    mine = ours.requests().filter((pl.col("due_s") >= 0) & (pl.col("outcome") == "ok"))
    for here, there in zip(
        percentiles(mine["done_s"] - mine["sent_s"], _PERCENTS), percentiles(theirs, _PERCENTS), strict=True
    ):
        if here.value_s is None or there.value_s is None:
            continue
        mine_ms, their_ms = 1000 * here.value_s, 1000 * there.value_s
        ok = abs(mine_ms - their_ms) <= max(_AGREE_MS, _AGREE_RATIO * max(mine_ms, their_ms))
        yield Trial(f"latency p{here.percent:g}, ms", f"hey: {their_ms:.2f}", f"this lab: {mine_ms:.2f}", ok, ours.run_id)


def _ours(results_dir: Path) -> Record:
    asked = {"clients": _CLIENTS, "interval_ms": _INTERVAL_MS, "minutes": _SECONDS / 60, "ratio": "1:0", "phase": "together"}
    return measure(Scenario.from_parameters(asked | {"warmup_s": 2.0, "results_dir": str(results_dir)}))


def _theirs(tool: str, results_dir: Path) -> pl.Series:
    """Seconds of every request that hey sent, its first second left out as warm-up."""
    output = wait_for(_ask(tool, results_dir / "second-opinion-server.log"))
    frame = pl.read_csv(io.StringIO(output))
    return frame.filter(pl.col("offset") >= 1.0)["response-time"]


async def _ask(tool: str, log_path: Path) -> str:
    sizes = {"status_bytes": 100, "bulk_bytes": 204_800}
    server = ServerProcess(system="falcon", workers=1, log_path=log_path, **sizes)
    await server.start()
    try:
        rate = f"{1000 / _INTERVAL_MS:g}"
        command = [
            tool,
            "-z",
            f"{_SECONDS:g}s",
            "-c",
            str(_CLIENTS),
            "-q",
            rate,
            "-o",
            "csv",
            server.url + catalogue.STATUS_PATH,
        ]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=_SECONDS + 30, check=True
        )
        return str(done.stdout)
    finally:
        await server.stop()
