"""The run directory: what goes in comes out, whole or not at all."""

import errno
import json
import math
from pathlib import Path

import polars as pl
import pytest

from experiments.errors import ParameterError, RecordError
from experiments.record import reading, schema, store
from experiments.record.rows import NEVER, PartWriter, RowBuffer
from experiments.record.schema import Outcome
from experiments.record.state import Fault, Gap, GapKind
from experiments.scenario import Scenario


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """A run directory as it is when the load begins."""
    path = store.create(str(tmp_path), "a-run", "abcd1234")
    started = {"schema_version": schema.SCHEMA_VERSION, "run_id": path.name, "scenario": Scenario().model_dump()}
    store.write_json(path / "started.json", started)
    return path


def some_rows(count: int, *, first_round: int = 1) -> RowBuffer:
    rows = RowBuffer(start_at=1000.0)
    for number in range(count):
        due = 1000.5 + number
        rows.add(number, first_round, 0, due, due, due + 0.001, due + 0.002, 0.0, 200, 100, Outcome.OK)
    return rows


def test_rows_come_back_as_they_were_within_a_tick(run_path: Path) -> None:
    """Offsets, words and nulls survive the way through Parquet."""
    rows = some_rows(3)
    rows.add(9, 7, 1, 1002.0, NEVER, NEVER, 1060.0, math.nan, 0, 0, Outcome.UNSENT_BUSY)
    store.write_part(run_path, 0, 0, rows.take())
    frame = reading.load(run_path).requests().sort("client")
    assert frame.schema == schema.dtypes(schema.REQUESTS)
    first, last = frame.row(0, named=True), frame.row(3, named=True)
    assert (first["endpoint"], first["outcome"], first["status"], first["bytes"]) == ("status", "ok", 200, 100)
    assert [first[name] for name in ("due_s", "sent_s", "done_s")] == pytest.approx([0.5, 0.501, 0.502], abs=schema.TICK_S)
    assert (last["endpoint"], last["outcome"], last["due_s"], last["done_s"]) == ("bulk", "unsent_busy", 2.0, 60.0)
    assert [last[name] for name in ("ready_s", "sent_s", "connect_s")] == [None, None, None]
    assert len(rows) == 0


def test_the_writer_numbers_its_parts_and_counts_its_rows(run_path: Path) -> None:
    """Parts are numbered without a gap, an empty buffer makes none, and closing waits for all of them."""
    writer = PartWriter(run_path, 3)
    for first_round in (1, 2):
        writer.write(some_rows(5, first_round=first_round).take())
        writer.write(some_rows(0).take())
    writer.close()
    assert (writer.parts, writer.rows, writer.lost_rows, writer.error) == (2, 10, 0, None)
    assert sorted(path.name for path in (run_path / "requests").iterdir()) == ["part-3-0.parquet", "part-3-1.parquet"]
    assert reading.load(run_path).requests().height == 10


def test_the_writer_says_what_it_could_not_write(run_path: Path) -> None:
    """When the folder is gone, the loss is counted and the reason kept; nothing is raised into the send loop."""
    writer = PartWriter(run_path, 0)
    writer.write(some_rows(2).take())
    writer.close()
    (run_path / "requests" / "part-0-0.parquet").unlink()
    (run_path / "requests").rmdir()
    writer = PartWriter(run_path, 0)
    writer.write(some_rows(4).take())
    writer.close()
    assert writer.lost_rows == 4
    assert isinstance(writer.error, OSError)


def test_an_unfinished_run_says_that_it_is(run_path: Path) -> None:
    """Without run.json a record can be read, and names what is missing."""
    store.write_part(run_path, 0, 0, some_rows(4).take())
    record = reading.load(run_path)
    assert not record.finished
    assert record.requests().height == 4
    assert record.window_s == pytest.approx(3.502, abs=1e-6)
    assert record.gaps[0].kind is GapKind.SEAL
    assert record.scenario == Scenario()


def test_lost_and_damaged_parts_are_named(run_path: Path) -> None:
    """A gap in the numbers, a part fewer than run.json counts and a file of rubbish are each told."""
    for number in (0, 2):
        store.write_part(run_path, 0, number, some_rows(1).take())
    (run_path / "requests" / "part-1-0.parquet").write_bytes(b"PAR1 rubbish")
    facts = {"window_s": 600.0, "generator": {"instances": [{"instance": 0, "parts": 4}, {"instance": 1, "parts": 1}]}}
    store.write_json(run_path / "run.json", reading.load(run_path).started | facts)
    record = reading.load(run_path)
    assert record.gaps[:3] == (
        Gap(GapKind.ROWS, "part-1-0.parquet", Fault.UNREADABLE),
        Gap(GapKind.ROWS, "part-0-1.parquet"),
        Gap(GapKind.ROWS, "part-0-3.parquet"),
    )
    assert record.missing[:3] == tuple(map(str, record.gaps[:3]))
    assert record.requests().height == 2


def test_an_existing_run_is_never_touched(tmp_path: Path) -> None:
    """Asking for the same run_id again is refused."""
    path = store.create(str(tmp_path), "mine", "abcd1234")
    (path / "note").write_text("keep")
    with pytest.raises(ParameterError, match="never overwritten"):
        store.create(str(tmp_path), "mine", "abcd1234")
    assert (path / "note").read_text() == "keep"


def test_repeats_of_a_scenario_are_numbered(tmp_path: Path) -> None:
    """Without a run_id the name is UTC time, scenario hash and repeat number."""
    names = [store.create(str(tmp_path), "", short_hash).name for short_hash in ("aaaaaaaa", "aaaaaaaa", "bbbbbbbb")]
    assert [name.split("-", 1)[1] for name in names] == ["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb-1"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A results_dir below a file is no folder, for root as well."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="cannot be written"):
        store.create(str(tmp_path / "file" / "results"), "", "abcd1234")


def test_a_write_that_fails_leaves_nothing_behind(run_path: Path) -> None:
    """JSON with NaN is refused, the old file stays, and no temporary file remains."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write_json(run_path / "started.json", {"x": math.nan})
    assert json.loads((run_path / "started.json").read_text())["run_id"] == "a-run"
    assert sorted(path.name for path in run_path.iterdir()) == ["requests", "started.json"]


@pytest.mark.parametrize("content", [None, "{}", '{"schema_version": 99}', "[1]", "{"])
def test_what_is_no_record_is_refused_in_words(tmp_path: Path, content: str | None) -> None:
    """An empty folder, a newer schema and broken JSON each give a sentence."""
    if content is not None:
        (tmp_path / "started.json").write_text(content)
    with pytest.raises(RecordError):
        reading.load(tmp_path)


def test_a_record_without_rows_is_an_empty_table(run_path: Path) -> None:
    """Nothing measured is nothing, with the right columns."""
    record = reading.load(run_path)
    assert record.requests().schema == schema.dtypes(schema.REQUESTS)
    assert record.resources().schema == schema.dtypes(schema.RESOURCES)
    assert record.requests().height == 0
    assert record.window_s == 0.0


def test_every_column_has_its_meaning() -> None:
    """No column of the contract is without a sentence."""
    assert all(column.meaning for column in (*schema.REQUESTS, *schema.RESOURCES))
    assert pl.DataFrame(schema=schema.dtypes(schema.REQUESTS)).columns == [
        "client", "round", "endpoint", "due_s", "ready_s", "sent_s", "done_s", "connect_s", "status", "bytes", "outcome",
        "first_byte_s", "tls_s", "decoded_bytes", "failed_check", "system",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code"),
    [("No space left on device (os error 28)", errno.ENOSPC), ("failed to flush the writer", errno.EIO)],
)
def test_whatever_polars_calls_a_fault_of_a_file_is_an_error_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int
) -> None:
    """Who writes a table knows one kind of failure, whether or not its number is told."""

    def fails(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError(said)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fails)
    with pytest.raises(OSError) as failed:  # noqa: PT011 - its number is what is asked
        store.write_table(tmp_path / "x.parquet", pl.DataFrame({"a": [1]}))
    assert failed.value.errno == code
