"""The result of a calibration: its certificate and trials -> `Result`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present.result.model import Case, Judgement, Result, State, Table
from experiments.present.tables import trials as tables
from experiments.studies.calibrate.trial import Parts

_STATES: dict[bool | None, State] = {True: "passed", False: "error", None: "skipped"}


def result(name: str, certificate: Mapping[str, Any], parts: Parts) -> Result:
    """What a calibration comes to: it judges the instrument, so what fails makes measurements here invalid."""
    failed = list(certificate["failed"])
    passed = bool(certificate["passed"])
    trusted = "The instrument can be trusted" if passed else "Do not trust the instrument"
    said = f"Failed: {'; '.join(failed)}." if failed else "Every trial that was made has passed."
    return Result(
        kind="calibrate",
        name=name,
        title="Calibration of this machine",
        answer=f"{trusted} on {tables.machine(certificate)}.",
        service_level=Judgement(status="not asked", said="The instrument was tried, not a server."),
        measurement=Judgement(status="valid" if passed else "invalid", said=said),
        cases=[
            Case(suite=part, name=one.name, status=_STATES[one.ok], said=f"wanted: {one.wanted}; came: {one.came}")
            for part, trials in parts.items()
            for one in trials
        ],
        tables=[
            Table(title="Trials", head=["part", "outcome"], rows=[[*map(str, one)] for one in tables.parts(certificate)])
        ],
    )
