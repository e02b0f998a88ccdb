"""Positive and negative controls: how a calibration judges the verdicts, and what it learns of their limits."""

from pathlib import Path
from typing import Any

import pytest

from experiments.record import store
from experiments.record.reading import Record
from experiments.runner import summarise
from experiments.studies.calibrate import limits, trial
from experiments.studies.calibrate.controls import negative, positive
from experiments.studies.calibrate.trial import Trial
from tests.support.made_up import Costs, damage_facts, late, made_up

DAMAGES = [lie for lie in negative.CONTROLS if lie.name in ("rows removed", "rows doubled", "rows altered", "a part lost")]


def with_checksums(record: Record) -> Record:
    """As generators leave them."""
    parts = sorted((record.path / "requests").iterdir())

    def add(facts: dict[str, Any]) -> None:
        facts["generator"]["instances"][0]["part_sha256"] = [store.checksum(part) for part in parts]

    return summarise(damage_facts(record, add))


@pytest.mark.parametrize("lie", DAMAGES, ids=[lie.name for lie in DAMAGES])
def test_a_damaged_copy_is_found_out_and_the_honest_record_stays(tmp_path: Path, lie: negative.Control) -> None:
    """Each kind of damage is done to a copy, and noticed by the check that is meant for it."""
    made = with_checksums(made_up(tmp_path))
    parts = sorted((made.path / "requests").iterdir())
    before = [part.read_bytes() for part in parts]
    found = negative.negative_trial(lie, negative.Fixture(tmp_path, made))
    assert found.ok, found
    assert [part.read_bytes() for part in parts] == before


def test_a_lie_that_is_caught_by_chance_is_not_caught(tmp_path: Path) -> None:
    """The verdict is bad, but not by the check that is meant."""
    record = summarise(made_up(tmp_path, lag=late(1.0)))
    stall = negative.Control("a stall", frozenset({"generator_stall"}), lambda fixture: record)
    assert not negative.negative_trial(stall, negative.Fixture(tmp_path, record)).ok
    lag = negative.Control("lag", frozenset({"lag"}), lambda fixture: record)
    assert negative.negative_trial(lag, negative.Fixture(tmp_path, record)).ok


BUSY = Costs(others=1.0)
"""Others use a core: a cause outside the lab."""


@pytest.mark.parametrize(
    ("runs", "ok", "came"),
    [
        ({"good": 3}, True, "3 valid, 0 suspect with such a cause, 0 without"),
        ({"good": 2, "late": 1}, False, "2 valid, 0 suspect with such a cause, 1 without"),
        ({"good": 19, "late": 1}, True, "19 valid, 0 suspect with such a cause, 1 without"),
        ({"good": 18, "late": 2}, False, "18 valid, 0 suspect with such a cause, 2 without"),
        ({"crowded": 20}, True, "0 valid, 20 suspect with such a cause, 0 without"),
    ],
)
def test_at_most_one_of_twenty_honest_runs_may_be_suspect_for_nothing(
    tmp_path: Path, runs: dict[str, int], ok: bool, came: str
) -> None:
    """A run that names a cause outside the lab is excused; of fewer than twenty none may be suspect without one."""
    made = {
        "good": summarise(made_up(tmp_path / "good")),
        "late": summarise(made_up(tmp_path / "late", lag=late(0.01))),
        "crowded": summarise(made_up(tmp_path / "crowded", costs=BUSY)),
    }
    found = positive.few_suspects([made[kind] for kind, number in runs.items() for _ in range(number)])
    assert (found.ok, found.came) == (ok, came)


def test_limits_are_read_out_of_a_calibrations_records(tmp_path: Path) -> None:
    """The worst of the positive controls and the least of the negative ones found out, with their share of the limit."""
    lags = {"a": 0, "b": 0.001, "c": 0.05, "d": 0.1}
    made = {name: made_up(tmp_path / name, lag=late(lag)) for name, lag in lags.items()}
    stock, devices = negative.CONTROLS[0].name, negative.CONTROLS[3].name
    kept = {
        limits.POSITIVE: [
            Trial("together", "", "", ok=True),
            *(Trial(name, "", "", ok=True, run_id=place(made[name])) for name in "ab"),
        ],
        limits.NEGATIVE: [
            Trial(name, "", "", ok=True, run_id=place(made[run])) for name, run in ((devices, "d"), (stock, "c"))
        ],
    }
    trial.write(tmp_path, kept)
    lines = {line.check: line for line in limits.seen(tmp_path)}
    assert lines["lag"].positive.startswith("p50 1.00 ms, p99 1.00 ms (")
    assert lines["lag"].negative.startswith("p50 50.0 ms, p99 50.0 ms (")
    assert lines["lag"].negative.endswith(f"% of the limit): {stock}")
    assert lines["lag"].quiet == lines["lag"].positive
    assert (lines["generator_errors"].negative, lines["competitors"].negative) == ("", "")


def place(record: Record) -> str:
    """Its folder, seen from the calibration's."""
    return str(record.path.relative_to(record.path.parents[1]))
