"""A generator dies, hangs or runs out of files: the run is invalid and says why, and each of its polls has a row."""

import errno
import io
import math
import os
import threading
from pathlib import Path

import httpx
import polars as pl
import psutil
import pytest

from experiments.analyse.polls import prepare
from experiments.measure import run_state
from experiments.measure.engines.errors import outcome_of
from experiments.measure.generators import worker_main
from experiments.measure.generators.shard import Report
from experiments.record.schema import UNSENT, Outcome
from tests.faults.harm import (
    assert_all_planned,
    check,
    ends,
    generators,
    outcomes,
    run_with,
)

slow = pytest.mark.slow


@slow
def test_a_run_whose_only_generator_was_killed_ends_then(tmp_path: Path) -> None:
    """The window closes at once; what was polled without a row on disk counts as unsent."""
    record = run_with(tmp_path, lambda: generators()[0].kill(), minutes=5)
    assert record.facts["cut_short_kind"] == "generator_lost"
    assert record.facts["cut_short"] == "generator 0 was ended by SIGKILL before it had given its facts"
    assert 0 < record.window_s < 60
    assert_all_planned(record)
    assert outcomes(record).keys() == {"unsent_late"}
    error = record.facts["generator"]["instances"][0]["error"]
    assert record.missing == (error,)
    assert "recorded as unsent_late" in error
    assert record.summary()["verdict"]["status"] == "invalid"
    for name in ("generator_errors", "unsent_late"):
        assert check(record, name)["status"] == "invalid"
    assert "Generator 0 was ended by SIGKILL" in check(record, "generator_errors")["meaning"]


@slow
def test_the_other_generator_goes_on_to_the_end(tmp_path: Path) -> None:
    """Its devices have all their answers; of the lost one's, those on disk stay and the others are unsent."""
    record = run_with(tmp_path, lambda: generators()[1].kill(), after_s=6, generators=2, minutes=8 / 60)
    assert record.facts["cut_short"] is None
    assert record.window_s == pytest.approx(8)
    assert_all_planned(record)
    polls = prepare(record).with_columns(instance=pl.col("client") % 2)
    assert set(polls.filter(instance=0)["outcome"].unique()) - {*UNSENT} == {"ok"}
    lost = polls.filter(instance=1)
    late = lost.filter(pl.col("outcome") == "unsent_late")
    assert lost.filter(pl.col("outcome") == "ok").height > 0
    assert late.height > 0
    assert late["due_s"].min() > lost.filter(pl.col("outcome") == "ok")["due_s"].min()  # type: ignore[operator]
    facts = record.facts["generator"]["instances"][1]
    assert (facts["parts"], facts["added_rows"]) == (2, late.height)
    assert "no flaw" in check(record, "rows_complete")["figure"]
    assert check(record, "generator_errors")["status"] == "invalid"
    assert check(record, "one_at_a_time")["status"] == "valid"
    assert record.missing == (facts["error"],)


@slow
def test_a_generator_that_was_stopped_for_a_while_ends_normally(tmp_path: Path) -> None:
    """All its polls are there, and the verdict has seen that it stood still."""

    def suspend() -> None:
        process = generators()[0]
        process.suspend()
        threading.Timer(0.7, process.resume).start()

    record = run_with(tmp_path, suspend)
    assert_all_planned(record)
    assert record.missing == ()
    assert record.facts["cut_short"] is None
    assert record.facts["generator"]["instances"][0]["longest_stall_s"] > 0.4
    assert check(record, "generator_stall")["status"] == "invalid"


@slow
def test_a_generator_that_never_comes_back_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for it is bounded; it does not outlive the run, and its polls have their rows."""
    monkeypatch.setattr(run_state, "_OVERTIME_S", 1.0)
    record = run_with(tmp_path, lambda: generators()[0].suspend(), generators=2)
    assert_all_planned(record)
    assert record.facts["cut_short"] is None
    assert "generator 0 did nothing any more and was killed" in record.missing[0]
    assert check(record, "generator_errors")["status"] == "invalid"
    assert check(record, "unsent_late")["status"] == "invalid"


@slow
def test_a_generator_out_of_files_blames_nobody_else(tmp_path: Path) -> None:
    """Where each poll needs a connection and none can be opened, the polls are the generator's errors."""

    def starve() -> None:
        process = generators()[0]
        soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (3, hard))
        threading.Timer(1.0, process.rlimit, (psutil.RLIMIT_NOFILE, (soft, hard))).start()

    record = run_with(tmp_path, starve, keep_alive=False)
    assert_all_planned(record)
    assert record.missing == ()
    assert ends(record).keys() == {"ok", "generator_error"}
    assert check(record, "generator_errors")["status"] == "invalid"
    assert check(record, "generator_errors")["kind"] == "failed"


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_what_this_machine_is_short_of_is_never_the_servers_fault(number: int) -> None:
    """Ports, files or memory: the poll could not be asked."""
    error = httpx.ConnectError("")
    error.__cause__ = OSError(number, os.strerror(number))
    assert outcome_of(error) is Outcome.GENERATOR_ERROR


def test_nobody_who_listens_does_not_hold_up_a_generator() -> None:
    """While its starter is suspended and the pipe to it is full, reports are dropped and the devices go on."""
    reader, writer = os.pipe()
    report = Report(1, 1, 0, 0, None, None, math.pi, None)
    with open(writer, "w") as stdout, open(reader, "rb"):  # noqa: PTH123 - a number has no path
        starter = worker_main.Starter(io.StringIO(), stdout)
        for _ in range(2000):  # Of some 150 bytes each, into a pipe of 64 KB.
            starter.report(report)
