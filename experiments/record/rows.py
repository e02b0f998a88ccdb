"""Collecting rows in a generator, and writing them away from its send loop.

`RowBuffer.add` is on the hot path: it appends plain numbers to typed arrays and nothing else. A thread turns full buffers
into Parquet parts; polars works without the interpreter lock, so the loop goes on sending meanwhile.
"""

from __future__ import annotations

import queue
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from experiments.record import store
from experiments.record.schema import ENDPOINTS, Columns

_TYPECODES = "IIBddddfHIBffd"
"""`array` codes of `schema.REQUESTS`, in its order; endpoint and outcome as their numbers. Failed checks are texts, so they
have a list; which server was polled follows from the device, and is filled in when rows are written."""

_MOST_BYTES = 2**32 - 1

NEVER = float("nan")
"""A time that never came; null in the record."""


class Rows(Protocol):
    """Rows of a shard that are not written yet."""

    def __len__(self) -> int: ...

    def recent_responses(self, most: int) -> list[float]:
        """Response times in seconds of the status polls among the latest `most` rows that are still held."""

    def take(self) -> Columns:
        """Hands over all columns and begins anew."""


class RowBuffer:
    """Rows of a shard, collected column by column.

    Times are passed on the monotonic clock and kept as seconds from `start_at`, the start of the measured window.
    """

    def __init__(self, start_at: float) -> None:
        self._start_at = start_at
        self._begin()

    def __len__(self) -> int:
        return len(self.columns[0])

    def add(
        self,
        client: int,
        round_: int,
        endpoint: int,
        due: float,
        ready: float,
        sent: float,
        done: float,
        connect_s: float,
        status: int,
        body_bytes: int,
        outcome: int,
        first_byte_s: float = NEVER,
        tls_s: float = NEVER,
        decoded_bytes: float = NEVER,
        failed_check: str | None = None,
    ) -> None:
        """Appends one poll; what is `NEVER` is not known."""
        start = self._start_at
        (clients, rounds, endpoints, dues, readies, sents, dones, connects, statuses, sizes, outcomes,
         first_bytes, handshakes, decodeds, failures) = self._appends  # fmt: skip
        clients(client)
        rounds(round_)
        endpoints(endpoint)
        dues(due - start)
        readies(ready - start)
        sents(sent - start)
        dones(done - start)
        connects(connect_s)
        statuses(status)
        # A body that never ends may be longer than the column can say, and a row must never break off.
        sizes(body_bytes if body_bytes < _MOST_BYTES else _MOST_BYTES)
        outcomes(outcome)
        first_bytes(first_byte_s)
        handshakes(tls_s)
        decodeds(decoded_bytes)
        failures(failed_check)

    def recent_responses(self, most: int) -> list[float]:
        c = self.columns
        latest = slice(-most, None)
        return [
            done - due for endpoint, due, done in zip(c[2][latest], c[3][latest], c[6][latest], strict=True) if not endpoint
        ]

    def take(self) -> Columns:
        full = self.columns
        self._begin()
        return full

    def _begin(self) -> None:
        self.columns: Columns = [*(array(code) for code in _TYPECODES), []]
        # PERF: methods that are bound already, a fifth of the time of a row less.
        self._appends = tuple(column.append for column in self.columns)


class PartWriter:
    """Writes parts of one generator from a thread of its own.

    A part is complete or absent. The first failure (a full disk, a folder that is gone) is kept in `error`, and what
    could not be written stays counted in `lost_rows`: the generator stops the run, and the record says what is missing.

    Args:
        endpoints: the names of the record's endpoints, for which rows have numbers.
        systems: the server that each device polls, by its number; empty where all poll the same.
    """

    def __init__(
        self, run_path: Path, instance: int, endpoints: tuple[str, ...] = ENDPOINTS, systems: Sequence[int] = ()
    ) -> None:
        self._run_path = run_path
        self._endpoints = endpoints
        self._systems = systems
        self.instance = instance
        self._queue: queue.SimpleQueue[Columns | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"part-writer-{instance}", daemon=True)
        self.parts = 0
        self.checksums: list[str] = []
        """Of the parts, in their order: a record shows whether they were changed since."""
        self.rows = 0
        self.lost_rows = 0
        self.error: Exception | None = None
        self._thread.start()

    def write(self, columns: Columns) -> None:
        """Queues a part; returns at once."""
        if len(columns[0]):
            self._queue.put(columns)

    def close(self, timeout_s: float = 60.0) -> None:
        """Waits until all that was queued is on disk, or has failed."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (columns := self._queue.get()) is not None:
            try:
                checksum = store.write_part(
                    self._run_path, self.instance, self.parts, columns, endpoints=self._endpoints, systems=self._systems
                )
            except Exception as error:  # noqa: BLE001 - a full disk, a folder that is gone, a fault in here: all lose rows
                self.error = self.error or error
                self.lost_rows += len(columns[0])
            else:
                self.parts += 1
                self.checksums.append(checksum)
                self.rows += len(columns[0])
