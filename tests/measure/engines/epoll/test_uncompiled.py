"""The loop runs as plain Python too, as debuggers and coverage see it: some of its tests where nothing is compiled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SOME = (
    "measure/engines/epoll/test_course.py",
    "measure/engines/epoll/test_head.py::test_what_servers_send_is_plain",
    "hostile/test_compiled_loop.py::test_any_bytes_in_any_pieces_come_to_the_same_row[damaged]",
    "measure/engines/aio/test_swarm.py::test_every_planned_poll_is_a_row[epoll]",
    "measure/engines/epoll/test_swarm.py::test_what_comes_behind_a_body_never_meets_the_next_answer",
)


@pytest.mark.slow
def test_the_same_source_runs_uncompiled() -> None:
    """Course, heads, answers in pieces and a whole run come out the same where numba compiles nothing."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "LAB_HOSTILE_INPUTS": "1000"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{one}" for one in SOME)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
