"""The guard takes its command down, and all that descends from it, whatever becomes of whom."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from experiments.measure.processes import guard
from tests.support.processes import still_alive

pytestmark = pytest.mark.slow

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do it")

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
LEAVE_ORPHAN = """
import subprocess, sys
orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=%s)
print(orphan.pid, flush=True)
"""


class Guarded:
    """A guard, its command, and what both say."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = int(self.hear().removeprefix("pid "))
        self.command = psutil.Process(self.pid)

    def hear(self) -> str:
        """The next line of the guard."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def hear_command(self) -> str:
        """The next line of the command."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().strip()

    def let_go(self) -> None:
        """Ends the guard's standard input, as the end of its starter does."""
        assert self.process.stdin is not None
        self.process.stdin.close()


def start(*command: str) -> subprocess.Popen[str]:
    """A guard with a pipe at each end."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def guarded(code: str) -> Iterator[Guarded]:
    """Python code under a guard; nothing of it is left afterwards."""
    with start(sys.executable, "-c", code) as process:
        one = Guarded(process)
        try:
            yield one
        finally:
            one.let_go()
            process.wait(timeout=30)
            assert still_alive([one.command]) == []


@pytest.mark.parametrize(
    ("code", "said", "returned"),
    [
        ("pass", "exit 0 itself", 0),
        ("raise SystemExit(3)", "exit 3 itself", 3),
        ("import os; os.kill(os.getpid(), 9)", "exit -9 itself", 137),
    ],
)
def test_a_command_that_ends_gives_its_code(code: str, said: str, returned: int) -> None:
    """The guard ends with its command, and says how that ended."""
    with start(sys.executable, "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("pid ")
        assert process.stdout.readline() == f"{said}\n"
        assert process.wait(timeout=30) == returned


def test_a_command_that_cannot_be_started_is_named() -> None:
    """The starter hears the reason, and no process id."""
    with start("/no/such/program") as process:
        output, _ = process.communicate(timeout=30)
    assert output == "failed No such file or directory: /no/such/program\n"
    assert process.returncode == 127


def test_the_end_of_the_pipe_ends_the_command() -> None:
    """However the starter ends, its pipes do, and then the command is asked to."""
    with guarded(SLEEP) as one:
        one.hear_command()
        one.let_go()
        assert one.hear() == "exit -15 terminated"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_guard_ends_the_command(number: int) -> None:
    """SIGTERM and SIGHUP are handed on, and the guard says how its command ended."""
    with guarded(SLEEP) as one:
        one.hear_command()
        one.process.send_signal(number)
        assert one.hear() == "exit -15 terminated"


def test_an_interrupt_of_the_guard_changes_nothing() -> None:
    """Ctrl-C is meant for the notebook: guard and command outlive it."""
    with guarded(SLEEP) as one:
        one.hear_command()
        one.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert one.process.poll() is None
        assert one.command.is_running()


def test_a_command_that_ignores_sigterm_is_killed_in_bounded_time() -> None:
    """Politeness ends after the grace period, and the guard says so."""
    with guarded(STUBBORN) as one:
        one.hear_command()
        one.let_go()
        begun = time.monotonic()
        assert one.hear() == "exit -9 killed"
    assert time.monotonic() - begun < guard.GRACE_S + guard.REAP_S + 1


def test_an_orphan_ends_with_the_command() -> None:
    """A worker that outlives its parent is taken down, and the parent's own code is told."""
    with guarded(LEAVE_ORPHAN % False) as one:
        orphan = psutil.Process(int(one.hear_command()))
        assert one.hear() == "exit 0 itself"
        assert still_alive([orphan], within_s=0) == []


@needs_linux
def test_an_orphan_that_left_the_group_ends_too() -> None:
    """A daemon in a session of its own is found as the guard's adopted child."""
    with guarded(LEAVE_ORPHAN % True) as one:
        orphan = psutil.Process(int(one.hear_command()))
        assert one.hear() == "exit 0 itself"
        assert still_alive([orphan], within_s=0) == []


@needs_linux
def test_the_command_does_not_outlive_a_killed_guard() -> None:
    """The kernel itself asks the command to end, even if the guard can no longer."""
    with guarded(SLEEP) as one:
        one.hear_command()
        one.process.kill()
        assert still_alive([one.command]) == []


def test_the_command_is_shielded_from_its_starter() -> None:
    """It has a session of its own, nothing to read, all signals as by default, and writes to the guard's log."""
    code = (
        "import os, signal, sys\n"
        "print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', flush=True)\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, file=sys.stderr)\n"
        "print(sorted(int(fd) for fd in os.listdir('/dev/fd'))[:3])\n"
    )
    with guarded(code) as one:
        assert [one.hear_command() for _ in range(3)] == ["True True", "True", "[0, 1, 2]"]


STARTER = """
import os, subprocess, sys, time
guard = subprocess.Popen(
    [sys.executable, "-I", "-S", %r, "--", sys.executable, "-c", "import time; time.sleep(60)"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
command = int(guard.stdout.readline().split()[1])
helper = os.fork() if %r else 0
if not helper and %r:
    time.sleep(60)
print(guard.pid, command, helper, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("forks", [False, True], ids=["alone", "with a fork that holds the pipe"])
def test_nothing_outlives_a_killed_starter(forks: bool) -> None:
    """A starter that is killed takes guard and command along, even if a fork of it keeps their pipe open."""
    code = STARTER % (guard.__file__, forks, forks)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        *pids, helper = (int(word) for word in starter.stdout.readline().split())
        family = [psutil.Process(pid) for pid in pids]
        try:
            starter.kill()
            assert still_alive(family) == []
        finally:
            with suppress(ProcessLookupError):
                os.kill(helper or starter.pid, signal.SIGKILL)


def test_it_needs_nothing_but_the_standard_library() -> None:
    """It runs without site-packages and without the project."""
    imports = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", imports, guard.__file__]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - {"__main__", "__mp_main__"} <= set(sys.stdlib_module_names)
    assert Path(guard.__file__).name == "guard.py"


# The log with times


TIME = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def timed(code: str, log: Path) -> subprocess.Popen[bytes]:
    """A guard that puts times into a log."""
    with log.open("ab") as opened:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, "--times", "--", sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=opened,
        )


def said_by(process: subprocess.Popen[bytes]) -> list[str]:
    """What the guard says to its end, while its starter waits."""
    assert process.stdout is not None
    with process:
        return process.stdout.read().decode().splitlines()


def let_go(process: subprocess.Popen[bytes]) -> list[str]:
    """The same, of one whose starter is gone."""
    assert process.stdin is not None
    process.stdin.close()
    return said_by(process)


def test_each_line_of_the_log_has_its_time_and_nothing_else_is_changed(tmp_path: Path) -> None:
    """Also a line that comes in pieces, an empty one, and a last one without an end; times never go back."""
    code = (
        "import sys, time\n"
        "for piece in ('one\\ntw', 'o\\n\\n', 'three'):\n"
        "    print(piece, end='', flush=True, file=sys.stderr)\n"
        "    time.sleep(0.05)\n"
    )
    assert said_by(timed(code, tmp_path / "log"))[-1] == "exit 0 itself"
    log = (tmp_path / "log").read_bytes()
    assert TIME.sub(b"", log) == b"one\ntwo\n\nthree"
    times = TIME.findall(log)
    assert len(times) == 4
    assert times == sorted(times)


def test_the_last_words_of_a_command_that_dies_are_in_the_log(tmp_path: Path) -> None:
    """Megabytes and then a kill: all is there by the time the guard says that it has ended."""
    code = (
        "import os, signal\n"
        "os.write(1, b'x' * 99 + b'\\n')\n"
        "left = memoryview((b'y' * 99 + b'\\n') * 30_000)\n"
        "while left:\n"
        "    left = left[os.write(1, left):]\n"
        "os.write(2, b'last words')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert said_by(timed(code, tmp_path / "log"))[-1] == "exit -9 itself"
    lines = TIME.sub(b"", (tmp_path / "log").read_bytes()).splitlines()
    assert len(lines) == 30_002
    assert lines[-1] == b"last words"


def test_what_a_command_says_when_it_is_ended_is_in_the_log(tmp_path: Path) -> None:
    """Its starter is gone; it says more at its end than a pipe holds, which would hold it up if nobody read."""
    code = (
        "import os, signal, sys, time\n"
        "def bye(*_):\n"
        "    sys.stdout.write('z' * 99 + '\\n' + ('y' * 99 + '\\n') * 30_000 + 'bye\\n')\n"
        "    sys.stdout.flush()\n"
        "    os._exit(7)\n"
        "signal.signal(signal.SIGTERM, bye)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = timed(code, tmp_path / "log")
    wait_for_log(tmp_path / "log", b"up\n")
    assert let_go(process)[-1] == "exit 7 terminated"
    assert (tmp_path / "log").read_bytes().endswith(b"Z bye\n")


@pytest.mark.parametrize(
    ("code", "exit_"),
    [
        ("import os, signal, time; os.close(1); os.close(2); time.sleep(60)", "exit -15 terminated"),
        ("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: print('y' * 1000)", "exit -9 killed"),
    ],
    ids=["closes its output", "prints without end"],
)
def test_no_command_keeps_the_guard_from_its_duty(code: str, exit_: str) -> None:
    """Whether it says nothing any more, or never stops: it is ended all the same."""
    process = timed(code, Path(os.devnull))
    assert process.stdout is not None
    command = psutil.Process(int(process.stdout.readline().split()[1]))
    time.sleep(0.3)
    assert let_go(process)[-1] == exit_
    assert still_alive([command], within_s=0) == []


@needs_linux
def test_a_disk_that_is_full_loses_the_lines_and_not_the_command() -> None:
    """A server goes on serving although nobody can keep what it says."""
    code = "import sys\nfor _ in range(50_000): print('y' * 99)\nsys.stdout.flush(); sys.exit(3)"
    assert said_by(timed(code, Path("/dev/full")))[-1] == "exit 3 itself"


def wait_for_log(path: Path, words: bytes) -> None:
    """Returns when the log ends so."""
    deadline = time.monotonic() + 20
    while not path.read_bytes().endswith(words):
        assert time.monotonic() < deadline, path.read_bytes()
        time.sleep(0.01)
