"""A short run in which something goes wrong: real server, real swarm, and harm done at a given second."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import experiments as lab
from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.polls import count, prepare
from experiments.progress import Progress
from experiments.record.reading import Record
from experiments.record.schema import UNSENT
from tests.support.earlier import content, earlier_run
from tests.support.processes import still_alive

SMALL = {
    "clients": 10,
    "interval_ms": 50,
    "minutes": 3 / 60,
    "ratio": "3:1",
    "bulk_bytes": 2000,
    "warmup_s": 0.2,
    "timeout_s": 1,
    "sample_ms": 100,
    "run_id": "it",
}


class Fault:
    """Harm that is done once, at the first report of a phase that is not too early."""

    def __init__(self, harm: Callable[[], object], *, after_s: float = 1.0, phase: str = "measuring") -> None:
        self.done = False
        self.family: list[psutil.Process] = []
        """Every process of the run, as they were before the harm."""
        self._harm = harm
        self._after_s = after_s
        self._phase = phase

    def __call__(self, progress: Progress) -> None:
        if not self.done and progress.phase == self._phase and progress.elapsed_s >= self._after_s:
            self.done = True
            self.family = ours()
            self._harm()


def run_with(
    tmp_path: Path,
    harm: Callable[[], object],
    *,
    after_s: float = 1.0,
    phase: str = "measuring",
    strangers: Sequence[subprocess.Popen[bytes]] = (),
    **parameters: Any,
) -> Record:
    """Runs with a fault; none of the run's processes may be left after it, and an earlier run is left alone."""
    fault = Fault(harm, after_s=after_s, phase=phase)
    earlier = earlier_run(tmp_path / "results")
    try:
        return lab.run(scenario(tmp_path, **parameters), on_progress=fault)
    finally:
        assert fault.done
        others = {stranger.pid for stranger in strangers}
        assert still_alive([process for process in (*fault.family, *ours()) if process.pid not in others]) == []
        assert content(tmp_path / "results" / "earlier") == earlier


def apart(tmp_path: Path, **parameters: Any) -> list[str]:
    """A command that makes the run in a Python of its own."""
    asked = SMALL | {"results_dir": str(tmp_path / "results")} | parameters
    code = f"import experiments as lab, json; lab.run(lab.Scenario(**json.loads({json.dumps(json.dumps(asked))})))"
    return [sys.executable, "-c", code]


def scenario(tmp_path: Path, **parameters: Any) -> lab.Scenario:
    return lab.Scenario(**SMALL | {"results_dir": str(tmp_path / "results")} | parameters)


def ours() -> list[psutil.Process]:
    """What this process has started, and what that has; but for a PostgreSQL of the tests' own, which no run starts."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name() != "postgres":
                found.append(process)
    return found


def generators() -> list[psutil.Process]:
    """The generator processes, in their order."""
    found = []
    for process in ours():
        with suppress(psutil.Error):  # Another process of ours, which ended while it was looked at.
            if "experiments.measure.generators.worker_main" in process.cmdline():
                found.append(process)
    return found


def server() -> psutil.Process:
    """The main process of the server under test."""
    guards = [process for process in ours() if any(word.endswith("guard.py") for word in process.cmdline())]
    return guards[0].children()[0]


def outcomes(record: Record) -> dict[str, int]:
    """How many polls of the window ended how."""
    return {str(outcome): int(number) for outcome, number in prepare(record)["outcome"].value_counts().iter_rows()}


def ends(record: Record) -> dict[str, int]:
    """How many polls that were sent ended how. On a busy machine some are not: `unsent_busy`, or `unsent_late`."""
    return {outcome: number for outcome, number in outcomes(record).items() if outcome not in UNSENT}


def check(record: Record, name: str) -> dict[str, str]:
    """What the verdict says of one thing."""
    checks: list[dict[str, str]] = record.summary()["verdict"]["checks"]
    return next(one for one in checks if one["name"] == name)


def assert_all_answered(record: Record) -> None:
    """Nothing failed; what was due right before the end of the window may have come too late to be sent."""
    assert ends(record).keys() == {"ok"}


def assert_conserved(record: Record) -> None:
    """What was counted adds up, and is what the rows say."""
    totals = record.facts["totals"]
    assert totals["planned"] == totals["sent"] + totals["unsent_busy"] + totals["unsent_late"] > 0
    assert totals["sent"] == totals["ok"] + totals["failed"]
    assert totals == count(Evidence(record).counts)
    assert not list(record.path.rglob(".*"))


def assert_all_planned(record: Record) -> None:
    """Each poll of the plan has its row: those that went wrong too."""
    assert_conserved(record)
    plan = record.scenario.plan
    expected = sum(sum(plan.planned(client, record.window_s).values()) for client in range(plan.clients))
    assert record.facts["totals"]["planned"] == expected
    assert "no flaw" in check(record, "rows_complete")["figure"]


def serve(port: int) -> subprocess.Popen[bytes]:
    """A server of somebody else's."""
    command = [sys.executable, "-m", "server", "--port", str(port), "--bulk-bytes", str(SMALL["bulk_bytes"])]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
