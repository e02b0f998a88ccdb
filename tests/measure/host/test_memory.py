"""The peak of a process's memory is its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.measure.host import memory

LARGE = 200 * 2**20
CHILD = "from experiments.measure.host import memory; print(memory.peak_rss_bytes())"
PARENT = f"""
import subprocess, sys
held = b"1" * {LARGE}
subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_is_not_inherited_from_the_starter() -> None:
    """A small process that a large one starts is small."""
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=60, check=True)
    assert 0 < int(done.stdout) < LARGE / 2


def test_a_peak_that_is_not_told_is_not_known(tmp_path: Path) -> None:
    """Without the file, the line or a number in it there is no figure."""
    made_up = tmp_path / "status"
    assert memory.peak_rss_bytes(made_up) is None
    for text, peak in (("Name: x\n", None), ("VmHWM: many kB\n", None), ("VmPeak: 9 kB\nVmHWM:\t  77 kB\n", 77 * 1024)):
        made_up.write_text(text)
        assert memory.peak_rss_bytes(made_up) == peak


def test_nothing_takes_the_figure_that_is_inherited() -> None:
    """Nowhere in the tree is a peak read that survives exec."""
    root = Path(__file__).parents[3]
    files = [path for folder in ("experiments", "server", "benchmarks") for path in (root / folder).rglob("*.py")]
    assert [path.name for path in files if ".ru_maxrss" in path.read_text()] == []
