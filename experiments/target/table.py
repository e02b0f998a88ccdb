"""The device table: a CSV or Parquet file in, its columns and rows out."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import ParameterError
from experiments.target.requests.templates import RESERVED, Value


@dataclass(frozen=True)
class Table:
    """Devices, a row each; device 0 is the first row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def row(self, client: int) -> Mapping[str, Value]:
        """Values of a device by column."""
        return dict(zip(self.columns, self.rows[client], strict=True))


NONE = Table((), ())
"""No table."""


def read(path: Path, at: str) -> Table:
    """Reads a table; values of a CSV file are texts, those of Parquet keep whole numbers and decimals.

    Args:
        at: file and line where the table is named, for sentences.

    Raises:
        ParameterError: it is not there, cannot be read, or its columns make no sense.
    """
    if not path.is_file():
        raise ParameterError(f"{at}: there is no device table {path}.")
    try:
        table = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ParameterError(f"{at}: the device table {path} cannot be read: {error}.") from None
    _check_columns(table.columns, path, at)
    if not table.rows:
        raise ParameterError(f"{at}: the device table {path} has no row.")
    return table


def _csv(path: Path) -> Table:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, strict=True)
        columns = tuple(name.strip() for name in next(lines, []))
        rows: list[tuple[str, ...]] = []
        for row in lines:
            if not row:
                continue
            if len(row) != len(columns):
                raise ValueError(f"line {lines.line_num} has {len(row)} values, the first line names {len(columns)} columns")
            rows.append(tuple(value.strip() for value in row))
    return Table(columns, tuple(rows))


def _parquet(path: Path) -> Table:
    # Polars takes 40 MB and half a second to load: only who has a Parquet table pays for it.
    import polars as pl

    try:
        frame = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error).partition("\n")[0]) from None
    empty = [name for name in frame.columns if frame[name].null_count()]
    if empty:
        raise ValueError(f"column {empty[0]!r} has rows without a value")
    return Table(tuple(frame.columns), tuple(tuple(_plain(value) for value in row) for row in frame.iter_rows()))


def _plain(value: object) -> Value:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _check_columns(columns: tuple[str, ...], path: Path, at: str) -> None:
    taken = [name for name in columns if name in RESERVED and name != "id"]
    if taken:
        raise ParameterError(f"{at}: column {taken[0]!r} of {path} has the name of a template; give it another.")
    if len(set(columns)) < len(columns) or not all(columns):
        raise ParameterError(f"{at}: the first line of {path} must name each column, and each differently.")
