"""CPU time as the kernel counts it: whole, and finer than a tick."""

import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

from experiments.measure.host import cpu_clock


def burn(seconds: float) -> None:
    """Uses so much CPU time, however long that takes."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_thread_that_has_ended_still_counts() -> None:
    """What a process has cost does not fall when one of its threads ends."""
    process = psutil.Process()
    before = cpu_clock.of(process)
    thread = threading.Thread(target=burn, args=(0.03,))
    thread.start()
    thread.join()
    assert cpu_clock.of(process) - before >= 0.03


@pytest.mark.skipif(sys.platform != "linux", reason="the clock of another process is Linux's")
def test_it_is_the_sum_that_psutil_has_in_ticks() -> None:
    """Another process is read as well; the two differ by what a tick cannot show and what ran between the readings."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        process = psutil.Process(child.pid)
        while not process.cpu_times().user:
            pass
        first = cpu_clock.of(process)
        times = process.cpu_times()
        assert first - cpu_clock.TICK_S * 3 <= times.user + times.system <= cpu_clock.of(process) + cpu_clock.TICK_S * 3
        child.communicate(b"\n")
    assert cpu_clock.resolution_s() < cpu_clock.TICK_S


def test_a_process_that_is_gone_is_told_so() -> None:
    """Nobody's time is nobody's, and not that of whoever has the number next."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    child.wait()
    with pytest.raises(psutil.NoSuchProcess):
        cpu_clock.of(process)
    assert cpu_clock.of(psutil.Process(os.getpid())) > 0
