"""Parquet files of a record: each read once, compared with the checksum that run.json has of it, then opened.

Path -> `Table`: the rows, or why there are none. A file is opened from its bytes and never by its name, so no name can be
taken for a pattern, and what is compared is what is shown.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.record import schema
from experiments.record.state import Fault

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Table:
    """What a file holds."""

    frame: pl.DataFrame | None
    """None where there is a fault."""
    fault: Fault | None = None


@dataclass(frozen=True)
class Shape:
    """What a file must have."""

    columns: tuple[schema.Column, ...]
    endpoints: tuple[str, ...] = schema.ENDPOINTS
    """The names that the record's polls may have."""

    def empty(self, wanted: Sequence[str] | None = None) -> pl.DataFrame:
        """No rows of these columns; of all where none are named."""
        import polars as pl

        frame = pl.DataFrame(schema=schema.dtypes(self.columns, self.endpoints))
        return frame.select(wanted) if wanted else frame

    def fitted(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """The rows with all columns of this shape, in its order; None where they are not of it."""
        import polars as pl

        wanted = schema.dtypes(self.columns, self.endpoints)
        if frame.schema == wanted:
            return frame
        # An older lab kept less: what it did not look at is null.
        later = {column.name for column in self.columns if column.later} - {*frame.columns}
        frame = frame.with_columns(pl.lit(None, dtype=wanted[name]).alias(name) for name in sorted(later))
        if {*frame.columns} != {*wanted}:
            return None
        frame = frame.select(*wanted)
        # Outcomes are added at the end, so an older lab's words are the first of ours.
        kind, ours = frame.schema.get("outcome"), wanted.get("outcome")
        if isinstance(kind, pl.Enum) and isinstance(ours, pl.Enum) and kind != ours:
            words = kind.categories.to_list()
            if words == ours.categories.to_list()[: len(words)]:
                frame = frame.with_columns(pl.col("outcome").cast(ours))
        return frame if frame.schema == wanted else None


def read(path: Path, shape: Shape, written: str | None) -> Table:
    """Opens a file of the record.

    A Parquet file as polars writes it has no checksums inside: a bit that flips changes figures without an error, or takes
    the reader down.

    Args:
        shape: what it must have.
        written: its SHA-256 when it was written; None where nobody left it, as in a run that broke off.
    """
    content = _content(path, written)
    return content if isinstance(content, Table) else _opened([content], shape)


def read_all(
    files: Mapping[Path, str | None], shape: Shape, wanted: Sequence[str] | None = None
) -> tuple[list[pl.DataFrame], dict[Path, Fault | None]]:
    """Opens files of the record, many small ones at once: that takes half the time.

    Args:
        files: path -> SHA-256, see `read`.
        wanted: the columns that are needed; None for all.

    Returns:
        The rows of those that could be read, and what is wrong with each.
    """
    contents = {path: _content(path, written) for path, written in files.items()}
    whole = [content for content in contents.values() if isinstance(content, bytes)]
    together = _opened(whole, shape, wanted) if whole else Table(None)
    if together.frame is not None:
        return [together.frame], {path: None if isinstance(one, bytes) else one.fault for path, one in contents.items()}
    # One of them is another than the rest, or cannot be read: each for itself.
    tables = {path: one if isinstance(one, Table) else _opened([one], shape, wanted) for path, one in contents.items()}
    return [one.frame for one in tables.values() if one.frame is not None], {path: one.fault for path, one in tables.items()}


def fault(path: Path, shape: Shape, written: str | None) -> Fault | None:
    """What is wrong with a file; where its checksum vouches for its rows, they are not looked at."""
    import polars as pl

    content = _content(path, written)
    if isinstance(content, Table) or written is None:
        return (content if isinstance(content, Table) else _opened([content], shape)).fault
    try:
        empty = pl.DataFrame(schema=pl.read_parquet_schema(io.BytesIO(content)))
    except _unreadable():
        return Fault.UNREADABLE
    return None if shape.fitted(empty) is not None else Fault.UNREADABLE


def _content(path: Path, written: str | None) -> bytes | Table:
    """The bytes of a file; a table without rows where they are not what was written."""
    try:
        content = path.read_bytes()
    except (OSError, MemoryError):
        return Table(None, Fault.UNREADABLE)
    return content if written is None or digest(content) == written else Table(None, Fault.CHANGED)


def _opened(contents: Sequence[bytes], shape: Shape, wanted: Sequence[str] | None = None) -> Table:
    """The rows of files that have the same columns."""
    import polars as pl

    try:
        sources: list[Any] = [io.BytesIO(one) for one in contents]
        rows = pl.scan_parquet(sources, glob=False)
        if wanted and rows.collect_schema() == schema.dtypes(shape.columns, shape.endpoints):
            return Table(rows.select(wanted).collect())
        fitted = shape.fitted(rows.collect())
    except _unreadable():
        return Table(None, Fault.UNREADABLE)
    if fitted is None:
        return Table(None, Fault.UNREADABLE)
    return Table(fitted.select(wanted) if wanted else fitted)


def _unreadable() -> tuple[type[BaseException], ...]:
    """What polars raises of a damaged file."""
    import polars as pl

    return (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits, as run.json keeps it."""
    return hashlib.sha256(content).hexdigest()
