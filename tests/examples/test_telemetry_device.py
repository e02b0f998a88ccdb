"""The example of a device as a class, against the telemetry application that it is written for."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import experiments as lab
from examples.telemetry_device import Sensor
from experiments.record.reading import Record

ROOT = Path(__file__).parents[2]
TARGET = str(ROOT / "examples" / "telemetry_device.yaml")
NAMED = [(0, Sensor, ""), (1, None, f"{ROOT}/examples/telemetry_device.py:Sensor")]
"""Generators, the class, or its name as a notebook's parameters have it."""


def measured(folder: Path, kind: type[lab.Device] | None, **parameters: Any) -> Record:
    asked = {"target": TARGET, "clients": 8, "minutes": 4 / 60, "warmup_s": 3, "results_dir": str(folder), "run_id": "it"}
    return lab.run(lab.Scenario.from_parameters(asked | parameters), device=kind)


@pytest.mark.slow
@pytest.mark.parametrize(("generators", "kind", "name"), NAMED)
def test_it_logs_in_polls_and_obeys(tmp_path: Path, generators: int, kind: Any, name: str) -> None:
    """Every poll is right, comes 500 ms after the answer before and not after the 3 s of the file, and all parties agree."""
    record = measured(tmp_path, kind, generators=generators, device=name)
    rows = record.requests().sort("client", "round")
    totals, (facts,) = record.facts["totals"], record.facts["generator"]["instances"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"]
    assert totals["sent"] == totals["ok"]
    assert Counter(rows.drop_nulls("sent_s")["outcome"].cast(pl.String)) == {"ok": rows["sent_s"].count()}
    assert rows["endpoint"].cast(pl.String).unique().to_list() == ["status"]
    for _, mine in rows.drop_nulls("sent_s").group_by("client"):
        waited = (mine["due_s"] - mine["done_s"].shift(1)).drop_nulls().to_list()
        assert waited == pytest.approx([0.5] * len(waited), abs=1e-5)
        assert len(waited) > 3
    assert record.facts["generator"]["device"] == (name or "examples.telemetry_device:Sensor")
    assert facts["attempts"] == rows["sent_s"].count() + 8  # Each logged in once.
    assert [one["endpoint"] for one in record.started["precheck"]] == ["login", "status"]
    checks = {one["name"]: one["status"] for one in record.summary()["verdict"]["checks"]}
    of_the_record = ("rows_complete", "one_at_a_time", "answers", "totals", "served")
    assert {name: checks[name] for name in of_the_record} == dict.fromkeys(of_the_record, "valid")


@pytest.mark.slow
def test_it_can_be_tried_with_one_device() -> None:
    """The login is seen as well, and no token is."""
    login, status = lab.try_target(TARGET, device=Sensor).tried.exchanges
    assert (login.failure, status.failure) == (None, None)
    assert dict(status.request.headers)["Authorization"] == "Bearer ***"


def test_its_module_is_as_short_as_it_says() -> None:
    """Who reads it sees all that a class needs."""
    lines = [line for line in (ROOT / "examples/telemetry_device.py").read_text().splitlines() if line.strip()]
    assert len(lines) < 30
