"""The environment's fingerprint: what a reader must know to compare this run with another.

Holds no user name, no host name, no path and no environment variable.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from experiments.measure.host.allowance import Allowance

ROOT = Path(__file__).parents[3]
"""The project, if it is run from its own folder."""
_GIT_S = 10.0
CERTIFICATE = "calibration.json"
"""Name of the certificate of calibration in the folder of results; `experiments.studies.calibrate` writes it."""

_PACKAGES = (
    "falcon",
    "uvicorn",
    "uvloop",
    "httptools",
    "httpx",
    "httpcore",
    "polars",
    "psutil",
    "plotly",
    "papermill",
    "jupyterlab",
    "ipykernel",
    "nest-asyncio2",
)


def fingerprint() -> dict[str, Any]:
    """Machine, operating system, Python and the versions that may move a figure."""
    clock = time.get_clock_info("monotonic")
    cores, memory_bytes = psutil.cpu_count(logical=True), psutil.virtual_memory().total
    may_use = Allowance.of(os.getpid())
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu_model": _cpu_model(),
        "cores": cores,
        "cores_usable": may_use.cores or cores,
        "cores_physical": psutil.cpu_count(logical=False),
        "memory_bytes": memory_bytes,
        "memory_usable_bytes": min(memory_bytes, may_use.memory_bytes or memory_bytes),
        "open_files": most_files(),
        "hypervisor": is_virtual(_lines("/proc/cpuinfo")),
        "cpu_governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "clock": {"name": clock.implementation, "resolution_s": clock.resolution},
        "packages": {name: _version(name) for name in _PACKAGES},
        "lab_version": _version("falcon-asgi-performance-lab"),
        "commit": commit(ROOT),
    }


def most_files() -> dict[str, int | None]:
    """Files that a process of this one's may open, and how far it may raise that itself; None for no limit."""
    limits = zip(("soft", "hard"), resource.getrlimit(resource.RLIMIT_NOFILE), strict=True)
    return {name: None if limit == resource.RLIM_INFINITY else limit for name, limit in limits}


def commit(folder: Path) -> dict[str, Any] | None:
    """The commit that a folder's files are of, and whether they were changed since; None where no git knows."""
    if not (folder / ".git").exists():  # A repository further up is somebody else's.
        return None
    try:
        found, changed = (_git(folder, *asked) for asked in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno")))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"id": found.strip(), "changed": bool(changed.strip())}


def _git(folder: Path, *asked: str) -> str:
    # Without optional locks: somebody may commit meanwhile.
    command = ["git", "--no-optional-locks", "-C", str(folder), *asked]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GIT_S).stdout


def identity() -> dict[str, Any]:
    """What must be alike for a calibration to speak for a run: the machine, Python, and the versions that send and serve."""
    whole = fingerprint()
    same = ("python", "implementation", "kernel", "architecture", "cpu_model", "cores", "memory_bytes", "lab_version")
    may_use = ("cores_usable", "memory_usable_bytes")
    packages = {name: whole["packages"][name] for name in ("uvloop", "httptools", "httpx", "polars")}
    return {name: whole[name] for name in (*same, *may_use)} | {"packages": packages}


def certificate(results_dir: Path) -> dict[str, Any] | None:
    """The certificate of calibration that speaks for this machine and these versions; None where there is none."""
    try:
        found = json.loads((results_dir / CERTIFICATE).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("machine") == identity() else None


def _cpu_model() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def is_virtual(cpuinfo: Sequence[str]) -> bool | None:
    """Whether the processor says that a hypervisor runs it; None where it says nothing, as on ARM.

    Args:
        cpuinfo: lines of /proc/cpuinfo.
    """
    flags = next((line for line in cpuinfo if line.startswith("flags")), None)
    return None if flags is None else " hypervisor" in flags


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _first_line(path: str) -> str | None:
    return next(iter(_lines(path)), None)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
