"""Servers beside the run's own, among the other parameters: what goes together, and what they change."""

from typing import Any

import pytest

from experiments.errors import ParameterError
from experiments.scenario import Scenario


def test_a_run_with_one_server_is_the_question_that_it_was() -> None:
    """Records of earlier runs are found again by their hash; how devices are split says nothing without a second server."""
    plain, other = Scenario(), Scenario(beside="starlette")
    assert Scenario(beside_split="mixed").short_hash == plain.short_hash
    assert len({plain.short_hash, other.short_hash, Scenario(variant="workers=2").short_hash}) == 3
    assert (plain.plan.systems, plain.plan.halves, plain.plan.piece_rounds) == (1, False, 0)


@pytest.mark.parametrize(
    ("minutes", "interval_ms", "rounds"), [(1.0, 500, 4), (10.0, 500, 4), (0.25, 500, 1), (1.0, 3000, 1), (1.0, 100, 20)]
)
def test_a_piece_is_two_seconds_of_whole_intervals(minutes: float, interval_ms: float, rounds: int) -> None:
    """Less where a window would have fewer than twenty pieces, and never less than an interval."""
    assert Scenario(beside="falcon", minutes=minutes, interval_ms=interval_ms).plan.piece_rounds == rounds


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"beside": "starlete"}, "did you mean 'starlette'"),
        ({"variant": "./my.yaml"}, "names another server"),
        ({"beside": "falcon", "workload": "database"}, "one server at a time"),
        ({"beside": "falcon", "engine": "threads", "pacing": "after", "keep_alive": False}, "one server at a time"),
        ({"beside": "falcon", "dask_scheduler": "tcp://127.0.0.1:1"}, "one server at a time"),
        ({"beside": "falcon", "clients": 3}, "two devices for each"),
        ({"beside": ",".join(["falcon"] * 8)}, "at most 8 servers"),
        ({"beside": "http://192.0.2.1:80"}, "not on this machine"),
        ({"beside": "workers=2", "server_url": "http://127.0.0.1:1"}, "runs already"),
        ({"variant": "git:HEAD", "server_url": "http://127.0.0.1:1"}, "runs already"),
        ({"beside": "falcon", "target": "telemetry"}, "answer the target 'hello' alone"),
        ({"beside": "django loop=asyncio workers=0"}, "says nothing"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict[str, Any], why: str) -> None:
    """Before anything starts, in a sentence."""
    with pytest.raises(ParameterError, match=why):
        Scenario.from_parameters(asked)


def test_targets_that_ask_something_else_are_no_comparison() -> None:
    """Only the same endpoints in the same proportions can be held against each other."""
    with pytest.raises(ParameterError, match="other endpoints than the run's own target"):
        Scenario.from_parameters({"beside": "telemetry"}).load_targets()


def test_halves_need_a_clock() -> None:
    """Where each round depends on the answer before it, nobody can give servers their turns."""
    asked = Scenario.from_parameters({"beside": "falcon", "pacing": "after"})
    with pytest.raises(ParameterError, match="beside_split='mixed'"):
        asked.plan  # noqa: B018 - it is made when it is asked for
    assert Scenario.from_parameters({"beside": "falcon", "pacing": "after", "beside_split": "mixed"}).plan.systems == 2
