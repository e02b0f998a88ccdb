"""What is seen while cells are measured, in a log and in JupyterLab."""

from dataclasses import dataclass
from datetime import UTC, datetime

from experiments.present.live.cells import Bar, CellLines

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Came:
    status: str
    why: str = ""
    verdict: str | None = None


@dataclass(frozen=True)
class Report:
    phase: str
    elapsed_s: float = 0.0
    expected_s: float = 30.0
    cell: str = "clients-500_1"
    number: int = 3
    total: int = 24
    remaining_s: float = 720.0
    last: Came | None = None


def test_a_log_has_two_lines_a_cell() -> None:
    """When it begins, with the end foretold, and what came of it."""
    lines: list[str] = []
    show = CellLines(lines.append, lambda: NOON)
    reports = [Report("cooling down"), *(Report("measuring", second) for second in range(30))]
    for report in (*reports, Report("done", last=Came("done", verdict="valid"))):
        show(report)
    assert lines == [
        "12:00:00Z  cell 3 of 24, clients-500_1: 30 s; all done about 12:12Z (in 12 min)",
        "12:00:00Z  clients-500_1: valid",
    ]


def test_a_cell_without_a_record_is_told_with_its_reason() -> None:
    """The error stands where a verdict would."""
    lines: list[str] = []
    CellLines(lines.append, lambda: NOON)(Report("done", last=Came("failed", "ServerStartError: no room")))
    assert lines == ["12:00:00Z  clients-500_1: failed, ServerStartError: no room"]


def test_the_bar_counts_cells_and_the_part_of_the_one_under_way() -> None:
    """Two of 24 are done, and half of the third."""
    drawn = Bar(lambda: NOON).drawn(Report("measuring", 15.0, last=Came("done", verdict="suspect")))
    assert "width:10.4%" in drawn.content
    assert "ends about 12:12:00Z" in drawn.content
    assert "the one before: suspect" in drawn.content


def test_the_bar_does_not_run_ahead_of_a_cell_that_takes_longer() -> None:
    """It waits at the cell's end."""
    assert "width:12.5%" in Bar(lambda: NOON).drawn(Report("measuring", 90.0)).content
