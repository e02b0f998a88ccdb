"""A record gone through in many batches tells what one batch tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.analyse import summary
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.passes.courses import Courses, Steps, courses
from experiments.analyse.passes.order import OutOfOrderError, arranged
from experiments.analyse.polls import WAS_SENT, arrange
from experiments.record import reading
from experiments.record.parts import Parts
from experiments.record.reading import Record
from experiments.record.schema import Outcome
from tests.support.made_up import SMALL, damage_rows, failing, ideal, late, made_up, stalling
from tests.support.targets import TEXTS, named

STEPS = Steps({"status": 3.0, "bulk": 3.0}, 3.0, 1.0, 1.0, 7, 20)


@pytest.fixture
def in_batches(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has records come in batches of so many rows, in the order in which a generator writes them."""
    whole = Parts.batches

    def small(most_rows: int) -> None:
        def batches(self: Parts, wanted: Sequence[str] | None = None, _: int = 0) -> Iterator[pl.DataFrame]:
            # What was never sent is written when the window has closed.
            rows = pl.concat(whole(self)).sort(~WAS_SENT, "done_s", maintain_order=True)
            rows = rows.select(wanted) if wanted else rows
            yield from (rows.slice(begin, most_rows) for begin in range(0, max(1, rows.height), most_rows))

        monkeypatch.setattr(Parts, "batches", batches)

    return small


RECORDS: dict[str, Callable[[Path], Record]] = {
    "honest": made_up,
    "stalling": lambda place: made_up(place, server=stalling(5, 3, failing(Outcome.RESET)), lag=late(0.002)),
    "overloaded": lambda place: made_up(place, server=stalling(10, 90)),
    "late generator": lambda place: made_up(place, lag=late(0.0, stall_at=10, lasting=2)),
    "after": lambda place: made_up(place, SMALL.model_copy(update={"pacing": "after", "generators": 3})),
    "killed": lambda place: made_up(place, killed_at=12.0),
    "killed, after": lambda place: made_up(place, SMALL.model_copy(update={"pacing": "after"}), killed_at=12.0),
    "doubled": lambda place: damage_rows(made_up(place), lambda rows: pl.concat([rows, rows.slice(2000, 3)])),
    "moved": lambda place: damage_rows(
        made_up(place), lambda rows: rows.with_columns(pl.col("round") + (pl.col("client") == 3))
    ),
    "level of devices": lambda place: made_up(
        place, SMALL.model_copy(update={"slo_status_p99_ms": 2.0, "slo_devices_pct": 50.0}), server=ideal(0.001)
    ),
    **{
        f"{name}, {pacing}": lambda place, name=name, pacing=pacing: made_up(
            place, SMALL.model_copy(update={"pacing": pacing}), server=stalling(5, 30), target=named(name, place / "targets")
        )
        for name in TEXTS
        for pacing in ("fixed", "after")
    },
}


@pytest.mark.parametrize("kind", RECORDS)
def test_batches_tell_what_one_tells(tmp_path: Path, in_batches: Callable[[int], None], kind: str) -> None:
    """Summary, verdict and the table of devices are the same to the last digit, wherever the batches end."""
    record = RECORDS[kind](tmp_path)
    whole = told(record)
    in_batches(1500)
    assert told(reading.load(record.path)) == whole


def told(record: Record) -> dict[str, Any]:
    """All that is worked out of a record, as JSON has it."""
    made = summary.summarise(record)
    return {"summary": json.loads(json.dumps(made)), "clients": Evidence(record).digest.by_client.table().rows()}


def test_what_is_drawn_is_the_same_in_batches(tmp_path: Path, in_batches: Callable[[int], None]) -> None:
    """Each frame of a page, bin by bin."""
    record = made_up(tmp_path, server=stalling(27, 60, failing(Outcome.HTTP_ERROR, status=503)))
    whole = courses(Evidence(record), STEPS)
    in_batches(1500)
    parts = courses(Evidence(reading.load(record.path)), STEPS)
    assert [frame.equals(other) for frame, other in zip(frames(parts), frames(whole), strict=True)] == [True] * 6
    assert whole.outcomes["polls"].sum() == Evidence(record).planned


def frames(made: Courses) -> list[pl.DataFrame]:
    return [*made.responses.values(), made.lag, made.outcomes, made.planned, made.slowest]


def test_every_round_is_whole_in_one_batch(tmp_path: Path, in_batches: Callable[[int], None]) -> None:
    """Batches together are the arranged record, and none of them divides a round."""
    record = made_up(tmp_path)
    whole = arrange(record)
    in_batches(900)
    batches = list(arranged(reading.load(record.path)))
    assert len(batches) > 5
    rounds = [set(batch.select("client", "round").rows()) for batch in batches]
    assert sum(map(len, rounds)) == whole.select("client", "round").n_unique()
    sums = [frame.select("second", "first_due_s").sum().row(0) for frame in (pl.concat(batches), whole)]
    assert sums[0] == sums[1]


def test_rows_that_do_not_follow_each_other_are_sorted_all_at_once(
    tmp_path: Path, in_batches: Callable[[int], None]
) -> None:
    """Somebody put rows at the end that belong to the middle: they are found to be doubled, as in one batch."""
    record = damage_rows(made_up(tmp_path), lambda rows: rows)
    again = damage_rows(record, lambda rows: pl.concat([rows, rows.filter(pl.col("round") == 50)
                                                        .with_columns(pl.col("done_s") + 20)]))  # fmt: skip
    whole = told(again)
    in_batches(1500)
    with pytest.raises(OutOfOrderError):
        list(arranged(reading.load(record.path)))
    assert told(reading.load(record.path)) == whole
    assert "doubled" in whole["summary"]["verdict"]["headline"]
