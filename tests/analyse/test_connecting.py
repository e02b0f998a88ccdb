"""Connections whose first packet was sent again, told by the time that they took and by the kernel's counters."""

from pathlib import Path

import polars as pl
import pytest

from experiments.analyse import resources
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.connecting import Connecting
from experiments.record import reading, store
from experiments.record.reading import Record
from tests.support.made_up import damage_rows, made_up


def took(record: Record, *seconds: float, outcome: str = "ok") -> Connecting:
    """What is found where the first polls of the window took so long to connect, and ended so."""
    first = pl.lit(pl.Series(seconds))

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        place = (pl.col("due_s") >= 0).cum_sum().cast(pl.Int64) - 1
        chosen = (pl.col("due_s") >= 0) & (place < len(seconds))
        connect = pl.when(chosen).then(first.gather(place.clip(0, len(seconds) - 1))).otherwise("connect_s")
        ended = pl.when(chosen).then(pl.lit(outcome)).otherwise(pl.col("outcome").cast(pl.String))
        return rows.with_columns(connect_s=connect.cast(pl.Float32), outcome=ended.cast(rows.schema["outcome"]))

    record = damage_rows(record, change)
    return Evidence(record).digest.sent_again.connecting(resources.costs(record))


def test_times_of_packets_that_are_sent_again_are_told_from_others(tmp_path: Path) -> None:
    """About 1, 3 and 7 s are the kernel's pauses; half a second or two and a half are somebody's slowness."""
    found = took(made_up(tmp_path), 1.001, 1.23, 3.02, 7.1, 0.5, 0.9, 2.5, 6.0)
    assert found.resent == {1: 2, 3: 1, 7: 1}


def test_a_connection_that_was_given_up_says_only_how_long_the_timeout_is(tmp_path: Path) -> None:
    """A second spent until timeout_s=1 is no sign of a packet that was sent again."""
    found = took(made_up(tmp_path), 1.001, 1.0, outcome="connect_timeout")
    assert found.resent == {}


def test_an_honest_run_has_none(tmp_path: Path) -> None:
    """Without counters and without slow connections nothing is said."""
    record = made_up(tmp_path)
    assert Evidence(record).digest.sent_again.connecting(resources.costs(record)) == Connecting({}, None, None, None)


@pytest.mark.parametrize("a_second", [0, 2])
def test_the_kernels_counters_are_taken_over_the_window(tmp_path: Path, a_second: int) -> None:
    """What it had counted before does not matter, only what was added."""
    record = made_up(tmp_path)
    grown = pl.when(pl.col("group") == "host").then((500 + a_second * (pl.col("t_s") + 100)).cast(pl.UInt64))
    names = ("syn_retransmits", "listen_overflows", "listen_drops")
    frame = record.resources().with_columns(grown.alias(name) for name in names)
    store.write_table(record.path / "resources.parquet", frame)
    record = reading.load(record.path)
    found = Evidence(record).digest.sent_again.connecting(resources.costs(record))
    assert [getattr(found, name) for name in names] == pytest.approx([30 * a_second] * 3, abs=1)
