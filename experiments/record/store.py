"""The run directory: made once, appended to, sealed.

    <results_dir>/<run_id>/
        .reserve                           room for what is written last, on a disk that is full by then
        started.json                       what was asked, written before the load
        requests/part-<instance>-<n>.parquet
        resources.parquet
        server.log
        run.json                           written last: without it the run is unfinished
        summary.json, clients.parquet      made from the above, at any time

Knows files and columns; knows neither how rows come about nor what they mean. Every write is atomic (a temporary name,
then a rename), so a reader sees a file whole or not at all.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.errors import ParameterError, RecordError
from experiments.record import reading, schema, tables
from experiments.record.parts import PART
from experiments.record.reading import Record
from experiments.record.schema import Columns

if TYPE_CHECKING:
    import polars as pl


BESIDE = {"run.ipynb", "papermill.log"}
"""What may lie in the directory of a run before it: the notebook that is being executed, and what is said of that."""

_TIMES = ("due_s", "ready_s", "sent_s", "done_s")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How polars says which error of the operating system it met, if it raises one of its own."""
_RESERVE = ".reserve"
_LEAST_RESERVE_BYTES = 256 * 1024
_SUMMARY_BYTES = 64 * 1024
"""summary.json and clients.parquet of 500 devices take 40 KB; those of more can be made elsewhere."""


def create(results_dir: str, run_id: str, short_hash: str) -> Path:
    """Makes the directory of a new run; one that holds anything but the notebook that measures is never touched.

    Args:
        results_dir: where run directories live; empty for the project's `results/`.
        run_id: the name asked for; empty for UTC time, `short_hash` and a repeat number.
        short_hash: tells scenarios apart; repeats of one scenario are numbered from 1.

    Raises:
        ParameterError: the folder cannot be written, or a run of that name exists.
    """
    parent = reading.results_dir(results_dir)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        path = _new_folder(parent, run_id, short_hash)
        (path / "requests").mkdir()
    except FileExistsError:
        raise ParameterError(
            f"run_id={run_id!r}: {parent} holds a run or a file of that name already, and earlier runs are never "
            "overwritten; choose another run_id or leave it empty."
        ) from None
    except OSError as error:
        raise ParameterError(
            f"results_dir={results_dir!r}: {parent} cannot be written ({error.strerror}); name a folder that can."
        ) from None
    return path.resolve()


def _new_folder(parent: Path, run_id: str, short_hash: str) -> Path:
    if run_id:
        place = parent / run_id
        # A link may lead anywhere, also to an empty folder of somebody else's.
        if place.is_symlink() or not place.is_dir() or {path.name for path in place.iterdir()} - BESIDE:
            place.mkdir()
        return place
    repeat = 1 + sum(1 for _ in parent.glob(f"*-{short_hash}-*"))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    while True:
        path = parent / f"{stamp}-{short_hash}-{repeat}"
        try:
            path.mkdir()
        except FileExistsError:
            repeat += 1
        else:
            return path


def begin(path: Path, facts: Mapping[str, Any], *, last_bytes: int = 0) -> None:
    """Writes what is known of a run before its load, and keeps room for what is known after it.

    Args:
        last_bytes: most that run.json will take.

    Raises:
        RecordError: it cannot be written, so a run would be for nothing.
    """
    try:
        _reserve(path / _RESERVE, max(_LEAST_RESERVE_BYTES, last_bytes + _SUMMARY_BYTES))
        write_json(path / "started.json", facts)
    except OSError as error:
        _take_back(path)  # It is of this moment, and would be in the way of the next attempt.
        raise RecordError(
            f"{path} cannot be written ({error.strerror}), so nothing was started: make room there, or name another "
            "results_dir."
        ) from None


def _take_back(path: Path) -> None:
    """Removes the directory of a run that did not begin; not the notebook in it, which tells why."""
    for made in path.iterdir():
        if made.name not in BESIDE:
            shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)
    with suppress(OSError):
        path.rmdir()


def _reserve(path: Path, size: int) -> None:
    """Written and not only asked for: a hole in a file is no room."""
    piece = bytes(1 << 20)
    with path.open("wb", buffering=0) as file:
        while size > 0:
            size -= file.write(piece[:size])


def amend(path: Path, facts: Mapping[str, Any]) -> None:
    """Writes what is known before the load again, since more is; run.json will tell it too, if it cannot be written now."""
    with suppress(OSError):
        write_json(path / "started.json", facts)


def seal(path: Path, facts: Mapping[str, Any]) -> None:
    """Writes what is known of a run after its load; the record is whole then.

    Raises:
        RecordError: it cannot be written; the sentence says what of the run is there.
    """
    try:
        (path / _RESERVE).unlink(missing_ok=True)
        write_json(path / "run.json", facts)
    except OSError as error:
        cut_short = f"; it was cut short before: {facts['cut_short']}" if facts.get("cut_short") else ""
        raise RecordError(
            f"the record of this run could not be completed ({error.strerror}){cut_short}. {_kept(path)}"
        ) from None


def _kept(path: Path) -> str:
    if not (path / "started.json").is_file():
        return f"Nothing of it is left: {path} is gone."
    rows = Record(path).rows
    kept = f"{rows.count:,} polls in {len(rows.readable):,} parts are kept in {path}"
    return f"{kept}; run_dir shows them as those of an unfinished run."


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole or not at all.

    Raises:
        OSError: the disk is full, the folder is gone.
    """
    _atomically(path, lambda part: part.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n"))


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Writes a Parquet file whole or not at all.

    Raises:
        OSError: the disk is full, the folder is gone.
    """
    import polars as pl

    try:
        _atomically(path, lambda part: frame.write_parquet(part, compression="zstd", statistics=False))
    except (OSError, pl.exceptions.PolarsError) as error:
        # polars calls a full disk a fault of its own, and leaves the number of others in their text; of some not even that.
        number = _OS_ERROR.search(str(error))
        code = int(number[1]) if number else errno.EIO
        reason = os.strerror(code) if number else " ".join(str(error).split())[:200]
        raise OSError(code, reason, str(path)) from None


def write_part(
    run_path: Path,
    instance: int,
    number: int,
    columns: Columns,
    *,
    endpoints: tuple[str, ...] = schema.ENDPOINTS,
    systems: Sequence[int] = (),
) -> str:
    """Writes the rows collected by one generator as its part `number`.

    Args:
        columns: one array per column of `schema.REQUESTS` but the last; endpoint and outcome as numbers, NaN for what is
            not known, failed checks as texts or None.
        endpoints: the names that the numbers stand for.
        systems: the server that each device polls, by its number; empty where all poll the same.

    Returns:
        The `checksum` of the file.
    """
    import polars as pl

    collected: dict[str, pl.DataType] = {"decoded_bytes": pl.Float64()}  # NaN where it is not known
    wanted = schema.dtypes(schema.REQUESTS, endpoints)
    polled = wanted.pop("system")
    words = {name: dtype for name, dtype in wanted.items() if isinstance(dtype, pl.Enum)}
    frame = pl.DataFrame(
        [
            pl.Series(name, column, dtype=collected.get(name) or (pl.UInt8() if name in words else wanted[name]))
            for name, column in zip(wanted, columns, strict=True)
        ]
    ).with_columns(
        *(pl.col(name).cat.to(dtype) for name, dtype in words.items()),
        (pl.col(_TIMES) / schema.TICK_S + 0.5).floor().mul(schema.TICK_S).fill_nan(None),
        pl.col("connect_s", "tls_s").fill_nan(None),
        # As exact as the instants that it lies between: finer bits are noise, and noise does not compress.
        pl.col("first_byte_s").mul(1 / schema.TICK_S).add(0.5).floor().mul(schema.TICK_S).fill_nan(None),
        pl.col("decoded_bytes").fill_nan(None).cast(wanted["decoded_bytes"]),
    )
    of_device = pl.Series(systems, dtype=polled).gather(frame["client"]) if systems else pl.lit(None, dtype=polled)
    frame = frame.with_columns(system=of_device)
    path = run_path / "requests" / f"part-{instance}-{number}.parquet"
    write_table(path, frame)
    return checksum(path)


def keep_part(run_path: Path, name: str, content: bytes) -> None:
    """Keeps a part that was written on another machine, whole or not at all.

    Raises:
        OSError: the disk is full, the folder is gone, or it is not the name of a part.
    """
    if not PART.fullmatch(name):
        raise OSError(f"{name!r} is no name of a part")
    _atomically(run_path / "requests" / name, lambda part: part.write_bytes(content))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return tables.digest(path.read_bytes())


def _atomically(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(part)
        part.replace(path)
    finally:
        with suppress(OSError):  # The disk may have turned read-only; that is said already.
            part.unlink(missing_ok=True)


def sweep(run_path: Path, instance: int) -> None:
    """Removes what a generator that was killed had begun to write; it must be gone."""
    with suppress(OSError):
        for part in (run_path / "requests").glob(f".part-{instance}-*.tmp"):
            part.unlink(missing_ok=True)
