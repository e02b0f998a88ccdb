"""What a process may use of its machine, and how long a quota held it back: cores, memory, throttled time.

A process id in; limits and counters out. Reads /proc and the control groups (v1, v2, or both at once) below a root that can
be a made-up one. What is not told, or not seen from here, is None. Of a limit at several levels the narrowest holds.

Source: Linux, Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst; proc(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path("/")
_UNLIMITED_BYTES = 2**62
"""v1 says "no limit" by a number near 2**63, in whole pages."""


@dataclass(frozen=True)
class Throttling:
    """How often and how long a CPU quota held processes back since their control group was made."""

    periods: int
    """Periods of the quota, mostly 100 ms, in which they had something to do."""
    throttled_periods: int
    """Those of them in which the quota was used up."""
    throttled_s: float
    """Time held back, summed over processors: it can grow faster than time goes by."""


@dataclass(frozen=True)
class Allowance:
    """What one process may use."""

    cores: float | None
    """Processors that it may use at a time, by affinity and quota; None where nobody tells."""
    quota_cores: float | None
    """The CPU quota alone; None where there is none."""
    memory_bytes: int | None
    """None where nothing limits it below the memory of the machine."""
    _with_quota: tuple[Path, ...] = ()
    """The control groups that have a quota, this process's own first."""

    @classmethod
    def of(cls, pid: int, root: Path = ROOT) -> Allowance:
        """Looks at a process; what its control groups allow is what it is held to from now on."""
        cpu, memory = ([*_levels(pid, name, root)] for name in ("cpu", "memory"))
        quotas = {level: quota for level in cpu if (quota := _quota(level)) is not None}
        limits = [limit for level in memory if (limit := _memory(level)) is not None]
        quota = min(quotas.values(), default=None)
        bounds = [bound for bound in (_affinity(pid, root), quota) if bound is not None]
        return cls(min(bounds, default=None), quota, min(limits, default=None), tuple(quotas))

    def throttling(self) -> Throttling | None:
        """The counters at this moment, of all levels that have a quota together; None without a quota."""
        counted = [counters for level in self._with_quota if (counters := _numbers(level / "cpu.stat"))]
        if not counted:
            return None
        sums = {name: sum(one.get(name, 0) for one in counted) for name in _NAMES}
        seconds = sums["throttled_usec"] / 1e6 + sums["throttled_time"] / 1e9
        return Throttling(sums["nr_periods"], sums["nr_throttled"], seconds)

    def facts(self) -> dict[str, Any]:
        """As they stand in a record."""
        return {"cores": self.cores, "quota_cores": self.quota_cores, "memory_bytes": self.memory_bytes}

    def same_quota(self, other: Allowance) -> bool:
        """Whether both are held back by the same control group."""
        return bool(set(self._with_quota) & set(other._with_quota))


_NAMES = ("nr_periods", "nr_throttled", "throttled_usec", "throttled_time")
"""Of cpu.stat; the third is v2's, in us, the fourth v1's, in ns."""


def _levels(pid: int, controller: str, root: Path) -> Iterator[Path]:
    """The control groups of a process for a controller, its own first, as far up as can be seen."""
    place = _own(pid, controller, root)
    mount = _mount(controller if place and place[0] else "", root)
    if place is None or mount is None:
        return
    begins, mounted_at = mount
    path = Path(place[1])
    if ".." in path.parts or not path.is_relative_to(begins):
        return  # It is outside of what is mounted here: in another container.
    below = path.relative_to(begins)
    for level in (below, *below.parents):
        if (folder := mounted_at / level).is_dir():
            yield folder


def _own(pid: int, controller: str, root: Path) -> tuple[str, str] | None:
    """(controllers of the hierarchy, path in it); v1 where the controller has a hierarchy of its own, else v2."""
    unified = None
    for line in _lines(root / "proc" / str(pid) / "cgroup"):
        number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return controllers, path
        if number == "0" and not controllers:
            unified = "", path
    return unified


def _mount(controller: str, root: Path) -> tuple[Path, Path] | None:
    """Which part of a hierarchy is mounted here, and where; empty for v2."""
    for line in _lines(root / "proc" / "self" / "mountinfo"):
        before, _, after = line.partition(" - ")
        fields, (kind, _, options, *_) = before.split(), [*after.split(), "", "", ""]
        if kind == ("cgroup" if controller else "cgroup2") and (not controller or controller in options.split(",")):
            return Path(fields[3]), root / fields[4].lstrip("/")
    return None


def _quota(level: Path) -> float | None:
    """Processors that a control group may use at a time."""
    with suppress(ValueError, IndexError, ZeroDivisionError):
        if words := _words(level / "cpu.max"):
            return None if words[0] == "max" else int(words[0]) / int(words[1])
        quota, period = (_words(level / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota and period and int(quota[0]) > 0:
            return int(quota[0]) / int(period[0])
    return None


def _memory(level: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        if words := _words(level / name):
            return int(words[0]) if words[0].isdigit() and int(words[0]) < _UNLIMITED_BYTES else None
    return None


def _affinity(pid: int, root: Path) -> int | None:
    """How many processors a process may run on; a cpuset is part of it."""
    for line in _lines(root / "proc" / str(pid) / "status"):
        if line.startswith("Cpus_allowed_list:"):
            spans = [[int(end) for end in span.split("-")] for span in line.partition(":")[2].strip().split(",")]
            return sum(span[-1] - span[0] + 1 for span in spans)
    return None


def _numbers(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _lines(path))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
