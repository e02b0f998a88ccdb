"""The polls of a run as they lie on disk: many small files, of which no more are in memory than are being worked on.

Folder of parts -> batches of rows, and what is wrong with each file; knows nothing of what rows mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.record import tables
from experiments.record.state import Fault

if TYPE_CHECKING:
    import polars as pl

PART = re.compile(r"part-(\d+)-(\d+)\.parquet")
"""The name of a part: its generator, and which of that generator's."""
MOST_ROWS = 1_000_000
"""Of a batch: about 65 MB. A run of ten minutes at the default load is one."""
_READ_BYTES = 2_000_000
"""Of parts that are opened at once: 100,000 to 300,000 polls."""


class Parts:
    """The parts of a record.

    Args:
        folder: where they lie.
        shape: what each must have.
        written: name -> SHA-256 when it was written, where somebody left it.
    """

    def __init__(self, folder: Path, shape: tables.Shape, written: Mapping[str, str]) -> None:
        self._folder, self._shape, self._written = folder, shape, written
        self._faults: dict[Path, Fault | None] = {}
        """Of those that have been looked at."""

    @cached_property
    def paths(self) -> list[Path]:
        """By their numbers, so that what generators wrote at the same time is read at the same time."""
        return sorted(sorted(self._folder.glob("part-*-*.parquet")), key=lambda path: _place(path) or (-1, -1))

    @property
    def numbers(self) -> list[tuple[int, int]]:
        """(number, generator) of each."""
        return [place for path in self.paths if (place := _place(path))]

    @property
    def readable(self) -> list[Path]:
        """Those that can be read, have the right columns and are what was written."""
        return [path for path in self.paths if not self.fault(path)]

    @property
    def count(self) -> int:
        """How many polls there are in them."""
        return sum(batch.height for batch in self.batches(["client"]))

    def fault(self, path: Path) -> Fault | None:
        """What is wrong with a part."""
        if path not in self._faults:
            self._faults[path] = tables.fault(path, self._shape, self._written.get(path.name))
        return self._faults[path]

    def batches(self, wanted: Sequence[str] | None = None, most_rows: int = MOST_ROWS) -> Iterator[pl.DataFrame]:
        """All rows but those of damaged parts, each generator's in the order of its parts; at least one batch, maybe empty.

        Args:
            wanted: columns; None for all.
            most_rows: of a batch, about.
        """
        import polars as pl

        held = [self._shape.empty(wanted)]
        for frames in self._read(wanted):
            held += frames
            if sum(frame.height for frame in held) >= most_rows:
                yield pl.concat(held)
                held = []
        if held:
            yield pl.concat(held)

    def _read(self, wanted: Sequence[str] | None) -> Iterator[list[pl.DataFrame]]:
        """Some parts at a time; the next ones are read while the caller works."""
        groups = list(self._groups())
        with ThreadPoolExecutor(1, "reading") as reader:
            ahead = [reader.submit(tables.read_all, group, self._shape, wanted) for group in groups[:1]]
            for following in [*groups[1:], None]:
                if not ahead:
                    return
                frames, faults = ahead.pop().result()
                if following:
                    ahead.append(reader.submit(tables.read_all, following, self._shape, wanted))
                self._faults.update(faults)
                yield frames

    def _groups(self) -> Iterator[dict[Path, str | None]]:
        """Parts that are opened at once, each with its checksum."""
        some: dict[Path, str | None] = {}
        size = 0
        for path in self.paths:
            with suppress(OSError):
                size += path.stat().st_size
            some[path] = self._written.get(path.name)
            if size >= _READ_BYTES:
                yield some
                some, size = {}, 0
        if some:
            yield some


def _place(path: Path) -> tuple[int, int] | None:
    match = PART.fullmatch(path.name)
    return (int(match[2]), int(match[1])) if match else None
