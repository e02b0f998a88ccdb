"""One Parquet file of a record: read once, compared with the checksum that run.json has of it, then opened.

Path -> `Table`: the rows, or why there are none. A file is opened from its bytes and never by its name, so no name can be
taken for a pattern, and what is compared is what is shown.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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


def read(
    path: Path, columns: tuple[schema.Column, ...], written: str | None, endpoints: tuple[str, ...] = schema.ENDPOINTS
) -> Table:
    """Opens a file of the record.

    A Parquet file as polars writes it has no checksums inside: a bit that flips changes figures without an error, or takes
    the reader down.

    Args:
        columns: what it must have.
        written: its SHA-256 when it was written; None where nobody left it, as in a run that broke off.
        endpoints: the names that the record's polls may have.
    """
    import polars as pl

    try:
        content = path.read_bytes()
        if written is not None and digest(content) != written:
            return Table(None, Fault.CHANGED)
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError):
        return Table(None, Fault.UNREADABLE)
    wanted = schema.dtypes(columns, endpoints)
    # An older lab kept less: what it did not look at is null.
    later = {column.name for column in columns if column.later} - {*frame.columns}
    frame = frame.with_columns(pl.lit(None, dtype=wanted[name]).alias(name) for name in sorted(later))
    if {*frame.columns} != {*wanted}:
        return Table(None, Fault.UNREADABLE)
    frame = frame.select(*wanted)
    # Outcomes are added at the end, so an older lab's words are the first of ours.
    kind, ours = frame.schema.get("outcome"), wanted.get("outcome")
    if isinstance(kind, pl.Enum) and isinstance(ours, pl.Enum) and kind != ours:
        words = kind.categories.to_list()
        if words == ours.categories.to_list()[: len(words)]:
            frame = frame.with_columns(pl.col("outcome").cast(ours))
    return Table(frame) if frame.schema == wanted else Table(None, Fault.UNREADABLE)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits, as run.json keeps it."""
    return hashlib.sha256(content).hexdigest()
