"""Starts one command and ends it, with all that descends from it, as soon as nobody wants it any more.

    python -I -S guard.py [--times] -- command argument ...

Nobody wants it any more when standard input ends (its starter holds the other end of that pipe, and however a starter
dies, even by SIGKILL, its pipes end with it), when the starter is no longer the parent, or on SIGTERM or SIGHUP. SIGINT is
ignored: an interrupt is meant for the notebook, and a terminal sends it to everybody.

The command's output goes to the guard's standard error; with --times through the guard, which writes before each line when
it came (UTC), and has written all of it before it says that the command has ended.

On standard output the guard says, a line each:

    pid <number>          the command runs, in a session of its own
    failed <reason>       or it could not be started
    exit <code> <how>     its exit code (minus the signal, if one ended it); how: itself, terminated or killed

Standard library only, one thread, no configuration: it has to be small, quick to start and right. It knows nothing of
servers, nor of this project.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GRACE_S = 5.0
"""From SIGTERM to SIGKILL."""
REAP_S = 2.0
"""How long the dead may take to go after SIGKILL; one that hangs in the kernel is left to it."""

_LOOK_S = 1.0
"""How often the parent is looked at. The pipe says the same at once, unless a fork of the starter holds it open too."""
_POLL_S = 0.01
_PIPE_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_NOT_STARTED = 127
"""What a shell says of a command that it cannot start."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Guards the command after `--`.

    Returns:
        The command's exit code, as a shell would give it.
    """
    starter = os.getppid()
    heard = _hear_signals()
    prctl = _prctl()
    split = arguments.index("--")
    log = TimedLog() if "--times" in arguments[:split] else None
    # What outlives its parent becomes a child of the guard, which can then see it, end it and reap it.
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        family = Family(_start(arguments[split + 1 :], prctl, log), log.hand_on if log else time.sleep)
    except OSError as error:
        _say(f"failed {error.strerror}: {error.filename}")
        return _NOT_STARTED
    _say(f"pid {family.pid}")
    _wait_until_unwanted(family, heard, starter, log)
    how = "itself" if family.code is not None else "terminated"
    if not family.end() and how == "terminated":
        how = "killed"
    if log:
        log.finish()
    code = -signal.SIGKILL if family.code is None else family.code
    _say(f"exit {int(code)} {how}")
    return code if code >= 0 else 128 - code


class Family:
    """The command and all that descends from it."""

    def __init__(self, process: subprocess.Popen[bytes], pause: Callable[[float], None]) -> None:
        self._pause = pause
        """Lets that many seconds pass at most, and does what must go on meanwhile."""
        # Kept, because a Popen that is thrown away asks for the exit code, which then is lost.
        self._process = process
        self.pid = process.pid
        """Of the command; also the number of its session and process group."""
        self.code: int | None = None
        """Its exit code, once it has ended."""

    def end(self) -> bool:
        """SIGTERM, a bounded wait, SIGKILL, another.

        Returns:
            Whether SIGKILL was not needed.
        """
        self._signal(signal.SIGTERM)
        if self._gone_within(GRACE_S):
            return True
        deadline = time.monotonic() + REAP_S
        while self.reap() and time.monotonic() < deadline:
            self._signal(signal.SIGKILL)
            _kill_children()
            self._pause(_POLL_S)
        return False

    def reap(self) -> bool:
        """Collects the dead.

        Returns:
            Whether anybody is left.
        """
        with suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                if reaped[0] == self.pid:
                    self.code = os.waitstatus_to_exitcode(reaped[1])
            return True
        return self._signal(0)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.reap():
            if time.monotonic() >= deadline:
                return False
            self._pause(_POLL_S)
        return True

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.pid, number)
        except OSError:
            return False
        return True


class TimedLog:
    """The command's output on its way to standard error, each line with the time at which it was read.

    A line takes microseconds here, and a megabyte may wait in the pipe, so a command that prints is not held up. A disk that
    takes no more loses the lines, and not the command.
    """

    def __init__(self) -> None:
        self._source, self.sink = os.pipe()
        """Where the command writes; to be closed once it has it."""
        os.set_blocking(self._source, False)
        with suppress(OSError, AttributeError):  # Not allowed, or not Linux: then the pipe is as large as it is.
            fcntl.fcntl(self._source, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._open = True
        self._line_begins = True

    @property
    def sources(self) -> list[int]:
        """What is to be waited for: nothing once everybody has closed the other end."""
        return [self._source] if self._open else []

    def hand_on(self, seconds: float = 0.0) -> None:
        """Waits so long for output, and hands on a piece of it."""
        if not self._open:
            time.sleep(seconds)
        elif select.select(self.sources, [], [], seconds)[0]:
            self._piece()

    def finish(self) -> None:
        """Hands on all that is left; whoever still writes is beyond reach, and is not waited for."""
        while self._open and self._piece():
            pass

    def _piece(self) -> bool:
        try:
            piece = os.read(self._source, _PIECE_BYTES)
        except BlockingIOError:
            return False
        self._open = bool(piece)
        if piece:
            self._write(piece)
        return self._open

    def _write(self, piece: bytes) -> None:
        now = time.time()
        stamp = b"%s.%03dZ " % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)).encode(), now % 1 * 1000)
        timed = piece[:-1].replace(b"\n", b"\n" + stamp) + piece[-1:]
        timed = stamp + timed if self._line_begins else timed
        self._line_begins = piece.endswith(b"\n")
        with suppress(OSError):
            while timed:
                timed = timed[os.write(sys.stderr.fileno(), timed) :]


def _kill_children() -> None:
    """Kills who left the process group, as daemons do: once orphans, they are the guard's children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with suppress(OSError):
        for number in children.read_text().split():
            os.kill(int(number), signal.SIGKILL)


def _start(command: list[str], prctl: Callable[[int, int], object], log: TimedLog | None) -> subprocess.Popen[bytes]:
    """Starts the command in a session of its own.

    Raises:
        OSError: it is not there, or not allowed.
    """
    guard = os.getpid()

    def end_with_guard() -> None:
        # In case the guard itself is killed. The kernel sends this when the *thread* that forked ends; the guard has only
        # one. SIGTERM and not SIGKILL, because a server with worker processes then takes them along: they get no signal.
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != guard:
            os._exit(_NOT_STARTED)

    output = log.sink if log else sys.stderr.fileno()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=end_with_guard,
    )
    if log:
        os.close(log.sink)
    return process


def _wait_until_unwanted(family: Family, heard: int, starter: int, log: TimedLog | None) -> None:
    """Returns when the command has ended by itself (it then has a code) or is to be ended."""
    while family.code is None:
        sources = log.sources if log else []
        ready, _, _ = select.select([sys.stdin.fileno(), heard, *sources], [], [], _LOOK_S)
        if log and sources and sources[0] in ready:
            log.hand_on()
        if heard in ready and {signal.SIGTERM, signal.SIGHUP} & set(os.read(heard, 512)):
            return
        if sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 512):
            return
        if os.getppid() != starter:
            return
        family.reap()


def _hear_signals() -> int:
    """Has each signal write its number to a pipe and do nothing else; returns the end to read.

    Handlers, where ignoring would do, because a command inherits what is ignored.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    return heard


def _prctl() -> Callable[[int, int], object]:
    """Linux's prctl; elsewhere nothing, and the process group has to do."""
    if sys.platform == "linux":
        function: Callable[[int, int], object] = ctypes.CDLL(None).prctl
    else:

        def function(option: int, value: int) -> None:
            pass

    return function


def _say(words: str) -> None:
    with suppress(OSError):  # The starter may be gone.
        os.write(sys.stdout.fileno(), words.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
