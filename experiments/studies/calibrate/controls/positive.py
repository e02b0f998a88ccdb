"""Runs that must be believed: the default load again and again, and servers in trouble, since their failure is a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from experiments.record.reading import Record
from experiments.studies.calibrate.controls import disturb
from experiments.studies.calibrate.controls.disturb import At
from experiments.studies.calibrate.controls.fixture import SECONDS, Fixture, load
from experiments.studies.calibrate.trial import CAUSES, Case, Trial, judged, measure, said

PART, TROUBLE = "positive controls", "servers in trouble"


def honest_runs(count: int) -> list[Case]:
    """The default load again and again: each run may be suspect, none invalid; `few_suspects` judges them together."""
    numbers = range(1, count + 1)
    return [Case(PART, f"positive control {one}", _BELIEVED, partial(_positive_control, one)) for one in numbers]


_BELIEVED = "valid, or suspect for a reason that it names"


def _positive_control(number: int, results_dir: Path) -> Trial:
    record = measure(load(results_dir))
    status, bad = judged(record)
    return Trial(f"positive control {number}", _BELIEVED, said(status, bad), status != "invalid", record.path.name)


_TOLERATED = 1 / 20
"""Share of positive controls that may be suspect for nothing that the machine's surroundings did."""


def few_suspects(records: Iterable[Record]) -> Trial:
    """At most one of twenty positive controls may be suspect without a named cause; of fewer than twenty, none."""
    verdicts = [judged(record) for record in records]
    named = [status == "suspect" and bool(bad.keys() & CAUSES) for status, bad in verdicts]
    valid = sum(status == "valid" for status, _ in verdicts)
    unexplained = len(verdicts) - valid - sum(named)
    allowed = int(_TOLERATED * len(verdicts))
    return Trial(
        f"all {len(verdicts)} positive controls together",
        f"{f'at most {allowed}' if allowed else 'none'} suspect without a cause outside the lab",
        f"{valid} valid, {sum(named)} suspect with such a cause, {unexplained} without",
        unexplained <= allowed if verdicts else None,
    )


_WANTED = "valid, or suspect for a cause outside the lab"


def must_stay_valid(fixture: Callable[[], Fixture]) -> list[Case]:
    """Servers in trouble: no reason to doubt the instrument."""
    return [
        Case(TROUBLE, name, _WANTED, lambda _, name=name: _positive_trial(name, POSITIVE[name], fixture()))  # type: ignore[misc]
        for name in POSITIVE
    ]


def _positive_trial(name: str, run_it: Callable[[Fixture], Record], fixture: Fixture) -> Trial:
    record = run_it(fixture)
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

POSITIVE: dict[str, Callable[[Fixture], Record]] = {
    "a server that is overloaded": lambda fixture: measure(fixture.scenario(clients=200), At(0.3, _throttle_server)),
    "a server that answers 503 to half": lambda fixture: measure(fixture.scenario(server="known-half-503", clients=200)),
    _KILLED: lambda fixture: measure(fixture.scenario(clients=200), At(0.5, _kill_server)),
}
"""No fault of the instrument."""
