"""Load tools that are not ours: what each is told, and how its words are read.

A load and a folder in; what the tool wrote down out: how many requests, how many of them were answered well, and
percentiles of their latencies. A tool is told to do what one of our own settings does (`phase`, `pacing`), so that like is
compared with like; one that cannot do so has no place here.

    hey       lets its workers fire together, each at its own rate, one request at a time; its CSV has the time of every
              request that was answered, in tenths of a millisecond: one that timed out has no row. What came due while a
              worker waited is skipped. Source: github.com/rakyll/hey, README (-z, -c, -q, -o csv) and requester.go: a
              worker waits for the next tick of its own clock.
    h2load    the same with one timer a client, at most ten times a second; its log has the requests of the main duration,
              in microseconds until the end of the response, but for those whose connection was lost. What came due while
              a client waited is sent in a burst afterwards. Source: man h2load (--rps, --warm-up-time, --log-file, --h1),
              and `make tools`.
    wrk       knows no rate, so with it alone a server is asked as fast as it answers, which is no device. But its script
              may name a pause before each request: first a share of the interval that differs from connection to
              connection, then the interval after each answer. That is our phase `spread` under pacing `after`. It keeps
              a histogram in microseconds, from which it takes the percentiles itself, its first requests included. It
              always corrects them for coordinated omission, by the mean time between two requests of a connection:
              whatever took twice as long brings times with it that nobody waited. Source: github.com/wg/wrk, SCRIPTING
              (delay, done) and wrk.c (socket_writeable: the clock starts after the pause; stats_correct).
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from experiments.analyse.latency import percentiles
from experiments.errors import LabError
from experiments.schedule import Pacing, Phase

PERCENTS = (50.0, 90.0, 95.0)
"""Of some thousand requests; p99 of so few says more of the moment than of the tool."""

Percentiles = Mapping[float, float]
"""Percent -> seconds."""


@dataclass(frozen=True)
class Heard:
    """What a tool wrote down of a load."""

    requests: int
    """Of the measured time, as far as it can tell."""
    well: int
    """Those that were answered with 200."""
    percentiles: Percentiles
    """Of these."""


@dataclass(frozen=True)
class Load:
    """A steady load of one endpoint."""

    url: str
    clients: int
    interval_ms: int
    """Between two requests of a client; at least 100, since h2load's timers are no finer."""
    seconds: int
    """Measured, after the warm-up."""
    warmup_s: int

    @property
    def requests(self) -> int:
        """How many are due in the measured time to clients that keep the rate."""
        return round(self.clients * self.seconds * 1000 / self.interval_ms)


@dataclass(frozen=True)
class Tool:
    """One load tool."""

    name: str
    """As it is called on the command line."""
    package: str
    """Debian's name of what it comes in."""
    phase: Phase
    pacing: Pacing
    """Our settings that do the same."""
    command: Callable[[Load, Path], list[str]]
    """What is run, without the name; files go to that folder."""
    read: Callable[[str, Path, Load], Heard]
    """From what it printed and from the files."""
    warmed: bool = True
    """Whether what it did while warming up is left out."""


def _hey_command(load: Load, folder: Path) -> list[str]:
    rate = f"{1000 / load.interval_ms:g}"
    return [f"-z={load.warmup_s + load.seconds}s", f"-c={load.clients}", f"-q={rate}", "-o=csv", load.url]


def hey_heard(printed: str, folder: Path, load: Load) -> Heard:
    """Of the requests that began after the warm-up.

    Raises:
        LabError: the CSV holds no answers.
    """
    frame = _table(printed.encode(), ["response-time", "status-code", "offset"], separator=",", header=True)
    after = frame.filter(pl.col("offset") >= load.warmup_s)
    well = after.filter(pl.col("status-code") == 200)
    return Heard(after.height, well.height, _percentiles(well["response-time"]))


def _h2load_command(load: Load, folder: Path) -> list[str]:
    rate = f"{1000 / load.interval_ms:g}"
    times = [f"--duration={load.seconds}", f"--warm-up-time={load.warmup_s}"]
    return ["--h1", f"--clients={load.clients}", f"--rps={rate}", *times, f"--log-file={folder / _H2LOAD_LOG}", load.url]


_H2LOAD_LOG = "h2load.tsv"


def h2load_heard(printed: str, folder: Path, load: Load) -> Heard:
    """Of all requests in its log, which begins after the warm-up.

    Raises:
        LabError: the log is not there, or holds no answers.
    """
    path = folder / _H2LOAD_LOG
    content = path.read_bytes() if path.is_file() else b""
    frame = _table(content, ["start", "status", "microseconds"], separator="\t", header=False)
    well = frame.filter(pl.col("status") == 200)
    return Heard(frame.height, well.height, _percentiles(well["microseconds"] / 1e6))


_WRK_SCRIPT = """\
local begun = 0
function delay()
  begun = begun + 1
  if begun <= {clients} then return begun * {interval_ms} / {clients} end
  return {interval_ms}
end
function done(summary, latency, requests)
  local failed = summary.errors
  local lost = failed.read + failed.timeout + failed.connect + failed.write
  io.write(string.format("count\\t%d\\t%d\\n", summary.requests + lost, summary.requests - failed.status))
  for _, percent in ipairs({{{percents}}}) do
    io.write(string.format("lab\\t%g\\t%d\\n", percent, latency:percentile(percent)))
  end
end
"""
"""Connections ask for their pause in order, all for the first time before any for the second."""


def _wrk_command(load: Load, folder: Path) -> list[str]:
    script = folder / "wrk.lua"
    percents = ", ".join(f"{percent:g}" for percent in PERCENTS)
    script.write_text(_WRK_SCRIPT.format(clients=load.clients, interval_ms=load.interval_ms, percents=percents))
    seconds = load.warmup_s + load.seconds
    return ["--threads=1", f"--connections={load.clients}", f"--duration={seconds}s", f"--script={script}", load.url]


def wrk_heard(printed: str, folder: Path, load: Load) -> Heard:
    """As its script printed them, the warm-up included.

    Raises:
        LabError: it printed none.
    """
    lines = [line.split("\t") for line in printed.splitlines()]
    counts = [line for line in lines if line[0] == "count"]
    percentiles = {float(line[1]): int(line[2]) / 1e6 for line in lines if line[0] == "lab"}
    if not counts or not percentiles:
        raise LabError("it gave no percentiles")
    return Heard(int(counts[0][1]), int(counts[0][2]), percentiles)


def _table(content: bytes, names: list[str], *, separator: str, header: bool) -> pl.DataFrame:
    """The named columns of a table that a tool wrote."""
    try:
        frame = pl.read_csv(io.BytesIO(content), separator=separator, has_header=header)
    except pl.exceptions.PolarsError as error:
        raise LabError(f"its table cannot be read ({error})") from None
    if not header:
        frame = frame.rename(dict(zip(frame.columns, names, strict=False)))
    if missing := [name for name in names if name not in frame.columns]:
        raise LabError(f"its table lacks {', '.join(missing)}")
    return frame


def _percentiles(seconds: pl.Series) -> Percentiles:
    """By the same rule as ours."""
    found = {one.percent: one.value_s for one in percentiles(seconds, PERCENTS) if one.value_s is not None}
    if len(found) < len(PERCENTS):
        raise LabError(f"it had {len(seconds)} right answers, too few for its percentiles")
    return found


TOOLS = (
    Tool("hey", "hey", "together", "fixed", _hey_command, hey_heard),
    Tool("h2load", "nghttp2-client", "together", "fixed", _h2load_command, h2load_heard),
    Tool("wrk", "wrk", "spread", "after", _wrk_command, wrk_heard, warmed=False),
)
"""In the order in which they are asked."""


_OVERTIME_S = 30.0


def ask(tool: Tool, place: str, load: Load, folder: Path) -> Heard:
    """Has a tool measure a load.

    Args:
        place: where its program lies.
        folder: takes its files.

    Raises:
        LabError: it failed, or what it said cannot be read.
    """
    command = [place, *tool.command(load, folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=load.warmup_s + load.seconds + _OVERTIME_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LabError(f"it could not be run ({error})") from None
    return tool.read(done.stdout, folder, load)
