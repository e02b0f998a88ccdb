"""What a gate makes of a duet: a word and a sentence."""

from typing import Any

import pytest

from experiments.analyse.duets.gate import judge

NONE = {"estimate": None, "low": None, "high": None, "pieces": 3}


def ratio(low: float, estimate: float, high: float) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high, "pieces": 30}


def told(
    cpu: dict[str, Any], p50: dict[str, Any] = NONE, failed: tuple[int, int] = (0, 0), p: float = 1.0, pieces: int = 9
) -> dict[str, Any]:
    failures = {"a": failed[0], "b": failed[1], "planned_a": 10_000, "planned_b": 10_000, "p": p}
    failures |= {"pieces_a": 0, "pieces_b": pieces}
    return {"a": "old", "b": "new", "cpu_ratio": cpu, "response_p50_ratio": p50, "failures": failures}


@pytest.mark.parametrize(
    ("duet", "kind", "why"),
    [
        (told(ratio(0.99, 1.0, 1.01)), "fine", "needs +0.0 % (-1.0 to +1.0) CPU"),
        (told(ratio(0.9, 0.92, 0.94)), "fine", "-8.0 %"),
        (told(ratio(1.005, 1.02, 1.035)), "fine", "+2.0 %"),
        (told(ratio(1.02, 1.04, 1.06)), "regression", "needs +4.0 % (+2.0 to +6.0) CPU for a request beside old"),
        (told(ratio(0.97, 1.02, 1.07)), "not measurable", "up to 7 % more"),
        (told(ratio(0.9, 1.2, 1.5)), "not measurable", "measure for longer"),
        (told(NONE), "not measurable", "only 3 pieces"),
        (told(ratio(0.99, 1.0, 1.01), ratio(1.2, 1.5, 1.9)), "regression", "time for half of the answers"),
        (told(ratio(0.99, 1.0, 1.01), ratio(0.8, 1.5, 1.9)), "fine", "CPU"),
        (told(ratio(0.99, 1.0, 1.01), failed=(0, 40), p=1e-9), "regression", "new failed 0.4 % of its polls, old 0 %"),
        (told(ratio(0.99, 1.0, 1.01), failed=(40, 0), p=1e-9), "fine", "CPU"),
        (told(ratio(0.99, 1.0, 1.01), failed=(0, 40), p=1e-9, pieces=2), "fine", "CPU"),
        (told(ratio(0.99, 1.0, 1.01), failed=(0, 2), p=0.2), "fine", "CPU"),
    ],
)
def test_the_second_server_is_worse_fine_or_not_to_be_told(duet: dict[str, Any], kind: str, why: str) -> None:
    """Worse is what chance does not explain and is beyond 3 %; fine is what is surely within; the rest is neither."""
    judged = judge(duet, [])
    assert judged.kind == kind
    assert why in judged.why


def test_a_damaged_record_tells_nothing() -> None:
    """A late generator was late for both servers; rows that are missing are of either."""
    late = {"name": "lag", "status": "invalid", "meaning": "Late."}
    holes = {"name": "rows_complete", "status": "invalid", "meaning": "Rows are missing."}
    assert judge(told(ratio(0.99, 1.0, 1.01)), [late]).kind == "fine"
    judged = judge(told(ratio(0.99, 1.0, 1.01)), [late, holes])
    assert (judged.kind, judged.why) == ("not measurable", "Rows are missing")


def test_the_margin_is_the_readers() -> None:
    """What is a regression at 3 % is fine at 10 %."""
    assert judge(told(ratio(1.02, 1.04, 1.06)), [], margin_pct=10).kind == "fine"
