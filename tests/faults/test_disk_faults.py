"""The disk is full, or the results are gone: the run ends early, says so, and keeps what it had."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import experiments as lab
from experiments.errors import RecordError
from experiments.record import store
from experiments.record.state import GapKind
from tests.faults.harm import assert_conserved, check, run_with
from tests.faults.small_disk import SmallDisk, small_disk
from tests.support.made_up import SMALL, made_up

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 8 MB."""
    with small_disk(tmp_path / "disk") as disk:
        yield disk


def test_a_full_disk_ends_the_run_and_what_was_written_is_kept(disk: SmallDisk) -> None:
    """Rows written before are there, those after are counted as lost, and the record is sealed in the room kept for it."""
    record = run_with(disk.path, disk.fill, after_s=6, minutes=5)
    assert record.facts["cut_short_kind"] == "rows_lost"
    assert record.facts["cut_short"] == f"generator 0 could not write its rows ({disk.reason})"
    assert 6 < record.window_s < 60
    generator = record.facts["generator"]["instances"][0]
    assert generator["lost_rows"] > 0
    assert generator["error"] == f"{record.facts['cut_short']}; {generator['lost_rows']:,} of them are lost"
    assert generator["error"] in record.missing
    rows = record.requests()
    assert (rows.height, generator["parts"]) == (generator["rows"], 1)
    totals = record.facts["totals"]
    # A round belongs to the warm-up as its first poll does, also where the second was due within the window.
    warm_up = rows.filter(pl.col("due_s").min().over("client", "round") < 0).height
    assert totals["planned"] == rows.height - warm_up + generator["lost_rows"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert record.summary()["verdict"]["status"] == "invalid"
    assert disk.reason in check(record, "generator_errors")["meaning"]


def test_results_that_are_removed_end_the_run(tmp_path: Path) -> None:
    """Nothing can be kept, so the run raises, in words; other runs in the same place are left alone."""
    with pytest.raises(RecordError) as caught:
        run_with(tmp_path, lambda: shutil.rmtree(tmp_path / "results" / "it"), minutes=5)
    assert "generator 0 could not write its rows (No such file or directory)" in str(caught.value)
    assert "Nothing of it is left" in str(caught.value)
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["earlier"]


def test_a_record_that_cannot_be_sealed_says_what_is_kept(tmp_path: Path) -> None:
    """The parts are there and can be opened as those of an unfinished run."""

    def obstruct() -> None:
        (tmp_path / "results" / "it" / "run.json").mkdir()

    with pytest.raises(RecordError, match=r"could not be completed \(.*\).* polls in 1 parts are kept in .*run_dir"):
        run_with(tmp_path, obstruct)
    (tmp_path / "results" / "it" / "run.json").rmdir()
    record = lab.load(tmp_path / "results" / "it")
    assert record.gaps[0].kind is GapKind.SEAL
    assert record.requests().height > 0


def test_a_record_that_cannot_be_begun_is_refused(tmp_path: Path) -> None:
    """Nothing was started, and no folder is left in the way of the next attempt."""
    path = store.create(str(tmp_path), "it", "abcd1234")
    (path / "started.json").mkdir()
    with pytest.raises(RecordError, match=r"cannot be written \(.*\), so nothing was started"):
        store.begin(path, {})
    assert not path.exists()


def test_a_run_that_ended_well_leaves_nothing_hidden(tmp_path: Path) -> None:
    """Neither the room that was kept for its last words, nor a temporary file."""
    record = run_with(tmp_path, lambda: None, minutes=1 / 60, after_s=0)
    assert_conserved(record)


def test_a_record_on_a_full_disk_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its summary is worked out and not stored; nothing is raised."""

    def full(*arguments: object) -> None:
        raise OSError

    record = made_up(tmp_path, SMALL)
    monkeypatch.setattr(store, "write_json", full)
    shown = lab.summarise(record)
    assert "verdict" in lab.Page(shown).summary
