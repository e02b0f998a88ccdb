"""An interrupt at any moment of a run: it ends what it must, keeps what there is, and leaves no process."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import experiments as lab
from experiments.progress import Progress
from tests.faults.harm import assert_all_planned, check, generators, ours, run_with, scenario
from tests.support.processes import still_alive

pytestmark = pytest.mark.slow


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def commands(word: str) -> list[str]:
    """Command lines of the run's processes that contain a word."""
    with suppress(psutil.Error):  # One ended while it was looked at.
        return [line for process in ours() if word in (line := " ".join(process.cmdline()))]
    return []


def run_and_interrupt(tmp_path: Path, coming: str) -> None:
    """Interrupts a run that starts, at once or when a process comes whose command has that word."""
    over = threading.Event()

    def interrupt_when_it_comes() -> None:
        while coming != "nothing" and not commands(coming) and not over.is_set():
            time.sleep(0.01)
        if not over.is_set():  # An interrupt too late would end the tests.
            interrupt()

    watcher = threading.Thread(target=interrupt_when_it_comes)
    try:
        run_with(tmp_path, watcher.start, phase="starting", after_s=0, warmup_s=0, minutes=5, workers=2)
    finally:
        over.set()
        watcher.join()


@pytest.mark.parametrize("coming", ["nothing", "guard.py", "experiments.measure.generators.worker_main"])
def test_an_interrupt_while_the_run_starts_ends_it(tmp_path: Path, coming: str) -> None:
    """There is nothing to show yet, so the interrupt reaches the experimenter, and the record says that it is unfinished."""

    with pytest.raises(KeyboardInterrupt):
        run_and_interrupt(tmp_path, coming)
    record = lab.load(tmp_path / "results" / "it")
    assert not record.finished
    assert record.requests().height == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_in_the_warm_up_gives_a_record_without_a_window(tmp_path: Path) -> None:
    """The record is sealed, and says that there is nothing to believe."""
    record = run_with(tmp_path, interrupt, phase="warming up", after_s=0.5, warmup_s=5)
    assert record.finished
    assert record.facts["cut_short_kind"] == "interrupted"
    assert record.window_s == 0
    assert record.requests().height > 0
    assert record.summary()["verdict"]["status"] == "invalid"


def test_impatience_loses_nothing(tmp_path: Path) -> None:
    """An interrupt that is given again and again closes the window once; the record is sealed all the same."""

    def again_and_again(progress: Progress) -> None:
        if progress.phase in ("measuring", "finishing"):
            interrupt()
            interrupt()

    record = lab.run(scenario(tmp_path, minutes=5), on_progress=again_and_again)
    assert still_alive(ours()) == []
    assert record.facts["cut_short_kind"] == "interrupted"
    assert_all_planned(record)
    assert record.missing == ()


def test_an_interrupt_while_the_run_finishes_changes_nothing(tmp_path: Path) -> None:
    """All was measured already, and what is left to do is bounded."""
    record = run_with(tmp_path, interrupt, phase="finishing", minutes=1 / 60)
    assert record.facts["cut_short"] is None
    assert record.missing == ()
    assert_all_planned(record)
    assert check(record, "rows_complete")["status"] == "valid"


def test_an_interrupt_while_a_generator_hangs_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is waited for within bounds, then killed, and its polls have their rows."""
    monkeypatch.setattr("experiments.measure.run_state._STOPPED_S", 1.0)

    def hang() -> None:
        generators()[0].suspend()
        interrupt()

    record = run_with(tmp_path, hang, minutes=5)
    assert record.facts["cut_short_kind"] == "interrupted"
    assert "was killed" in record.missing[0]
    assert_all_planned(record)
