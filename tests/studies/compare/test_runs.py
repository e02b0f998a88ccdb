"""What a run of a comparison shows."""

from pathlib import Path

import polars as pl

from experiments.record import reading, store
from experiments.runner import summarise
from experiments.studies.compare.runs import read
from tests.support.made_up import SMALL, Answer, made_up

WORKERS = 2


def test_memory_is_that_of_a_server_under_load(tmp_path: Path) -> None:
    """By worker, with the devices connected: neither what it had before they came nor what it has after they left."""
    record = made_up(tmp_path, SMALL.model_copy(update={"workers": WORKERS}))
    after = record.window_s + 1
    seen = {-0.5: (80_000_000, 40), after: (60_000_000, 0)}
    rows = record.resources().filter(pl.col("group") == "server").sort("t_s")
    expensive = [
        rows.head(1).with_columns(
            t_s=pl.lit(at), uss_bytes=pl.lit(uss, pl.UInt64), connections=pl.lit(connections, pl.UInt32)
        )
        for at, (uss, connections) in seen.items()
    ]
    cheap = record.resources().with_columns(uss_bytes=pl.lit(None, pl.UInt64), connections=pl.lit(None, pl.UInt32))
    schema = cheap.schema
    store.write_table(record.path / "resources.parquet", pl.concat([cheap, *(row.cast(schema) for row in expensive)]))
    found = read(summarise(reading.load(record.path)))
    assert (found.uss_bytes, found.connections) == (80_000_000 // WORKERS, 40)


def test_a_time_that_nobody_knows_is_not_ranked(tmp_path: Path) -> None:
    """A bound would make a server that never answers look as quick as devices are impatient."""
    quick = made_up(tmp_path / "a", SMALL)
    asked = SMALL.model_copy(update={"timeout_s": 0.2})
    silent = made_up(tmp_path / "b", asked, server=lambda poll: Answer(1e9) if poll.client % 10 == 0 else Answer(0.001))
    known, unknown = (read(summarise(record)) for record in (quick, silent))
    assert known.times_ms["status"]["p95"] is not None
    assert (unknown.times_ms["status"]["p50"] is None, unknown.times_ms["status"]["p95"]) == (False, None)
