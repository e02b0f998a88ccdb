"""Records that somebody damaged: copies of an honest one, changed in one way each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from experiments.record.reading import Record, load
from experiments.runner import summarise


def damaged(honest: Record, change: Callable[[Path], None]) -> Record:
    """A copy of an honest record, beside it, with the last of its parts changed."""
    copy = honest.path.with_name(f"{honest.path.name}-{change.__name__}")
    shutil.copytree(honest.path, copy)
    change(sorted((copy / "requests").glob("part-*.parquet"))[-1])
    return summarise(load(copy))


def rows_removed(part: Path) -> None:
    frame = pl.read_parquet(part)
    middle = frame.height // 2
    pl.concat([frame.head(middle), frame.slice(middle + 3)]).write_parquet(part)


def rows_doubled(part: Path) -> None:
    frame = pl.read_parquet(part)
    pl.concat([frame, frame.slice(frame.height // 2, 3)]).write_parquet(part)


def rows_altered(part: Path) -> None:
    """The slowest answers made fast: what somebody would do who wants a better figure."""
    frame = pl.read_parquet(part)
    quick = pl.col("sent_s") + (pl.col("done_s") - pl.col("sent_s")).clip(upper_bound=0.0005)
    frame.with_columns(done_s=pl.when(pl.col("outcome") == "ok").then(quick).otherwise("done_s")).write_parquet(part)


def part_lost(part: Path) -> None:
    part.unlink()
