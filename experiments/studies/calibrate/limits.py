"""What the verdict's limits rest on: the worst of each check in positive controls, the least in negative ones it found out.

A calibration's folder in, one line per check out. Everything is worked out anew from the records, so that a limit can be
moved and the same runs asked again.

    python -m experiments.studies.calibrate.limits results/<time>-calibration
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.analyse.checks.evidence import SEVERITY
from experiments.analyse.summary import summarise
from experiments.record.reading import load
from experiments.studies.calibrate.controls import negative, positive
from experiments.studies.calibrate.trial import CAUSES, Trial, read

POSITIVE, NEGATIVE = positive.PART, negative.PART
"""Names of the parts that limits rest on."""


@dataclass(frozen=True)
class Seen:
    """What one check saw."""

    check: str
    limit: str
    """As the check worded it in the worst of the positive controls."""
    positive: str
    """Its worst figure in positive controls."""
    quiet: str
    """The same of those in which nothing outside the lab was noticed; empty if there was none."""
    negative: str
    """Its least figure in negative controls that it found out, and which control that was; empty if there was none."""


Checks = dict[str, Mapping[str, Any]]
"""Name of a check -> what the summary says of it."""


def seen(runs_dir: Path) -> list[Seen]:
    """One line per check, in the verdict's order.

    Raises:
        RecordError: a record cannot be read.
    """
    parts = read(runs_dir)
    good = [checks for _, checks in _checks(runs_dir, parts.get(POSITIVE, ()))]
    quiet = [checks for checks in good if all(checks[name]["status"] != "suspect" for name in CAUSES)]
    negative = list(_checks(runs_dir, parts.get(NEGATIVE, ())))
    worst = {name: _worst(name, good) for name in (good[0] if good else ())}
    return [
        Seen(name, str(one["limit"]), _figure(one), _quiet(name, quiet), _least(name, negative))
        for name, one in worst.items()
    ]


def _checks(runs_dir: Path, trials: Iterable[Trial]) -> Iterator[tuple[str, Checks]]:
    """What was tried, and how its record is judged now."""
    for trial in trials:
        if trial.run_id:
            summary = summarise(load(runs_dir / trial.run_id))
            yield trial.name, {check["name"]: check for check in summary["verdict"]["checks"]}


def _worst(name: str, runs: Iterable[Checks]) -> Mapping[str, Any]:
    return max((checks[name] for checks in runs), key=_badness)


def _quiet(name: str, runs: Sequence[Checks]) -> str:
    return _figure(_worst(name, runs)) if runs else ""


def _least(name: str, negative: Iterable[tuple[str, Checks]]) -> str:
    """Of the negative controls that are meant for a check, or of any where none is."""
    found = [(control, checks[name]) for control, checks in negative if checks[name]["status"] in ("suspect", "invalid")]
    if name in CAUSES or any(name in checks for checks in _MEANT.values()):
        # What others did meanwhile may show here in any run, and has nothing to do with a control of another kind.
        found = [(control, check) for control, check in found if name in _MEANT.get(control, ())]
    control, least = min(found, key=lambda one: _badness(one[1]), default=("", None))
    return f"{_figure(least)}: {control}" if least else ""


_MEANT = {control.name: control.noticed_by for control in negative.CONTROLS}


def _badness(check: Mapping[str, Any]) -> tuple[float, int]:
    return check["of_limit"] or 0.0, SEVERITY.index(check["status"])


def _figure(check: Mapping[str, Any]) -> str:
    share = check["of_limit"]
    return str(check["figure"]) + (f" ({100 * share:.0f} % of the limit)" if share is not None else "")


if __name__ == "__main__":
    for line in seen(Path(sys.argv[1])):
        sys.stdout.write("".join(f"{name:8}{value or '-'}\n" for name, value in asdict(line).items()) + "\n")
