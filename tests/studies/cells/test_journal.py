"""The journal tells what happened, also after a kill in the middle of a line."""

from pathlib import Path

from experiments.studies.cells.journal import Journal


def test_events_come_back_in_order(tmp_path: Path) -> None:
    """Each line has its time in UTC and the facts that were given with it."""
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.events() == []
    journal.add("begun", cell="a")
    journal.add("done", cell="a", seconds=1.5)
    assert [(event["event"], event["cell"], event.get("seconds")) for event in journal.events()] == [
        ("begun", "a", None),
        ("done", "a", 1.5),
    ]
    assert all(event["at"].endswith("Z") for event in journal.events())


def test_a_line_that_a_kill_cut_off_costs_that_line_alone(tmp_path: Path) -> None:
    """What was there stays, and what is added later is not swallowed by the rest of it."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add("begun", cell="a")
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"at": "2026-11-24T10:')
    journal.add("begun", cell="b")
    assert [event["cell"] for event in journal.events()] == ["a", "b"]
