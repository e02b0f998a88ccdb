"""A disk that can be filled: a small tmpfs where this process may mount one, else a limit on the size of files."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults.harm import generators


class SmallDisk:
    """Where a test's results go."""

    def __init__(self, path: Path, *, mounted: bool) -> None:
        self.path = path
        self._mounted = mounted

    @property
    def reason(self) -> str:
        """What the operating system says once it is full."""
        return os.strerror(errno.ENOSPC if self._mounted else errno.EFBIG)

    def fill(self) -> None:
        """From now on a generator cannot write its rows."""
        if not self._mounted:
            for process in generators():
                process.rlimit(psutil.RLIMIT_FSIZE, (100, 100))
            return
        with (self.path / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass


@contextmanager
def small_disk(path: Path) -> Iterator[SmallDisk]:
    """Mounts a disk of 8 MB there, if it may."""
    path.mkdir()
    mounted = mount(path)
    try:
        yield SmallDisk(path, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def mount(path: Path) -> bool:
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
