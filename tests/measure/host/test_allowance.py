"""What a process may use, and how long it was held back, read from made-up /proc and control groups."""

import os
import sys
from pathlib import Path

import pytest

from experiments.measure.host import fingerprint
from experiments.measure.host.allowance import Allowance, Throttling

V2 = "30 23 0:26 {begins} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = (
    "32 31 0:29 {begins} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {begins} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


def made_up(
    root: Path, mounts: str, cgroup: str, files: dict[str, str], *, begins: str = "/", cpus: str = "0-7"
) -> Allowance:
    """What process 5 may use in a made-up system with these control groups.

    Args:
        files: paths below /sys/fs/cgroup and what they hold.
        begins: which control group is seen at the place where all are mounted.
    """
    for path, text in (
        ("proc/5/cgroup", cgroup),
        ("proc/5/status", f"Name:\tx\nCpus_allowed_list:\t{cpus}\n"),
        ("proc/self/mountinfo", "23 1 0:1 / / rw - ext4 /dev/vda rw\n" + mounts.format(begins=begins)),
        *((f"sys/fs/cgroup/{name}", text) for name, text in files.items()),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Allowance.of(5, root)


def test_a_quota_of_version_2(tmp_path: Path) -> None:
    """Half a core and 512 MiB; what it was held back is read again each time."""
    files = {
        "app/cpu.max": "50000 100000\n",
        "app/memory.max": "536870912\n",
        "app/cpu.stat": "usage_usec 9\nnr_periods 148\nnr_throttled 133\nthrottled_usec 6600000\n",
        "cpu.stat": "usage_usec 99\n",
    }
    found = made_up(tmp_path, V2, "0::/app\n", files)
    assert found.facts() == {"cores": 0.5, "quota_cores": 0.5, "memory_bytes": 512 * 2**20}
    assert found.throttling() == Throttling(148, 133, 6.6)
    (tmp_path / "sys/fs/cgroup/app/cpu.stat").write_text("nr_periods 149\nnr_throttled 134\nthrottled_usec 6700000\n")
    assert found.throttling() == Throttling(149, 134, 6.7)


def test_a_quota_of_version_1(tmp_path: Path) -> None:
    """The same in other files and units, each controller with a path of its own."""
    files = {
        "cpu,cpuacct/app/cpu.cfs_quota_us": "150000\n",
        "cpu,cpuacct/app/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/app/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 250000000\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "memory/other/memory.limit_in_bytes": "1073741824\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    found = made_up(tmp_path, V1, "4:memory:/other\n2:cpu,cpuacct:/app\n0::/\n", files)
    assert found.facts() == {"cores": 1.5, "quota_cores": 1.5, "memory_bytes": 2**30}
    assert found.throttling() == Throttling(10, 4, 0.25)


def test_the_narrowest_level_holds_and_each_with_a_quota_counts(tmp_path: Path) -> None:
    """A pod may be narrower than the container in it; the time that either held it back is time held back."""
    files = {
        "pod/app/cpu.max": "400000 100000\n",
        "pod/app/cpu.stat": "nr_periods 10\nnr_throttled 1\nthrottled_usec 1000\n",
        "pod/cpu.max": "200000 100000\n",
        "pod/cpu.stat": "nr_periods 10\nnr_throttled 2\nthrottled_usec 2000\n",
        "pod/app/memory.max": "max\n",
        "pod/memory.max": "1000\n",
    }
    found = made_up(tmp_path, V2, "0::/pod/app\n", files)
    assert (found.cores, found.memory_bytes) == (2.0, 1000)
    assert found.throttling() == Throttling(20, 3, 0.003)


@pytest.mark.parametrize(("cpus", "cores"), [("0-1", 2), ("3", 1), ("0,2-3,6", 4)])
def test_an_affinity_narrower_than_the_quota_holds(tmp_path: Path, cpus: str, cores: int) -> None:
    """Processors by taskset or cpuset count, whatever the quota would allow."""
    found = made_up(tmp_path, V2, "0::/app\n", {"app/cpu.max": "600000 100000\n"}, cpus=cpus)
    assert (found.cores, found.quota_cores) == (cores, 6.0)


def test_without_limits_there_are_none(tmp_path: Path) -> None:
    """No quota, no counters: not 0 of 0, but nothing."""
    files = {"app/cpu.max": "max 100000\n", "app/cpu.stat": "nr_periods 0\nnr_throttled 0\n", "app/memory.max": "max\n"}
    found = made_up(tmp_path, V2, "0::/app\n", files)
    assert found.facts() == {"cores": 8, "quota_cores": None, "memory_bytes": None}
    assert found.throttling() is None


def test_a_container_that_sees_only_its_own_group(tmp_path: Path) -> None:
    """Its path is the host's, but what is mounted begins there."""
    found = made_up(tmp_path, V2, "0::/docker/abc\n", {"cpu.max": "100000 100000\n"}, begins="/docker/abc")
    assert found.quota_cores == 1.0


@pytest.mark.parametrize("path", ["/../other", "/elsewhere/app"])
def test_a_group_of_another_container_is_not_seen(tmp_path: Path, path: str) -> None:
    """A path outside of what is mounted says nothing, and nobody else's limits are taken for it."""
    found = made_up(tmp_path, V2, f"0::{path}\n", {"cpu.max": "100000 100000\n"}, begins="/mine")
    assert found.facts() == {"cores": 8, "quota_cores": None, "memory_bytes": None}


def test_a_system_without_control_groups_tells_nothing(tmp_path: Path) -> None:
    """Cores, quota and memory are null where there is no /proc to read them from."""
    assert Allowance.of(5, tmp_path).facts() == {"cores": None, "quota_cores": None, "memory_bytes": None}


@pytest.mark.parametrize("text", ["", "half 100000", "50000 0", "50000"])
def test_a_quota_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    """Empty, wordy and incomplete files of the kernel give null in place of an error."""
    assert made_up(tmp_path, V2, "0::/app\n", {"app/cpu.max": text}).quota_cores is None


def test_two_in_one_group_are_held_back_together(tmp_path: Path) -> None:
    """The same control group is known again, another is another."""
    one = made_up(tmp_path / "a", V2, "0::/app\n", {"app/cpu.max": "50000 100000\n"})
    other = made_up(tmp_path / "b", V2, "0::/app\n", {"app/cpu.max": "50000 100000\n"})
    assert (one.same_quota(one), one.same_quota(other)) == (True, False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_fingerprint_says_what_may_be_used() -> None:
    """The machine's cores and memory, and beside them what this process may use of them."""
    facts = fingerprint.fingerprint()
    assert 0 < facts["cores_usable"] <= len(os.sched_getaffinity(0)) <= facts["cores"]
    assert 0 < facts["memory_usable_bytes"] <= facts["memory_bytes"]
