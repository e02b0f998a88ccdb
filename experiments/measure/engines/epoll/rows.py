"""Rows that compiled code writes, as records; a thread makes columns of them.

The same words as `record.rows.RowBuffer`, except that nothing is added here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from experiments.measure.engines.epoll.arrays import ROW, Record, Records
from experiments.record.schema import Columns

_ROOM = 16_384
"""Rows for which memory is taken at once: a megabyte."""


class FlatRows:
    """The rows of a shard that are not written yet.

    Args:
        shared: says in `rows` how many rows there are in `room`.
    """

    def __init__(self, shared: Record) -> None:
        self._shared = shared
        self._begin()

    def __len__(self) -> int:
        return _ROOM * len(self._full) + int(self._shared["rows"])

    def grow(self) -> None:
        """Makes room, if there is none."""
        if self._shared["rows"] == _ROOM:
            self._full.append(self.room)
            self._empty()

    def failed(self, check: str) -> None:
        """Names the expectation that failed with the latest row."""
        self._failed[len(self) - 1] = check

    def recent_responses(self, most: int) -> list[float]:
        """As `RowBuffer.recent_responses`."""
        latest = np.concatenate([one[-most:] for one in self._held()[-2:]])[-most:]
        first = latest[latest["endpoint"] == 0]
        return (first["done"] - first["due"]).tolist()  # type: ignore[no-any-return]

    def take(self) -> Columns:
        """Hands over all rows and begins anew."""
        full = _Taken(self._held(), self._failed)
        self._begin()
        return full

    def _held(self) -> list[Records]:
        return [*self._full, self.room[: self._shared["rows"]]]

    def _begin(self) -> None:
        self._full: list[Records] = []
        self._failed: dict[int, str] = {}
        self._empty()

    def _empty(self) -> None:
        self.room = np.empty(_ROOM, ROW)
        """Where rows go until it is full."""
        self._shared["rows"] = 0


class _Taken(Sequence[Any]):
    """Columns, each made when it is asked for: by the thread that writes them, not by the loop that handed them over."""

    def __init__(self, rows: list[Records], failed: dict[int, str]) -> None:
        self._rows, self._failed = rows, failed

    def __len__(self) -> int:
        return len(ROW.fields or ()) + 1

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Any: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        names = ROW.names or ()
        if place < len(names):
            return np.concatenate([rows[names[place]] for rows in self._rows])
        if place > len(names):
            raise IndexError(place)
        checks: list[str | None] = [None] * sum(map(len, self._rows))
        for row, check in self._failed.items():
            checks[row] = check
        return checks

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))
