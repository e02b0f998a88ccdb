"""What a run cost, from cumulative CPU times."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse import resources
from experiments.record import reading, store
from experiments.record.reading import Record
from tests.support.made_up import SMALL, Costs, damage_facts, made_up

COSTS = Costs(server=0.7, generator=0.2, others=0.3, steal=0.05)


def test_rates_are_those_that_were_used(tmp_path: Path) -> None:
    """Each group's cores between samples, without the host and without first samples."""
    record = made_up(tmp_path, SMALL.model_copy(update={"generators": 2}), costs=COSTS)
    usage = resources.usage(record)
    means = {
        (str(group), instance): cores
        for group, instance, cores in usage.group_by("group", "instance").agg(pl.col("cores").mean()).iter_rows()
    }
    assert means == pytest.approx({("server", 0): 0.7, ("generator", 0): 0.2, ("generator", 1): 0.2, ("kernel", 0): 0.01})
    assert usage["t_s"].is_sorted()


def test_the_host_is_split_into_ours_and_others(tmp_path: Path) -> None:
    """Busy less what server, generator and kernel used is what others used; steal and cores apart."""
    frame = resources.host(made_up(tmp_path, costs=COSTS))
    assert frame.columns == ["t_s", "busy_cores", "steal_cores", "others_cores", "core_0", "core_1"]
    row = frame.mean().row(0, named=True)
    assert row["busy_cores"] == pytest.approx(0.7 + 0.2 + 0.01 + 0.3)
    assert row["others_cores"] == pytest.approx(0.3)
    assert row["steal_cores"] == pytest.approx(0.05)
    assert row["core_0"] == pytest.approx(1.21 / 2)


@pytest.mark.parametrize("away", [True, False])
def test_what_other_machines_used_is_not_this_ones(tmp_path: Path, away: bool) -> None:
    """A generator elsewhere is no part of what this host was busy with; one of a worker here is, sampled when it may be."""

    def on_a_worker(facts: dict[str, Any]) -> None:
        facts["generator"]["instances"][1]["worker"] = {"number": 1, "on_this_machine": not away}

    record = damage_facts(made_up(tmp_path, SMALL.model_copy(update={"generators": 2}), costs=COSTS), on_a_worker)
    of_the_worker = (pl.col("group") == "generator") & (pl.col("instance") == 1)
    later = pl.when(of_the_worker).then(pl.col("t_s") + 0.2).otherwise("t_s")
    used = pl.when(of_the_worker).then(pl.col("cpu_s") + 0.2 * COSTS.generator).otherwise("cpu_s")
    store.write_table(record.path / "resources.parquet", record.resources().with_columns(t_s=later, cpu_s=used))
    others = 0.3 + (COSTS.generator if away else 0.0)
    costs = resources.costs(record)
    assert costs.generator_cores == pytest.approx({0: 0.2, 1: 0.2})
    assert costs.others_cores == pytest.approx(others, abs=0.005)
    assert resources.host(record)["others_cores"].median() == pytest.approx(others)


def test_costs_are_means_over_the_window(tmp_path: Path) -> None:
    """Interpolated at both ends of the window: what was used before and after it does not count."""
    record = made_up(tmp_path, SMALL.model_copy(update={"generators": 2}), costs=COSTS)
    # From the last sample before the window to the first one after it all is as it was.
    outside_s = pl.col("t_s") - pl.col("t_s").clip(-0.1, 30.4)
    frame = record.resources().with_columns(cpu_s=pl.col("cpu_s") + 5 * outside_s)
    store.write_table(record.path / "resources.parquet", frame)
    costs = resources.costs(reading.load(record.path))
    assert (costs.start_s, costs.end_s) == (0.0, 30.0)
    assert costs.server_cores == pytest.approx(0.7)
    assert costs.generator_cores == pytest.approx({0: 0.2, 1: 0.2})
    assert costs.kernel_cores == pytest.approx(0.01)
    assert costs.others_cores == pytest.approx(0.3)
    assert costs.steal_cores == pytest.approx(0.05)


def test_a_record_that_breaks_off_is_measured_as_far_as_its_samples_go(tmp_path: Path) -> None:
    """The part that samples cover is named, and nothing is assumed beyond it."""
    record = made_up(tmp_path, killed_at=10.0, costs=COSTS)
    few = record.resources().filter(pl.col("t_s") < 6)
    store.write_table(record.path / "resources.parquet", few)
    costs = resources.costs(reading.load(record.path))
    assert costs.start_s == 0
    assert 5 < costs.end_s < 6
    assert costs.server_cores == pytest.approx(0.7)


def test_a_record_without_samples_has_no_costs(tmp_path: Path) -> None:
    """All is null, and the tables are empty."""
    record = made_up(tmp_path)
    (record.path / "resources.parquet").unlink()
    costs = resources.costs(Record(record.path))
    assert (costs.server_cores, costs.generator_cores, costs.others_cores, costs.seconds) == (None, {}, None, 0)
    assert resources.usage(Record(record.path)).is_empty()
    assert resources.host(Record(record.path)).is_empty()


def held_back(record: Record, group: str, periods_s: float, throttled_s: float) -> Record:
    """The record with the counters of a quota that are seen in a group, which grow by so much a second."""
    lived = pl.col("t_s") + 100
    of_group = pl.when(pl.col("group") == group)
    frame = record.resources().with_columns(
        quota_periods=of_group.then((lived * periods_s).cast(pl.UInt64)),
        throttled_periods=of_group.then((lived * throttled_s).cast(pl.UInt64)),
        throttled_s=of_group.then(lived * 0.3),
    )
    store.write_table(record.path / "resources.parquet", frame)
    return reading.load(record.path)


def test_what_a_quota_did_is_counted_over_the_window(tmp_path: Path) -> None:
    """Periods and time from the cumulative counters, and the share over time; a group without a quota has none."""
    record = held_back(made_up(tmp_path), "server", 10, 9)
    costs = resources.costs(record)
    assert list(costs.throttled) == ["server"]
    found = costs.throttled["server"]
    assert (found.periods, found.throttled_periods, found.seconds) == pytest.approx((300, 270, 9), rel=0.02)
    usage = resources.usage(record)
    assert usage.filter(pl.col("group") == "server")["throttled_share"].mean() == pytest.approx(0.9, abs=0.02)
    assert usage.filter(pl.col("group") == "kernel")["throttled_share"].null_count() == len(usage.filter(group="kernel"))


def test_an_older_record_has_no_quota_and_no_network(tmp_path: Path) -> None:
    """Columns that were not sampled then are null now, and all other figures stand."""
    record = made_up(tmp_path, costs=COSTS)
    new = ["quota_periods", "throttled_periods", "throttled_s", "syn_retransmits", "listen_overflows", "listen_drops"]
    store.write_table(record.path / "resources.parquet", record.resources().drop(new))
    record = reading.load(record.path)
    assert record.resources().select(new).null_count().row(0) == (len(record.resources()),) * len(new)
    costs = resources.costs(record)
    assert (costs.throttled, costs.network, costs.server_cores) == ({}, {}, pytest.approx(0.7))


def test_a_server_elsewhere_leaves_no_samples(tmp_path: Path) -> None:
    """Without the group the others' figures stand, and the server's are null."""
    record = made_up(tmp_path)
    store.write_table(record.path / "resources.parquet", record.resources().filter(pl.col("group") != "server"))
    costs = resources.costs(reading.load(record.path))
    assert costs.server_cores is None
    assert costs.server_rss_peak_bytes is None
    assert costs.generator_cores == pytest.approx({0: 0.3})
