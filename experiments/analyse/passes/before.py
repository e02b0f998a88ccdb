"""What a device's poll must know of the one before it, also where that was in an earlier batch.

Batch of arranged polls -> columns beside it.
"""

from __future__ import annotations

import polars as pl


class Before:
    """What is known of the row before, of the same device, also where that was in an earlier batch.

    Args:
        names: the columns that are asked for.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self._last: pl.DataFrame | None = None
        """Of each device: frame(client, *names)."""

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Frame(*names) beside rows, null where there was none before; each device's rows must stand together."""
        begins = changes(rows, 1)
        known = self._known(rows.filter(begins))
        places = begins.arg_true()
        found = [rows[name].shift().scatter(places, known[name]) for name in self._names]
        self.keep(rows.filter(changes(rows, -1)).select("client", *self._names))
        return pl.DataFrame(found)

    def at_begin(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Frame(*names) beside rows: at each device's first row what was kept of it, and null at all others."""
        begins = changes(rows, 1)
        known, places = self._known(rows.filter(begins)), begins.arg_true()
        found = [_nulls(rows.height, known[name].dtype).scatter(places, known[name]) for name in self._names]
        return pl.DataFrame([one.alias(name) for one, name in zip(found, self._names, strict=True)])

    def keep(self, ends: pl.DataFrame) -> None:
        """Notes devices' last row: frame(client, *names)."""
        others = [] if self._last is None else [self._last.join(ends, on="client", how="anti")]
        self._last = pl.concat([*others, ends])

    def _known(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self._last is None:
            kinds = {name: rows.schema.get(name, pl.Float64()) for name in self._names}
            return pl.DataFrame([_nulls(rows.height, kind).alias(name) for name, kind in kinds.items()])
        return rows.select("client").join(self._last, on="client", how="left", maintain_order="left").select(self._names)


def _nulls(count: int, kind: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=kind).new_from_index(0, count)


def changes(rows: pl.DataFrame, step: int) -> pl.Series:
    """Whether the row before (1) or after (-1) is another device's."""
    return (rows["client"] != rows["client"].shift(step)).fill_null(value=True)
