"""The most memory that this process has ever had resident: what the kernel keeps of it, in bytes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def peak_rss_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """The peak of this process alone; None where the platform does not tell.

    Not `ru_maxrss`, which begins with the size of whoever started the process: it survives exec.
    Source: VmHWM in proc(5).
    """
    with suppress(OSError, ValueError):
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
