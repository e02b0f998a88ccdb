"""Records that somebody damaged: copies of a valid one, changed in one way each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from experiments.record import store
from experiments.record.reading import Record, load
from experiments.runner import summarise


def damaged(honest: Record, change: Callable[[Path], None], *, vouched: bool = False) -> Record:
    """A copy of a valid record, beside it, with the last of its parts changed.

    Args:
        vouched: the checksum of the part is changed along with it, so that only its rows can tell.
    """
    copy = honest.path.with_name(f"{honest.path.name}-{change.__name__}")
    shutil.copytree(honest.path, copy)
    part = sorted((copy / "requests").glob("part-*.parquet"))[-1]
    change(part)
    if vouched:
        _vouch(load(copy), part)
    return summarise(load(copy))


def _vouch(record: Record, part: Path) -> None:
    facts = record.facts
    _, instance, number = part.stem.split("-")
    for item in facts["generator"]["instances"]:
        if item["instance"] == int(instance) and item.get("part_sha256"):
            item["part_sha256"][int(number)] = store.checksum(part)
    store.write_json(record.path / "run.json", facts)


def rows_removed(part: Path) -> None:
    frame = pl.read_parquet(part, glob=False)
    middle = frame.height // 2
    pl.concat([frame.head(middle), frame.slice(middle + 3)]).write_parquet(part)


def rows_doubled(part: Path) -> None:
    frame = pl.read_parquet(part, glob=False)
    pl.concat([frame, frame.slice(frame.height // 2, 3)]).write_parquet(part)


def rows_altered(part: Path) -> None:
    """The slowest answers made fast: what somebody would do who wants a better figure."""
    frame = pl.read_parquet(part, glob=False)
    quick = pl.col("sent_s") + (pl.col("done_s") - pl.col("sent_s")).clip(upper_bound=0.0005)
    frame.with_columns(done_s=pl.when(pl.col("outcome") == "ok").then(quick).otherwise("done_s")).write_parquet(part)


def part_lost(part: Path) -> None:
    part.unlink()
