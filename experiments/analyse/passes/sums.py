"""Sums over many batches, by group: what `group_by(...).agg(...)` gives of all rows at once.

Knows nothing of what is summed.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_UNMERGED = 100_000
"""As many groups wait to be put together with the others, at least."""


class Sums:
    """Groups of rows, and a sum or an extreme of each column.

    Args:
        keys: the columns that name a group.
        aggregates: name -> what is made of a batch's rows of a group.
        most: of these, those of which the largest counts and not the sum.
    """

    def __init__(self, keys: tuple[str, ...], aggregates: Mapping[str, pl.Expr], most: tuple[str, ...] = ()) -> None:
        self._keys, self._aggregates = keys, dict(aggregates)
        again = {name: pl.col(name).max() if name in most else pl.col(name).sum() for name in aggregates}
        self._again = again
        self._frames: list[pl.DataFrame] = []
        self._merged_groups = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Adds a batch; also an empty one, so that the columns are known."""
        self._frames.append(rows.group_by(*self._keys).agg(**self._aggregates))
        if sum(frame.height for frame in self._frames[1:]) > max(self._merged_groups, _UNMERGED):
            self.frame()

    def frame(self) -> pl.DataFrame:
        """All groups, in no order: frame(*keys, *aggregates)."""
        if len(self._frames) > 1:
            self._frames = [pl.concat(self._frames).group_by(*self._keys).agg(**self._again)]
        self._merged_groups = self._frames[0].height
        return self._frames[0]
