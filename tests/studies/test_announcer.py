"""Progress of a calibration: where it is, and when it will be over."""

from experiments.studies.announcer import Announcer


def test_each_line_has_a_time_a_place_and_an_end() -> None:
    """After some runs the estimate follows how long they took."""
    now, lines = [0.0], list[str]()
    agenda = Announcer(20, lines.append, 13.0, lambda: now[0])
    for number in range(20):
        agenda(f"run {number}")
        now[0] += 30
    assert "Z  1 of 20: run 0; about 4 min left, until " in lines[0]
    assert "Z  5 of 20: run 4; about 8 min left" in lines[4]
    assert "Z  20 of 20: run 19; about 30 s left" in lines[-1]


def test_more_runs_than_were_announced_do_no_harm() -> None:
    """The count goes on, and nothing is left."""
    lines: list[str] = []
    agenda = Announcer(1, lines.append, 13.0, lambda: 0.0)
    agenda("first")
    agenda("second")
    assert "2 of 2: second; about 0 s left" in lines[1]
