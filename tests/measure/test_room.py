"""The room that is kept on a disk for what is written last."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from experiments.measure import room
from experiments.measure.engines.counters import Counters
from experiments.measure.engines.wrong_answers import MOST_KINDS, WrongAnswers
from experiments.record import store
from experiments.record.schema import Outcome
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, made_up


def worst_answers() -> list[dict[str, Any]]:
    """As many wrong answers as are kept, each as long as a server can make it."""
    wrong = WrongAnswers(("status", "bulk"))
    for sign in ("\x00", "\U0001f600", "\\", '"'):
        headers = [(f"h-{number}{sign}".encode(), (sign * 5000).encode()) for number in range(500)]
        for endpoint in (0, 1):
            poll = {"client": 999_999, "round": 10**6, "due_s": 600_000.123456}
            wrong.note(endpoint, Outcome.HTTP_ERROR, 500 + ord(sign) % 99, headers, (sign * 5000).encode(), **poll)
    assert len(wrong.first()) == 2 * MOST_KINDS
    return wrong.first()


@pytest.mark.parametrize(
    "asked",
    [
        {"generators": 32, "minutes": 10.0, "clients": 2000},
        {"generators": 1, "minutes": 24 * 60.0},
        {"generators": 256, "workers": 256, "minutes": 0.1, "clients": 1000},
        {"generators": 0, "minutes": 0.1, "clients": 20},
    ],
)
def test_the_room_kept_is_enough_for_run_json(tmp_path: Path, asked: dict[str, Any]) -> None:
    """With as many parts and generators as the plan makes, and answers as long as they can be."""
    scenario = Scenario(**asked)
    facts = dict(made_up(tmp_path, SMALL).facts)
    worker = {"pid": 4_194_303, "served_before": 10**9, "served_after": 10**9, "served": 10**9}
    facts["server"] = facts["server"] | {
        "workers": [worker] * scenario.workers,
        "worker_pids_at_end": [4_194_303] * scenario.workers,
    }
    generator = (
        facts["generator"]["instances"][0]
        | asdict(Counters(*[10**12] * 5))
        | {
            "part_sha256": ["0" * 64] * room.most_parts(scenario),
            "first_wrong_answers": worst_answers(),
            "error": "x" * 500,
        }
    )
    facts["generator"] = facts["generator"] | {"instances": [generator] * max(1, scenario.generators)}
    path = store.create(str(tmp_path), "it", "abcd1234")
    store.begin(path, {}, last_bytes=room.run_json_bytes(scenario))
    kept = (path / ".reserve").stat()
    store.write_json(path / "run.json", facts)
    assert kept.st_size >= (path / "run.json").stat().st_size
    assert kept.st_blocks * 512 >= kept.st_size


def test_a_small_plan_keeps_a_least_room(tmp_path: Path) -> None:
    """256 KiB are reserved even for no devices, since the summary has to fit as well."""
    path = store.create(str(tmp_path), "it", "abcd1234")
    store.begin(path, {})
    assert (path / ".reserve").stat().st_size == 256 * 1024


def test_parts_are_those_of_the_plan() -> None:
    """One every five seconds from the start of the warm-up until the last poll has ended, and a few more."""
    ten_minutes = Scenario(minutes=10.0, warmup_s=5.0, timeout_s=30.0)
    assert 127 <= room.most_parts(ten_minutes) <= 140
