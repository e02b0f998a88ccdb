"""A record of many hours, made of one of ten minutes: its parts are copied, and moved on in time.

    record = long_run(made_up(folder, Scenario(minutes=10)), folder, times=100)  # 66 million polls, about 1 GB

Rounds and instants of each copy follow those of the one before, so the long record is as whole as the short one: every poll
of its plan is there, once, and due where the plan puts it. Parts hold five seconds each, as a generator writes them. That is
so where a window has whole cycles of rounds of every device, and every poll of the short run ended within it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from experiments.record import reading, store
from experiments.record.reading import Record

PART_S = 5.0
"""As `measure` writes them."""
_TIMES = ("due_s", "ready_s", "sent_s", "done_s")
_GROWING = ("cpu_s", "steal_s")


def long_run(short: Record, folder: Path, times: int) -> Record:
    """Writes the record of a run that lasted so many times as long.

    Args:
        short: a sealed run of the article's two endpoints, under fixed pacing.
        folder: where the run directory is made; its name is that of the short one, and `-long`.
    """
    path = store.create(str(folder), f"{short.run_id}-long", short.scenario.short_hash)
    window_s, minutes = short.window_s, short.scenario.minutes * times
    parts = _copied(short, path, times)
    store.write_table(path / reading.SAMPLES, _samples(short, times))
    scenario = short.started["scenario"] | {"minutes": minutes}
    started = short.started | {"run_id": path.name, "scenario": scenario}
    started["plan"] = short.started["plan"] | {"window_s": window_s * times}
    store.write_json(path / "started.json", started)
    facts = short.facts | started | {"window_s": window_s * times, "totals": _times(short.facts["totals"], times)}
    facts["generator"] = _generator(short, times, parts)
    facts["server"] = _server(short.facts["server"], sum(rows for _, rows in parts.values()))
    store.write_json(path / "run.json", facts)
    return reading.load(path)


def _copied(short: Record, path: Path, times: int) -> dict[int, tuple[list[str], int]]:
    """Writes the parts; returns, of each generator, their checksums and how many rows they have."""
    window_s, count = short.window_s, max(1, short.scenario.generators)
    rows = short.requests().sort("done_s", maintain_order=True)
    rounds = round(window_s / short.plan.interval_s)
    first = pl.col("due_s").min().over("client", "round")
    measured = rows.filter(first >= 0)
    checksums: dict[int, list[str]] = {instance: [] for instance in range(count)}
    written = dict.fromkeys(range(count), 0)
    for copy in range(times):
        moved = (measured if copy else rows).with_columns(
            (pl.col("round") + rounds * copy).cast(pl.UInt32), *(pl.col(name) + window_s * copy for name in _TIMES)
        )
        for instance in range(count):
            own = moved.filter(pl.col("client") % count == instance)
            for part in own.with_columns(at=(pl.col("done_s") / PART_S).floor()).partition_by("at", include_key=False):
                file = path / "requests" / f"part-{instance}-{len(checksums[instance])}.parquet"
                store.write_table(file, part)
                checksums[instance].append(store.checksum(file))
            written[instance] += own.height
    return {instance: (checksums[instance], written[instance]) for instance in range(count)}


def _samples(short: Record, times: int) -> pl.DataFrame:
    """The samples of the window again and again, cumulative figures going on where they were."""
    samples, window_s = short.resources(), short.window_s
    inside = samples.filter(pl.col("t_s").is_between(0, window_s, closed="left"))
    grown = samples.group_by("group", "instance").agg(
        *((pl.col(name).last() - pl.col(name).first()).mul(window_s / (pl.col("t_s").last() - pl.col("t_s").first()))
          .alias(f"{name}_grown") for name in _GROWING)
    )  # fmt: skip
    copies = [samples.filter(pl.col("t_s") < window_s)]
    for copy in range(1, times):
        moved = inside.join(grown, on=["group", "instance"], maintain_order="left").with_columns(
            pl.col("t_s") + window_s * copy, *(pl.col(name) + copy * pl.col(f"{name}_grown") for name in _GROWING)
        )
        copies.append(moved.select(samples.columns))
    return pl.concat(copies)


def _times(counts: dict[str, int], times: int) -> dict[str, int]:
    return {name: number * times for name, number in counts.items()}


def _generator(short: Record, times: int, parts: dict[int, tuple[list[str], int]]) -> dict[str, Any]:
    generator: dict[str, Any] = dict(short.facts["generator"])
    generator["instances"] = [
        item
        | {
            "attempts": parts[item["instance"]][1],
            "checksums": item["checksums"] * times,
            "compared": _times(item["compared"], times),
            "parts": len(parts[item["instance"]][0]),
            "part_sha256": parts[item["instance"]][0],
            "rows": parts[item["instance"]][1],
        }
        for item in generator["instances"]
    ]
    return generator


def _server(server: dict[str, Any], served: int) -> dict[str, Any]:
    first, *others = server["workers"]
    rest = [worker | {"served": 0, "served_after": worker["served_before"]} for worker in others]
    return server | {"workers": [first | {"served": served, "served_after": first["served_before"] + served}, *rest]}
