"""The truth about an attempt: what a ledger says, and what follows from a program alone."""

from pathlib import Path

import polars as pl
import pytest

from experiments.errors import RecordError
from experiments.studies.tools import truth
from experiments.studies.tools.catalogue.tool import MAX
from server.known_answer.ledger import Ledger
from tests.studies.tools.made_up_ledger import ledger, seen


def test_every_request_is_counted_once_and_by_what_became_of_it() -> None:
    """Answered, refused, cut off and unanswered add up; only who waited for as long as the timeout must have given up."""
    statuses = [200] * 10 + [503] * 5 + [200] * 5
    found = seen([0.01] * 18 + [None] * 2, statuses=statuses, whole=[True] * 15 + [False] * 5)
    assert (found.count, found.answered, found.refused, found.short, found.unanswered) == (20, 10, 5, 3, 2)
    assert found.count == found.answered + found.refused + found.short + found.unanswered
    assert (found.given_up, seen([None] + [0.01] * 19).given_up) == (0, 1)
    assert found.connections == 9


def test_times_are_those_of_the_answers_themselves() -> None:
    """Percentiles by nearest rank of what there is, in seconds, and none where nothing was answered."""
    found = seen([number / 1000 for number in range(1, 101)])
    assert found.times == pytest.approx({50: 0.05, 75: 0.075, 90: 0.09, 95: 0.095, 99: 0.099, MAX: 0.1}, abs=0.0011)
    assert seen([None]).times == {}
    assert found.late_s(MAX) == 0


def test_a_server_that_is_late_says_so() -> None:
    """By how much the answers left later than worked out is the unrest of the machine."""
    frame = ledger([0.02] * 100).with_columns(due_s=pl.col("done_s") - 0.003)
    assert truth.truth(frame, 2.0).late_s(95.0) == pytest.approx(0.003)


def test_a_ledger_is_read_as_the_server_wrote_it(tmp_path: Path) -> None:
    """Empty fields are unknown times; a file that is not there, or another one, is one sentence."""
    book = Ledger()
    book.begin(10.0)
    entry = book.note(1, 10.5)
    assert entry is not None
    book.plan(entry, 200, 10.52, whole=True)
    book.wrote(entry, 10.521, last=True)
    book.note(2, 10.6)
    book.write(tmp_path / "ledger.csv")
    found = truth.read(tmp_path / "ledger.csv", 2.0)
    assert (found.count, found.answered, found.unanswered) == (2, 1, 1)
    assert found.took[0] == pytest.approx(0.021)
    assert found.worked_out[0] == pytest.approx(0.02)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "nowhere.csv"):
        with pytest.raises(RecordError, match="holds no ledger"):
            truth.read(tmp_path / name, 2.0)


def test_devices_that_poll_by_the_clock_feel_all_of_a_stall() -> None:
    """Each poll that came due in the second of the stall waited for its end, and those behind it too."""
    felt = truth.by_the_clock("one-stall", clients=9, interval_s=0.1, seconds=4.0)
    assert felt.len() == 360
    assert felt.max() == pytest.approx(0.955)
    waited = felt.filter(felt > 0.006).len() / 9
    assert waited == 10
    assert truth.by_the_clock("steady", 9, 0.1, 4.0).to_list() == pytest.approx([0.02] * 360)


def test_a_correction_adds_what_one_more_request_an_interval_would_have_taken() -> None:
    """A time below two intervals stays alone; one of five brings four more with it."""
    found = truth.corrected(pl.Series([0.01, 0.05]), 0.01).sort().to_list()
    assert found == pytest.approx([0.01, 0.01, 0.02, 0.03, 0.04, 0.05])
    assert truth.corrected(pl.Series([0.015]), 0.01).to_list() == [0.015]
    assert truth.corrected(pl.Series([0.05]), 0.0).to_list() == [0.05]
