"""Polls that are due at the same instant, as after a power cut: nobody can send them at the same instant.

Whoever sends them, sends one after the other: a generator, a tool in C, or a wire. So part of the lag of such a poll is its
place in the burst, and no fault. It is what the generator's own work on the polls before it took, by the processor time that
a poll cost it in this run; what is beyond that is lag like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from experiments.schedule import TICK_S, Plan

MOST_S = 50e-6
"""Processor time of a poll that counts as work on a burst, at most. Tools in C and Go take 16 to 75 us (docs/cost.md); a
generator that takes more is late by its own doing."""

_IN_BURST = ~pl.col("second") & (pl.col("ready_s") - pl.col("due_s") <= TICK_S)


def has_bursts(plan: Plan) -> bool:
    """Whether devices are due together."""
    return plan.phase == "together" and plan.clients > 1


def seconds_per_poll(instances: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Generator -> processor time that a poll cost it, `MOST_S` at most; 0 for one that left no word of it.

    Args:
        instances: what run.json says of the generators.
    """
    found = {}
    for one in instances:
        polls, cpu_s = one.get("attempts") or 0, one.get("cpu_s") or 0.0
        found[int(one["instance"])] = min(MOST_S, cpu_s / polls) if polls else 0.0
    return found


def with_places(rows: pl.DataFrame, per_poll_s: Mapping[int, float]) -> pl.DataFrame:
    """Adds `place_s`: how much of a poll's lag is its place in a burst, in seconds; 0 for one that is in none.

    Args:
        rows: arranged polls that were sent; a burst that is not whole in them gives its polls earlier places.
        per_poll_s: see `seconds_per_poll`; generators share devices out by number.
    """
    count = max(1, len(per_poll_s))
    costs = pl.Series([per_poll_s.get(number, 0.0) for number in range(count)], dtype=pl.Float64)
    generator = (pl.col("client") % count).cast(pl.Int64)
    ordered = pl.when(_IN_BURST).then("sent_s").rank("ordinal").over("due_s", generator)
    cost = generator.replace_strict(list(range(count)), costs, return_dtype=pl.Float64)
    place = ((ordered.cast(pl.Int64) - 1) * cost).fill_null(0.0)
    return rows.with_columns(place_s=pl.min_horizontal(place, pl.col("lag_s").clip(0.0)))


def widths(rows: pl.DataFrame, generators: int) -> pl.DataFrame:
    """From when each burst was due until its last poll was sent; each generator has its own.

    Args:
        rows: arranged polls of the measured window.

    Returns:
        frame(width_s) in seconds, in no order.
    """
    sent = rows.filter(_IN_BURST & pl.col("sent_s").is_not_null())
    each = sent.group_by("due_s", generator=pl.col("client") % max(1, generators)).agg(last_s=pl.col("sent_s").max())
    return each.select(width_s=pl.col("last_s") - pl.col("due_s"))
