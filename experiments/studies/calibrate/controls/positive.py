"""Runs that must be believed: the default load again and again, and servers in trouble, since their failure is a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from experiments.record.reading import Record
from experiments.studies.calibrate.controls import disturb
from experiments.studies.calibrate.controls.disturb import At
from experiments.studies.calibrate.controls.fixture import SECONDS, Ground, load
from experiments.studies.calibrate.trial import CAUSES, Case, Trial, judged, measure, said

PART, TROUBLE = "honest runs", "servers in trouble"


def honest_runs(count: int) -> list[Case]:
    """The default load again and again: each run may be suspect, none invalid; `few_suspects` judges them together."""
    return [Case(PART, f"honest run {number}", _BELIEVED, partial(_honest_run, number)) for number in range(1, count + 1)]


_BELIEVED = "valid, or suspect for a reason that it names"


def _honest_run(number: int, results_dir: Path) -> Trial:
    record = measure(load(results_dir))
    status, bad = judged(record)
    return Trial(f"honest run {number}", _BELIEVED, said(status, bad), status != "invalid", record.path.name)


_TOLERATED = 1 / 20
"""Share of honest runs that may be suspect for nothing that the machine's surroundings did."""


def few_suspects(records: Iterable[Record]) -> Trial:
    """At most one of twenty honest runs may be suspect without a named cause; of fewer than twenty, none."""
    verdicts = [judged(record) for record in records]
    named = [status == "suspect" and bool(bad.keys() & CAUSES) for status, bad in verdicts]
    valid = sum(status == "valid" for status, _ in verdicts)
    unexplained = len(verdicts) - valid - sum(named)
    allowed = int(_TOLERATED * len(verdicts))
    return Trial(
        f"all {len(verdicts)} honest runs together",
        f"{f'at most {allowed}' if allowed else 'none'} suspect without a cause outside the lab",
        f"{valid} valid, {sum(named)} suspect with such a cause, {unexplained} without",
        unexplained <= allowed if verdicts else None,
    )


_WANTED = "valid, or suspect for a cause outside the lab"


def must_stay_valid(ground: Callable[[], Ground]) -> list[Case]:
    """Servers in trouble: no reason to doubt the instrument."""
    return [
        Case(TROUBLE, name, _WANTED, lambda _, name=name: _honest_trial(name, HONEST[name], ground()))  # type: ignore[misc]
        for name in HONEST
    ]


def _honest_trial(name: str, run_it: Callable[[Ground], Record], ground: Ground) -> Trial:
    record = run_it(ground)
    status, bad = judged(record)
    # A dead server's own count is gone, which is said and makes the run suspect, never invalid.
    forgiven = CAUSES | {"served"} if name == _KILLED else CAUSES
    ok = status == "valid" or (status == "suspect" and set(bad) <= forgiven)
    wanted = f"{_WANTED}, or since its own count is gone" if name == _KILLED else _WANTED
    return Trial(name, wanted, said(status, bad), ok, record.path.name)


def _throttle_server() -> None:
    disturb.throttle(disturb.servers(), running_s=0.02, stopped_s=0.18, for_s=SECONDS)


def _kill_server() -> None:
    for server in disturb.servers():
        server.kill()


_KILLED = "a server that is killed"

HONEST: dict[str, Callable[[Ground], Record]] = {
    "a server that is overloaded": lambda ground: measure(ground.scenario(clients=200), At(0.3, _throttle_server)),
    "a server that answers 503 to half": lambda ground: measure(ground.scenario(server="known-half-503", clients=200)),
    _KILLED: lambda ground: measure(ground.scenario(clients=200), At(0.5, _kill_server)),
}
"""No fault of the instrument."""
