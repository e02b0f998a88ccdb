"""A real run from start to seal: what its record must hold besides the polls, wherever it lies."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import experiments as lab
from experiments.present.pages.run import Page
from experiments.record import reading
from experiments.scenario import Scenario

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["httpx", "epoll"])
def test_a_run_can_be_read_by_name_by_time_and_by_status(tmp_path: Path, engine: str) -> None:
    """Half of A's answers are 503: counted, shown, dated; files have checksums; the folder's name is no pattern."""
    place = tmp_path / "lab[3] what? *"
    brief = {"clients": 20, "interval_ms": 100, "minutes": 2 / 60, "warmup_s": 0.5, "sample_ms": 100}
    asked = Scenario(server="known-half-503", engine=engine, results_dir=str(place), run_id="it", **brief)  # type: ignore[arg-type]
    record = reading.load(lab.run(asked).path)
    assert (record.gaps, record.changed) == ((), ())
    assert set(record.written) == {"resources.parquet", *(f"requests/{path.name}" for path in record.rows.readable)}

    began = _moment(record.facts["window_started_at"])
    assert record.started["window_started_at"] == record.facts["window_started_at"]
    assert _moment(record.facts["started_at"]) < began
    assert began + timedelta(seconds=2) <= _moment(record.facts["ended_at"]) + timedelta(milliseconds=2)
    log = (record.path / "server.log").read_text()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line) for line in log.splitlines())

    endpoints = record.summary()["endpoints"]
    status, bulk = endpoints["status"], endpoints["bulk"]
    assert status["statuses"] == {"200": status["ok"], "503": status["failures"]["http_error"]}
    assert bulk["statuses"].get("503", 0) == bulk["failures"].get("http_error", 0)
    kept = record.facts["generator"]["instances"][0]["first_wrong_answers"]
    assert {(one["endpoint"], one["status"]) for one in kept} <= {("status", 503), ("bulk", 503)}
    assert kept
    assert "status 503" in Page(record).verdict().content
    json.dumps(kept, allow_nan=False)


def _moment(utc: str) -> datetime:
    return datetime.strptime(utc, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
