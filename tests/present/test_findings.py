"""What a line over time did, in words."""

import pytest

from experiments.present.findings import Line, course, sentence


def said(values: list[float | None], **more: object) -> str:
    """Of a line with a value a second."""
    line = Line("p99 of A", list(map(float, range(len(values)))), values, **more)  # type: ignore[arg-type]
    return course(line, lambda t_s: f"second {t_s:g}")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0] * 12, "p99 of A stayed at 1.00 ms"),
        ([1.0, 1.2, 1.1, 0.9] * 3, "p99 of A stayed between 0.900 and 1.20 ms"),
        ([1.0] * 6 + [40.0] + [1.0] * 6, "p99 of A rose from 1.00 to 40.0 ms at second 6, and came back"),
        ([1.0] * 6 + [40.0] * 6, "p99 of A rose from 1.00 to 40.0 ms, from second 6 on, and did not come back"),
        ([40.0] * 6 + [1.0] * 6, "p99 of A fell from 40.0 ms at second 0 to 1.00 ms"),
        (
            [float(10 + 4 * step) for step in range(12)],
            "p99 of A rose from 14.0 to 54.0 ms, from second 5 on, and did not come back",
        ),
        ([1.0, None, None, 1.0], "p99 of A stayed at 1.00 ms"),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_a_line_is_told_by_what_it_did(values: list[float | None], words: str) -> None:
    """Level, a spike, a step, a slope; gaps are no values, and of nothing nothing is said."""
    assert said(values) == words


def test_what_nobody_minds_is_no_event() -> None:
    """From 0.02 to 0.2 ms is ten times as much, and no one feels it."""
    values: list[float | None] = [0.02] * 6 + [0.2] + [0.02] * 6
    assert said(values, least=0.5) == "p99 of A stayed between 0.0200 and 0.200 ms"


def test_a_bound_is_told_as_one() -> None:
    """Polls without an answer leave open how long it was."""
    values: list[float | None] = [1.0] * 6 + [40.0] + [1.0] * 6
    longer = [value == 40.0 for value in values]
    assert said(values, longer=longer) == "p99 of A rose from 1.00 to more than 40.0 ms at second 6, and came back"


def test_a_sentence_has_one_capital_and_one_full_stop() -> None:
    """Empty parts leave no mark, and a percentile is written small."""
    assert sentence("one", "", "two.") == "One; two."
    assert sentence("p99 of A rose") == "p99 of A rose."
    assert sentence("") == ""
