"""Whether what the devices were told was really written, on made-up records."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.analyse.checks.database import rows_written
from experiments.analyse.checks.evidence import Evidence, Found
from experiments.record.reading import Record
from tests.support.made_up import made_up


def judged(tmp_path: Path, **database: Any) -> Found:
    """What is found of an honest run whose database is said to be so."""
    record = made_up(tmp_path)
    facts = json.loads((record.path / "run.json").read_text())
    (record.path / "run.json").write_text(json.dumps(facts | {"database": database or None}))
    record = Record(record.path)
    return rows_written(Evidence(record))


def all_of_a(tmp_path: Path) -> int:
    rows = made_up(tmp_path / "counted").requests()
    return int((rows["endpoint"].cast(str) == "status").sum())


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        (0, "valid", "written"),
        (-1, "invalid", "more_answered"),
        (1, "suspect", "more_written"),
    ],
)
def test_answers_rows_and_requests_must_agree(tmp_path: Path, more: int, status: str, kind: str) -> None:
    """An answer without a row is not of this workload; a row without a request is somebody else's."""
    total = all_of_a(tmp_path)
    check = judged(tmp_path, polls_written=total + more)
    assert (check.kind, check.status) == (kind, status)
    assert check.figure == f"{total:,} <= {total + more:,} <= {total:,}"


def test_rows_that_nobody_could_count_vouch_for_nothing(tmp_path: Path) -> None:
    """A database that was gone at the end makes a run suspect, and is named."""
    check = judged(tmp_path, polls_written=None, error="it did not answer.")
    assert (check.kind, check.status) == ("uncounted", "suspect")
    assert check.values["why"] == "it did not answer"


def test_without_a_database_there_is_nothing_to_count(tmp_path: Path) -> None:
    """Neither for constant bytes nor for a record made before there were databases."""
    assert judged(tmp_path).status == "not_applicable"
    record = made_up(tmp_path / "older")
    assert rows_written(Evidence(record)).status == "not_applicable"
