"""What really happened in one attempt: the server's ledger as figures, and what a program must give, worked out.

Ledger and load in, figures out; pure. Times of a request run from when the server had it to when the last byte of its answer
left, so they lack the way to and fro, some 0.1 ms on one machine.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from experiments.errors import RecordError
from experiments.studies.tools.catalogue.tool import MAX
from server import catalogue

PERCENTS = (50.0, 75.0, 90.0, 95.0, 99.0, MAX)

_SAME_S = 1e-9
"""Times that differ by less are the same."""

Times = Mapping[float, float]
"""Percent -> seconds; `MAX` for the longest."""


@dataclass(frozen=True)
class Truth:
    """One load as the server saw it."""

    count: int
    """Requests that came."""
    answered: int
    """Those that were answered whole and well."""
    refused: int
    """Those that were answered 503."""
    short: int
    """Those whose answer was cut off."""
    unanswered: int
    """Those that nothing came of: the client had left, or the server was at its limit."""
    given_up: int
    """Those of these that came so long before the last one that the client must have given them up."""
    connections: int
    span_s: float
    """From the first request to the last."""
    took: pl.Series
    """Seconds that each answer took, of those that were sent to the end; f64, not null."""
    to_first: pl.Series
    """Seconds to its first byte."""
    well: pl.Series
    """Seconds of those that were answered well."""
    well_came: pl.Series
    """When these came, in seconds from the first request."""
    worked_out: pl.Series
    """Seconds that the same answers take by the program alone."""
    unrest: pl.Series
    """By how many seconds short waits of another program ended late meanwhile: what the machine does to anybody."""
    came: pl.Series
    """When each request came, in seconds from the first; f64, ascending."""

    @property
    def failed(self) -> int:
        """What a client must have noticed as failures, at least."""
        return self.refused + self.short + self.given_up

    @property
    def per_s(self) -> float | None:
        """Requests per second while there were any."""
        return (self.count - 1) / self.span_s if self.count > 1 and self.span_s else None

    @property
    def times(self) -> Times:
        """Percentiles of what the answers took."""
        return percentiles(self.took)

    def late_s(self, percent: float) -> float:
        """By how much that share of the answers, or of another program's waits, came late: the unrest of the machine."""
        return max(0.0, *(_at(late, percent) for late in (self.took - self.worked_out, self.unrest)))

    def waited(self, timeout_s: float) -> pl.Series:
        """Seconds of all requests, those that nothing came of among them at the time after which they were given up."""
        return pl.concat([self.took, pl.Series([timeout_s] * self.unanswered, dtype=pl.Float64)])


def percentiles(seconds: pl.Series, percents: Sequence[float] = PERCENTS) -> Times:
    """Of the very times that there are: nothing is inferred, so any number of them will do."""
    if not seconds.len():
        return {}
    ordered = seconds.sort()
    return {percent: _at(ordered, percent) for percent in percents}


def _at(seconds: pl.Series, percent: float) -> float:
    return float(seconds.quantile(percent / 100, interpolation="nearest") or 0.0)


def read(path: Path, timeout_s: float, unrest_s: Sequence[float] = (), *, before: int = 0) -> Truth:
    """Reads a ledger; arguments as of `truth`.

    Args:
        before: how many requests came before the load.

    Raises:
        RecordError: it is not there, or holds something else.
    """
    try:
        frame = pl.read_csv(io.BytesIO(path.read_bytes()), schema=_SCHEMA)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RecordError(f"{path} holds no ledger ({error}).") from None
    return truth(frame.slice(before).with_columns(whole=pl.col("whole") == "True"), timeout_s, unrest_s)


_SCHEMA = {
    "connection": pl.Int64,
    "came_s": pl.Float64,
    "status": pl.Int64,
    "whole": pl.String,
    "due_s": pl.Float64,
    "first_s": pl.Float64,
    "done_s": pl.Float64,
}


def truth(frame: pl.DataFrame, timeout_s: float, unrest_s: Sequence[float] = ()) -> Truth:
    """The figures of a ledger.

    Args:
        frame: (connection, came_s, status, whole, due_s, first_s, done_s), times in seconds from the first request.
        timeout_s: after which a client was told to give a request up.
        unrest_s: how late another program's short waits ended.
    """
    frame = frame.sort("came_s")
    done = frame.filter(pl.col("done_s").is_not_null())
    well = done.filter(pl.col("whole") & (pl.col("status") < 400))
    lost = frame.filter(pl.col("done_s").is_null())
    last = float(frame["came_s"][-1]) if frame.height else 0.0
    return Truth(
        count=frame.height,
        answered=well.height,
        refused=done.filter(pl.col("whole") & (pl.col("status") >= 400)).height,
        short=done.filter(~pl.col("whole")).height,
        unanswered=lost.height,
        given_up=lost.filter(pl.col("came_s") < last - 0.9 * timeout_s).height,
        connections=frame["connection"].n_unique(),
        span_s=last - float(frame["came_s"][0]) if frame.height else 0.0,
        took=done["done_s"] - done["came_s"],
        to_first=done["first_s"] - done["came_s"],
        well=well["done_s"] - well["came_s"],
        well_came=well["came_s"],
        worked_out=done["due_s"] - done["came_s"],
        unrest=pl.Series(unrest_s, dtype=pl.Float64),
        came=frame["came_s"],
    )


def by_the_clock(answer: str, clients: int, interval_s: float, seconds: float) -> pl.Series:
    """What devices that poll by the clock wait, from when a poll was due, worked out from the program alone.

    Returns:
        Seconds of each planned poll. Devices all start at once and have one request under way at a time; a stall lets go of
        all that it holds at its end.
    """
    program = catalogue.FOR_TOOLS[answer]
    waited = []
    for _ in range(clients):
        free = 0.0
        for number in range(round(seconds / interval_s)):
            due = number * interval_s
            sent = max(due, free)
            episode = program.episode(sent)
            begun = episode.end_s if episode is not None and episode.kind == "stall" else sent
            free = begun + program.usual.took_s
            waited.append(free - due)
    return pl.Series(waited, dtype=pl.Float64)


def corrected(took: pl.Series, interval_s: float) -> pl.Series:
    """The times after a correction for coordinated omission: beside each that took longer than an interval stand those that
    one more request per interval would have taken.

    Source: HdrHistogram's recordValueWithExpectedInterval, wrk's stats_correct.
    """
    found = took.to_list()
    if interval_s <= 0:
        return took
    for value in took.to_list():
        rest = value - interval_s
        while rest > interval_s - _SAME_S:
            found.append(rest)
            rest -= interval_s
    return pl.Series(found, dtype=pl.Float64)
