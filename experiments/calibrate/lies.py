"""Verdicts that must be right: lies that may never come out valid, and honest runs that must.

Each case makes a run wrong in one way and names the checks of which at least one must have noticed; a lie that is
caught for another reason is not caught. The honest cases include servers in trouble, since a server's failure is a result.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import polars as pl

from experiments.calibrate import disturb
from experiments.calibrate.loopback import wait_until_listening
from experiments.calibrate.trial import CAUSES, Say, Trial, attempt, judged, measure
from experiments.measure import conduct
from experiments.measure.progress import OnProgress
from experiments.measure.server_process import free_port
from experiments.record.store import Record, load
from experiments.runner import summarise
from experiments.scenario import Scenario

_SECONDS = 8.0
_SLOW = {"unsent_late", "lag", "generator_cpu", "generator_stall"}


@dataclass(frozen=True)
class Ground:
    """What all cases share."""

    results_dir: Path
    honest: Record
    """An honest run, to make damaged copies of."""

    def scenario(self, **changes: object) -> Scenario:
        """The default load for some seconds, changed."""
        asked = {"minutes": _SECONDS / 60, "warmup_s": 2.0, "timeout_s": 5.0, "results_dir": str(self.results_dir)}
        return Scenario.from_parameters(asked | changes)


@dataclass(frozen=True)
class Lie:
    """A run that is wrong on purpose."""

    name: str
    noticed_by: frozenset[str]
    """Checks of which one must not be valid."""
    tell: Callable[[Ground], Record]


def honest_runs(results_dir: Path, count: int, say: Say) -> Iterator[tuple[Trial, Record]]:
    """The default load again and again: valid, or suspect for a cause outside the lab."""
    ground = Ground(results_dir, honest=None)  # type: ignore[arg-type]  # only its scenario is used here
    for number in range(1, count + 1):
        say(f"honest run {number} of {count}")
        record = measure(ground.scenario())
        status, bad = judged(record)
        excused = status == "suspect" and bool(bad.keys() & CAUSES)
        came = status + (f" ({', '.join(bad)})" if bad else "")
        yield Trial(f"honest run {number}", "valid", came, status == "valid" or excused, record.run_id), record


def must_stay_valid(ground: Ground, say: Say) -> Iterator[Trial]:
    """Servers in trouble and a clock that jumps: no reason to doubt the instrument."""
    cases: dict[str, Callable[[], Record]] = {
        "a server that is overloaded": lambda: measure(ground.scenario(clients=200), _at(0.3, _throttle_server)),
        "a server that answers 503 to half": lambda: measure(ground.scenario(server="known-half-503", clients=200)),
        "a wall clock that is set back by an hour": lambda: _with_stepped_clock(ground),
        "a server that is killed": lambda: measure(ground.scenario(clients=200), _at(0.5, _kill_server)),
    }
    for name, run_it in cases.items():
        say(name)
        yield attempt(name, "valid", partial(_honest_trial, name, run_it))


def _honest_trial(name: str, run_it: Callable[[], Record]) -> Trial:
    record = run_it()
    status, bad = judged(record)
    # A dead server's own count is gone, which is said and makes the run suspect, never invalid.
    ok = status == "valid" or (status == "suspect" and set(bad) <= CAUSES | {"served"})
    return Trial(name, "valid", status + (f" ({', '.join(bad)})" if bad else ""), ok, record.run_id)


def lies(ground: Ground, say: Say) -> Iterator[Trial]:
    """All lies; each must be found out by the check that is meant for it."""
    for lie in LIES:
        say(lie.name)
        yield attempt(lie.name, "not valid", partial(_lie_trial, lie, ground))


def _lie_trial(lie: Lie, ground: Ground) -> Trial:
    record = lie.tell(ground)
    status, bad = judged(record)
    caught = status != "valid" and bool(lie.noticed_by & bad.keys())
    reasons = ", ".join(f"{name} {how}" for name, how in bad.items())
    return Trial(
        lie.name, f"not valid, by {' or '.join(sorted(lie.noticed_by))}", f"{status}: {reasons}", caught, record.run_id
    )


# How each lie is told.


def _at(share: float, action: Callable[[], None]) -> OnProgress:
    return disturb.At(share, action)


def _throttle_server() -> None:
    disturb.throttle(disturb.servers(), running_s=0.02, stopped_s=0.18, for_s=_SECONDS)


def _kill_server() -> None:
    for server in disturb.servers():
        server.kill()


def _stop_generator() -> None:
    disturb.stop_for(disturb.generators(), 0.5)


def _kill_a_worker() -> None:
    for server in disturb.servers():
        workers = [child for child in server.children() if "spawn_main" in " ".join(child.cmdline())]
        workers[-1].kill()


def _twice_what_stock_carries(ground: Ground) -> Record:
    """Doubles the devices of httpx-stock until it fails, and then asks for twice what it last carried."""
    clients = 50
    while judged(measure(ground.scenario(engine="httpx-stock", clients=2 * clients)))[0] != "invalid" and clients < 3200:
        clients *= 2
    return measure(ground.scenario(engine="httpx-stock", clients=2 * clients))


def _with_stepped_clock(ground: Ground) -> Record:
    """The wall clock as the run sees it jumps in the middle; the machine's own is left alone."""
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with ExitStack() as undo:

        def step() -> None:
            undo.enter_context(mock.patch.object(conduct, "utc_now", an_hour_ago.isoformat))

        return measure(ground.scenario(), _at(0.5, step))


def _server_replaced(ground: Ground) -> Record:
    """Somebody ends the server in the middle and starts another on its port."""
    port = free_port()
    command = [sys.executable, "-m", "server", "--port", str(port)]
    with ExitStack() as started:

        def start() -> subprocess.Popen[bytes]:
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started.callback(server.wait)
            started.callback(server.terminate)
            return server

        first = start()
        wait_until_listening(port)

        def replace() -> None:
            first.terminate()
            first.wait()
            start()

        return measure(ground.scenario(clients=200, server_url=f"http://127.0.0.1:{port}"), _at(0.5, replace))


def _with_busy_cores(ground: Ground) -> Record:
    with disturb.busy_cores(2):
        return measure(ground.scenario())


def _damaged(ground: Ground, damage: Callable[[Path], None]) -> Record:
    """A copy of the honest record, with one of its parts damaged."""
    copy = ground.results_dir / f"{ground.honest.run_id}-{damage.__name__.strip('_')}"
    shutil.copytree(ground.honest.path, copy)
    damage(sorted((copy / "requests").glob("part-*.parquet"))[-1])
    return summarise(load(copy))


def _rows_removed(part: Path) -> None:
    frame = pl.read_parquet(part)
    middle = frame.height // 2
    pl.concat([frame.head(middle), frame.slice(middle + 3)]).write_parquet(part)


def _rows_doubled(part: Path) -> None:
    frame = pl.read_parquet(part)
    pl.concat([frame, frame.slice(frame.height // 2, 3)]).write_parquet(part)


def _rows_altered(part: Path) -> None:
    """The slowest answers made fast: what somebody would do who wants a better figure."""
    frame = pl.read_parquet(part)
    quick = pl.col("sent_s") + (pl.col("done_s") - pl.col("sent_s")).clip(upper_bound=0.0005)
    frame.with_columns(done_s=pl.when(pl.col("outcome") == "ok").then(quick).otherwise("done_s")).write_parquet(part)


def _part_lost(part: Path) -> None:
    part.unlink()


LIES = (
    Lie("httpx-stock at twice what it carries", frozenset(_SLOW), _twice_what_stock_carries),
    Lie("both cores kept busy by others", frozenset({*_SLOW, "competitors"}), _with_busy_cores),
    Lie(
        "generator stopped for 500 ms",
        frozenset({"generator_stall"}),
        lambda ground: measure(ground.scenario(), _at(0.5, _stop_generator)),
    ),
    Lie("far too many devices for one generator", frozenset(_SLOW), lambda ground: measure(ground.scenario(clients=12_000))),
    Lie("server replaced under the same port", frozenset({"workers", "served"}), _server_replaced),
    Lie(
        "a worker killed from outside",
        frozenset({"workers", "served"}),
        lambda ground: measure(ground.scenario(clients=200, workers=2), _at(0.5, _kill_a_worker)),
    ),
    Lie("rows removed", frozenset({"rows_complete"}), lambda ground: _damaged(ground, _rows_removed)),
    Lie("rows doubled", frozenset({"rows_complete"}), lambda ground: _damaged(ground, _rows_doubled)),
    Lie("rows altered", frozenset({"untouched"}), lambda ground: _damaged(ground, _rows_altered)),
    Lie("a part lost", frozenset({"rows_complete"}), lambda ground: _damaged(ground, _part_lost)),
)
"""Wrong in one way each."""
