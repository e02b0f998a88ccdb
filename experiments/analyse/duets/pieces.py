"""What each server of a run cost and how fast it was, in each piece of the window.

Record and arranged polls -> one row per piece and server. CPU is the difference of two samples of a server, and answers are
counted between the very instants of those samples, so that a sample that came late blurs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import polars as pl

from experiments.record.reading import Record
from experiments.record.schema import UNANSWERED

_LATE = 0.5
"""By which part of a piece its border may be sampled too late; a piece with a later one has no CPU."""
FEWEST_BEYOND = 10
"""Polls beyond a percentile of a piece, at least."""

_SCHEMA = {
    "piece": pl.Int64(),
    "system": pl.UInt8(),
    "start_s": pl.Float64(),
    "end_s": pl.Float64(),
    "cpu_s": pl.Float64(),
    "answered": pl.Int64(),
    "p50_s": pl.Float64(),
    "p95_s": pl.Float64(),
}


def pieces(record: Record, rows: pl.DataFrame) -> pl.DataFrame:
    """The pieces of a run with several servers; none of a run with one.

    Args:
        rows: all polls, arranged.

    Returns:
        frame(piece, system, start_s, end_s, cpu_s, answered, p50_s, p95_s): the borders, the CPU seconds of the server and
        the answers that it gave between the samples at them, null where a sample is missing; percentiles of the response of
        the endpoint that is polled most, over polls due within the borders, null where too few lie beyond.
    """
    borders = record.plan.borders(record.window_s)
    samples = record.resources().filter(pl.col("group") == "server")
    most = max(record.plan.rates.items(), key=lambda rate: rate[1])[0]
    made = []
    for system in range(record.plan.systems if len(borders) > 1 else 0):
        polls = rows.filter(pl.col("system") == system)
        seen = samples.filter(pl.col("instance") == system).sort("t_s")
        costs = list(_costs(borders, seen, polls))
        times = _times(borders, polls.filter(pl.col("endpoint") == most))
        made += [
            {"piece": number, "system": system, "start_s": borders[number], "end_s": borders[number + 1], **cost, **time}
            for number, (cost, time) in enumerate(zip(costs, times, strict=True))
        ]
    return pl.DataFrame(made, schema=_SCHEMA)


def _costs(borders: list[float], samples: pl.DataFrame, polls: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """CPU and answers between the first samples at or after each two neighbouring borders."""
    times, cpu = samples["t_s"], samples["cpu_s"]
    done = polls.filter(pl.col("status") > 0)["done_s"].sort()
    late_s = _LATE * (borders[1] - borders[0])
    places = [int(times.search_sorted(border)) for border in borders]
    known = [place < len(times) and times[place] - border <= late_s for place, border in zip(places, borders, strict=True)]
    counts = [int(done.search_sorted(times[place])) if there else 0 for place, there in zip(places, known, strict=True)]
    for number in range(len(borders) - 1):
        if known[number] and known[number + 1]:
            before, after = places[number], places[number + 1]
            yield {"cpu_s": cpu[after] - cpu[before], "answered": counts[number + 1] - counts[number]}
        else:
            yield {"cpu_s": None, "answered": None}


def _times(borders: list[float], polls: pl.DataFrame) -> list[dict[str, float | None]]:
    """Percentiles of the response, in seconds, by piece."""
    timed = polls.filter(pl.col("outcome").is_in(("ok", *UNANSWERED))).select("due_s", "response_s").sort("due_s")
    ends = [int(timed["due_s"].search_sorted(border)) for border in borders]
    found = []
    for start, end in pairwise(ends):
        times = timed["response_s"].slice(start, end - start)
        found.append({f"p{percent}_s": _percentile(times, percent) for percent in (50, 95)})
    return found


def _percentile(times: pl.Series, percent: int) -> float | None:
    if len(times) * (100 - percent) < 100 * FEWEST_BEYOND:
        return None
    return times.quantile(percent / 100, "nearest")
