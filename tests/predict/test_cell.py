"""What predictions take from a record."""

from pathlib import Path

import polars as pl
import pytest

from experiments.predict import forecast
from experiments.predict.cell import cannot, read
from experiments.record import reading, store
from tests.support.made_up import SMALL, Costs, made_up
from tests.support.targets import named


def test_rates_and_cores_of_a_record(tmp_path: Path) -> None:
    """160 polls of A and 16 of B a second, the cores that the sampler saw, and every response."""
    found = read(made_up(tmp_path, SMALL.model_copy(update={"generators": 2}), costs=Costs(server=0.5, generator=0.2)))
    assert found is not None
    assert (found.server.status_per_s, found.server.bulk_per_s) == pytest.approx((160, 16), rel=0.02)
    assert (found.server.cores, found.server.loops) == (pytest.approx(0.5), 1)
    assert (found.generator.cores, found.generator.loops) == (pytest.approx(0.4), 2)
    assert {name: len(values) for name, values in found.responses.items()} == {"status": 4800, "bulk": 480}
    assert found.cores == 2
    assert found.load == pytest.approx(0.5)
    assert found.busy_cores == pytest.approx(0.92)
    assert found.others_cores == pytest.approx(0.01)


def test_a_record_without_samples_tells_nothing(tmp_path: Path) -> None:
    """There is no CPU to learn from."""
    record = made_up(tmp_path)
    (record.path / "resources.parquet").unlink()
    assert read(record) is None


def test_a_steady_machine_is_seen_to_be_steady(tmp_path: Path) -> None:
    """A factor of one in each of 29 whole seconds."""
    found = read(made_up(tmp_path, SMALL))
    assert found is not None
    assert found.slowness == pytest.approx([1.0] * len(found.slowness), abs=0.05)
    assert 28 <= len(found.slowness) <= 30


def test_seconds_in_which_polls_cost_more_are_found(tmp_path: Path) -> None:
    """Every other second costs twice as much: factors of two thirds and four thirds."""
    record = made_up(tmp_path, SMALL)
    samples = record.resources()
    since = pl.col("t_s") - min(t_s for t_s in samples["t_s"] if t_s >= 0)
    part, odd = since % 1, since.floor().cast(pl.Int64) % 2 == 1
    # A counter that rises by 0.4 in even seconds and by 0.8 in odd ones.
    counter = 0.6 * since + pl.when(odd).then(0.2 * part - 0.2).otherwise(-0.2 * part)
    twice = samples.with_columns(cpu_s=pl.when(pl.col("group") == "server").then(counter).otherwise(pl.col("cpu_s")))
    store.write_table(record.path / "resources.parquet", twice)
    found = read(reading.load(record.path))
    assert found is not None
    assert found.slowness[:6] == pytest.approx([2 / 3, 4 / 3] * 3, rel=0.05)


def test_cells_that_take_too_little_to_tell_say_nothing_of_the_speed(tmp_path: Path) -> None:
    """The kernel counts processor time in steps of 10 ms."""
    found = read(made_up(tmp_path, SMALL, costs=Costs(server=0.1)))
    assert found is not None
    assert found.slowness == ()


def test_a_target_is_read_and_nothing_is_foretold_of_it(tmp_path: Path) -> None:
    """What all its polls cost together is known; the model of two constant answers has nothing to learn from it."""
    cell = read(made_up(tmp_path, SMALL, target=named("five", tmp_path / "targets")))
    assert cell is not None
    assert cell.server.status_per_s > 100
    assert cell.server.bulk_per_s == 0
    assert cell.cannot.startswith("Nothing is foretold of this target")
    assert forecast.learn([cell, cell, cell]) is None
    assert cannot(SMALL.plan) == ""
