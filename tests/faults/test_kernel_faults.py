"""What happens to the process that runs the notebook: restarted, out of time, suspended; and the page made afterwards."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import experiments as lab
from experiments.present.exporter import LabReportExporter
from experiments.record.state import Fault, GapKind
from tests.faults.harm import SMALL, apart, assert_all_planned, generators, run_with
from tests.notebooks.test_run_notebook import (
    NOTEBOOK,
    Kernel,
    cells_with,
    finish,
    load_is_on,
    outputs_text,
    papermill,
    wait_for,
)
from tests.support.earlier import content
from tests.support.processes import descendants, still_alive

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("earlier")]


def assert_parts_are_readable(tmp_path: Path) -> None:
    record = lab.load(tmp_path / "results" / "it")
    assert not record.finished
    assert record.requests().height > 0
    assert record.gaps[0].kind is GapKind.SEAL
    assert [gap for gap in record.gaps if gap.fault is Fault.UNREADABLE] == []


def test_a_restarted_kernel_leaves_no_process(tmp_path: Path) -> None:
    """JupyterLab's restart ends the run; what was on disk can be read, and the new kernel works."""
    kernel = Kernel(tmp_path)
    try:
        kernel.queue(cells_with(tmp_path, minutes=5))
        wait_for(lambda: load_is_on(tmp_path))
        family = descendants(kernel.pid)
        assert len(family) >= 3
        kernel.manager.restart_kernel()
        assert still_alive(family) == []
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
    assert_parts_are_readable(tmp_path)


def test_an_interrupt_of_the_kernel_while_the_run_starts_is_shown_as_such(tmp_path: Path) -> None:
    """The cell ends with KeyboardInterrupt, and no process is left."""
    kernel = Kernel(tmp_path)
    try:
        kernel.queue(cells_with(tmp_path, minutes=5, workers=2))
        wait_for(lambda: (tmp_path / "results" / "it" / "server.log").exists())
        family = descendants(kernel.pid)[1:]
        kernel.manager.interrupt_kernel()
        errors = [reply for reply in replies(kernel) if reply["status"] == "error"]
        assert errors[0]["ename"] == "KeyboardInterrupt"
        assert still_alive(family) == []
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
    assert not lab.load(tmp_path / "results" / "it").finished


def replies(kernel: Kernel) -> list[dict[str, Any]]:
    """What the cells ended with, up to the first that failed."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["status"] == "ok":
        found.append(kernel.client.get_shell_msg(timeout=60)["content"])
    return found


def test_a_cell_that_is_out_of_time_leaves_no_process(tmp_path: Path) -> None:
    """papermill gives up with exit code 1 and the reason; what was on disk can be read."""
    words = [sys.executable, "-m", "papermill", str(NOTEBOOK), "out.ipynb", "-k", "python3", "--execution-timeout", "12"]
    for name, value in (SMALL | {"results_dir": tmp_path / "results", "minutes": 5}).items():
        words += ["-p", name, str(value)]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: load_is_on(tmp_path))
    family = descendants(process.pid)
    log = finish(process)
    assert process.returncode == 1
    assert "timed out" in log
    assert still_alive(family) == []
    assert_parts_are_readable(tmp_path)
    report = page_of(tmp_path)
    assert "The notebook was ended from outside while it was measuring" in report
    assert "the kernel was told to end while this step ran" in report
    assert "Event loop stopped" not in report
    assert report.index("Measurement:") < report.index("What came out</h2>")


def page_of(tmp_path: Path) -> str:
    """The report that is made of what papermill left behind."""
    return str(LabReportExporter().from_filename(str(tmp_path / "out.ipynb"))[0])  # type: ignore[no-untyped-call]


def test_the_page_of_a_killed_kernel_says_so_and_shows_the_record(tmp_path: Path) -> None:
    """papermill ends with 138; sections that were never run are shown from the rows that were written."""
    process = papermill(tmp_path, minutes=5)
    wait_for(lambda: load_is_on(tmp_path))
    family = descendants(process.pid)
    (kernel,) = (one for one in family if "ipykernel_launcher" in one.cmdline())
    kernel.kill()
    log = finish(process)
    assert process.returncode == 138, log
    assert still_alive(family) == []
    assert_parts_are_readable(tmp_path)
    report = page_of(tmp_path)
    assert "The kernel ended without a word" in report
    assert f"the run had written until then, {tmp_path / 'results' / 'it'}: " in report
    assert report.index("Measurement:") < report.index("What came out</h2>")


def test_a_run_that_was_suspended_ends_normally(tmp_path: Path) -> None:
    """The load goes on without its starter, even past its end; once awake again, that finds everything."""
    process = subprocess.Popen(apart(tmp_path))
    run = psutil.Process(process.pid)
    wait_for(lambda: (tmp_path / "results" / "it" / "resources.parquet").exists())
    family = descendants(process.pid)
    run.suspend()
    time.sleep(5)  # The window is 3 s.
    run.resume()
    assert process.wait(timeout=30) == 0
    assert still_alive(family) == []
    record = lab.load(tmp_path / "results" / "it")
    assert record.missing == ()
    assert record.facts["cut_short"] is None
    assert_all_planned(record)


def test_a_run_that_was_cut_short_is_shown_with_its_reason(tmp_path: Path) -> None:
    """The same notebook makes the page of it, stamped with what happened; the record is left as it is."""
    record = run_with(tmp_path, lambda: generators()[0].kill(), minutes=5)
    before = content(record.path)
    process = papermill(tmp_path, run_dir=record.path)
    log = finish(process)
    assert process.returncode == 0, log
    shown = outputs_text(tmp_path / "out.ipynb")
    assert "This run is not complete" in shown
    assert "generator 0 was ended by SIGKILL before it had given its facts" in shown
    assert "are recorded as unsent_late" in shown
    assert content(record.path) == before
