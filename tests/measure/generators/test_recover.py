"""What is made of a generator that was lost: one row for each poll, whatever part of them it had written."""

from pathlib import Path
from typing import Any

import pytest

from experiments.measure.engines.target import Target
from experiments.measure.generators.recover import salvage
from experiments.measure.generators.shard import Shard
from experiments.record import reading, schema, store
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import Outcome
from experiments.scenario import Scenario

ASKED = Scenario(clients=2, interval_ms=1000, minutes=4 / 60, warmup_s=1, ratio="2:1", phase="together")
"""Round 1 is warm-up; rounds 2 to 5 are due at 0, 1, 2 and 3 s, with B in the even ones. Client 1 is the lost shard's."""

Poll = tuple[int, str, float]


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """A run directory as it is while the load is on."""
    path = store.create(str(tmp_path), "it", "abcd1234")
    store.begin(path, {"schema_version": schema.SCHEMA_VERSION, "run_id": "it", "scenario": ASKED.model_dump()})
    return path


def shard(run_path: Path, **changes: Any) -> Shard:
    plan = ASKED.model_copy(update=changes).plan
    target = Target.hello("http://127.0.0.1:1", ("127.0.0.1", 1), True, 1.0, (100, 100), (0, 0))
    return Shard(str(run_path), 1, 2, "httpx", plan, target)


def write(run_path: Path, *polls: Poll, instance: int = 1, outcome: Outcome = Outcome.OK) -> None:
    """Writes polls as part 0, each sent when it was due and answered 0.1 s later."""
    rows = RowBuffer(0.0)
    for round_, endpoint, due in polls:
        number = schema.ENDPOINTS.index(endpoint)
        sent = NEVER if outcome.label in schema.UNSENT else due
        rows.add(instance, round_, number, due, sent, sent, due + 0.1, 0.0, 200, 100, outcome)
    store.write_part(run_path, instance, 0, rows.take())


def late(run_path: Path) -> list[Poll]:
    """The polls that are recorded as unsent_late."""
    rows = reading.load(run_path).requests()
    late = rows.filter(rows["outcome"] == "unsent_late").sort("round", "endpoint")
    assert late["client"].unique().to_list() in ([], [1])
    assert late["sent_s"].null_count() == late["ready_s"].null_count() == len(late)
    return late.select("round", "endpoint", "due_s").rows()


def test_every_poll_of_the_window_that_has_no_row_gets_one(run_path: Path) -> None:
    """Under fixed pacing the plan says which; another generator's rows are left alone."""
    write(run_path, (1, "status", -1.0), (2, "status", 0.0), (2, "bulk", 0.1), (3, "status", 1.0))
    write(run_path, (2, "status", 0.0), instance=0)
    (run_path / "requests" / ".part-1-1.parquet.77.tmp").write_bytes(b"half")
    kept = salvage(shard(run_path), 4.0)
    assert late(run_path) == [(4, "status", 2.0), (4, "bulk", 2.0), (5, "status", 3.0)]
    assert kept.totals == {"planned": 6, "sent": 3, "ok": 3, "failed": 0, "unsent_busy": 0, "unsent_late": 3}
    assert (kept.parts, kept.rows, kept.added_rows, kept.lost_rows) == (2, 7, 3, 0)
    assert kept.said.startswith("3 of its polls have no row of their own")
    assert not list((run_path / "requests").glob(".*"))


def test_nothing_is_added_behind_the_end_of_a_window_that_was_cut_short(run_path: Path) -> None:
    """What was not due any more was not planned."""
    assert salvage(shard(run_path), 1.5).totals["planned"] == 3
    assert late(run_path) == [(2, "status", 0.0), (2, "bulk", 0.0), (3, "status", 1.0)]


@pytest.mark.parametrize(
    ("written", "outcome", "absent"),
    [
        ([], Outcome.OK, [(1, "status", -1.0)]),
        ([(1, "status", -1.0)], Outcome.OK, [(2, "status", 0.1), (2, "bulk", 0.1)]),
        ([(2, "status", 0.5)], Outcome.OK, [(2, "bulk", 0.5)]),
        ([(2, "status", 0.5), (2, "bulk", 0.6)], Outcome.READ_TIMEOUT, [(3, "status", 1.7)]),
        ([(5, "status", 2.95)], Outcome.OK, []),
        ([(3, "status", 2.0)], Outcome.UNSENT_BUSY, []),
    ],
)
def test_a_chain_goes_on_by_one_round(run_path: Path, written: list[Poll], outcome: Outcome, absent: list[Poll]) -> None:
    """Under after pacing a round is due an interval after the end of the one before; one that never ended has no next."""
    if written:
        write(run_path, *written, outcome=outcome)
    salvage(shard(run_path, pacing="after"), 4.0)
    found = late(run_path)
    assert [poll[:2] for poll in found] == [poll[:2] for poll in absent]
    assert [poll[2] for poll in found] == pytest.approx([poll[2] for poll in absent], abs=2 * schema.TICK_S)


def test_rows_that_cannot_be_written_are_counted(run_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for the generator is full for us."""

    def full(*arguments: object, **names: object) -> None:
        raise OSError

    monkeypatch.setattr(store, "write_part", full)
    kept = salvage(shard(run_path), 4.0)
    assert (kept.added_rows, kept.lost_rows) == (0, 6)
    assert "6 more could not be written down" in kept.said


def test_a_folder_that_is_gone_gives_no_counts(tmp_path: Path) -> None:
    """Whoever seals the record says that it is gone."""
    assert salvage(shard(tmp_path / "gone"), 4.0).totals == {}
