"""A comparison whose figures are made up, so that every ratio is known; a few of its runs have records."""

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.record.reading import Record
from experiments.runner import summarise
from experiments.studies.cells import Cell, Outcome
from experiments.studies.compare import three_clients
from experiments.studies.compare.params import Asked, Series
from experiments.studies.compare.runs import Comparison, Figures, Role, Run
from tests.studies.compare.made_up_systems import given
from tests.support.made_up import Answer, Server, made_up

GIVEN = given(
    systems="all",
    loads="100",
    database_clients=50,
    blocks=5,
    falcon_runs=30,
    memory_clients=1100,
    serial=True,
    interval_ms=500,
    minutes=0.02,
    warmup_s=0.1,
    engine="httpx",
    sample_ms=50,
    max_hours=1,
    compare_id="made-up",
)

TRUTH = {
    "falcon": 1.0,
    "falcon-granian": 0.9,
    "django-asgi": 2.5,
    "channels": 2.8,
    "fastapi": 1.35,
    "starlette": 1.0,
    "bare-asgi": 0.6,
    "nginx": 0.15,
}
"""System -> what it needs of CPU for what Falcon needs; those without are invalid."""
SPREAD = 0.004
FALCON_US = 250.0


def asked(**given: Any) -> Asked:
    """What is asked, with changes."""
    return Asked.from_parameters(GIVEN | given)


def figures(ratio: float, **changes: Any) -> Figures:
    """Of a run that needs so much for what Falcon needs."""
    made: dict[str, Any] = {
        "cpu_us_per_request": FALCON_US * ratio,
        "times_ms": {
            "status": {"p50": 0.8 * ratio, "p95": 1.9 * ratio},
            "bulk": {"p50": 1.5 * ratio, "p95": None},
        },
        "polls_per_s": 200.0,
        "failed_pct": 0.0,
        "server_cores": 0.05 * ratio,
        "uss_bytes": round(30e6 * ratio),
        "connections": 100,
        "start_s": 0.5,
    }
    return Figures(**made | changes)


def run(
    asked_: Asked, system: str, block: int, found: Figures | None, role: Role = "system", why: str = "", **how: Any
) -> Run:
    """A run without a record, unless one is given."""
    series: Series = asked_.first
    cell = Cell(f"{series.name}_{system}_{role}_{block}", asked_.at("falcon", series, block))
    outcome = Outcome(cell, "done" if found or how else "failed", why, **how)
    return Run(system, role, series, block, cell, outcome, found, why, False)


def comparison(folder: Path, *, blocks: int = 5, records: bool = False, **given: Any) -> Comparison:
    """A comparison with the ratios of `TRUTH`, each run off by about half a percent, each block by a tenth."""
    question = asked(blocks=blocks, **given)
    chance = random.Random(1)
    runs = []
    for block in range(1, blocks + 1):
        drift = chance.gauss(0, 0.1)

        def off(ratio: float, drift: float = drift) -> Figures:
            return figures(ratio * math.exp(drift + chance.gauss(0, SPREAD)))

        for system in (name for name in question.systems if name != "tornado"):
            known = TRUTH.get(system)
            why = "" if known else "<script>alert(1)</script> the generator was late"
            runs.append(run(question, system, block, off(known) if known else None, why=why))
        runs.append(run(question, "falcon", block, off(1.0), "again"))
        runs += [run(question, "falcon", block, off(1.0), "pool") for _ in range(4)]
    for system, uss in (("falcon", 40e6), ("django-asgi", 95e6)):
        runs.append(run(question, system, 1, figures(1, uss_bytes=round(uss), connections=1100), "memory"))
    clients: dict[str, Outcome] = {}
    if records:
        runs = [_measured(folder, question, runs[0]), *runs[1:], *_serial(folder, question)]
        clients = _clients(folder)
    return Comparison(replace(question, skipped={"tornado": "tornado is not installed"}), folder, runs, clients=clients)


def _clients(folder: Path) -> dict[str, Outcome]:
    """The author's client takes 3 ms of its own, the others none that the leanest has not."""
    made = {}
    for name, cell in three_clients.plan(asked(three_clients=40).of_clients).items():
        took = 0.004 if name == "threads" else 0.001
        scenario = cell.scenario.model_copy(update={"run_id": cell.name, "minutes": 0.2})
        record = summarise(made_up(folder, scenario, server=lambda poll, took=took: Answer(took)))
        made[name] = Outcome(cell, "done", record=record, report=folder / "report.html")
    return made


def _measured(folder: Path, asked_: Asked, one: Run) -> Run:
    place = folder / "cells" / one.cell.name
    place.mkdir(parents=True)
    record = made_up(place, one.cell.scenario.model_copy(update={"run_id": one.cell.name}))
    (record.path / "server.log").write_text("started\n<img src=x onerror=alert(2)>\n")
    report = folder / "report.html"
    return run(asked_, one.system, one.block, one.figures, record=summarise(record), report=report)


def _serial(folder: Path, asked_: Asked) -> list[Run]:
    """Channels answers one after another, the others side by side."""
    made = []
    servers: dict[str, Server] = {
        "channels": lambda poll: Answer(0.2 * (poll.client + 1)),
        "django-asgi": lambda poll: Answer(0.2),
        "falcon": lambda poll: Answer(0.2),
    }
    for system, server in servers.items():
        scenario = asked_.at("falcon", asked_.first, 1, clients=8, phase="together", ratio="1:0", interval_ms=3000)
        scenario = scenario.model_copy(update={"minutes": 0.05, "run_id": f"serial-{system}"})
        record: Record = summarise(made_up(folder, scenario, server=server))
        made.append(run(asked_, system, 1, figures(1), "serial", record=record))
    return made
