"""All results of a folder, the oldest first: what each asked, where and by which code, and what came out.

Folder -> entries, read without their rows: figures are those of the stored summary or result, and what has none has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from experiments.analyse.changes import question
from experiments.errors import LabError
from experiments.record import reading
from experiments.record.reading import Record

_MACHINE = ("cpu_model", "cores", "cores_usable", "memory_bytes", "hypervisor", "architecture")
_VERSION = ("python", "implementation", "kernel", "lab_version")


@dataclass(frozen=True)
class Entry:
    """One run or study."""

    name: str
    kind: str
    started_at: str
    """UTC, as the record has it."""
    question: str = ""
    """The same for results that ask the same; empty where it is not known."""
    asked: str = ""
    """In a few words."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    version: Mapping[str, Any] = field(default_factory=dict)
    measurement: str = "unfinished"
    """valid, suspect, invalid or unfinished."""
    service_level: str = "not asked"
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """Name with unit -> value: p99 in ms of each endpoint, percent failed, us of CPU a request; of a single run."""
    longer: frozenset[str] = frozenset()
    """Figures that are only known to be longer."""
    report: str = ""
    """Relative to the folder; empty where there is none."""

    def changed_since(self, before: Entry) -> list[str]:
        """What of machine and versions is not as it was, a few words each."""
        pairs = [(before.machine, self.machine), (before.version, self.version)]
        return [
            f"{name.replace('_', ' ')} {old.get(name)} to {new.get(name)}"
            for old, new in pairs
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ]


def entries(folder: Path) -> list[Entry]:
    """Every result that lies in a folder, the oldest first; what cannot be read is left out."""
    places = (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()) if folder.is_dir() else ()
    found = [entry for path in places if (entry := _entry(path)) is not None]
    return sorted(found, key=lambda one: (one.started_at, one.name))


def by_question(found: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Question -> its results, of those that tell what they asked; in the order given."""
    groups: dict[str, list[Entry]] = {}
    for one in found:
        if one.question and one.figures:
            groups.setdefault(one.question, []).append(one)
    return groups


def _entry(path: Path) -> Entry | None:
    try:
        if (path / "started.json").is_file():
            return of_run(reading.load(path))
        return _of_study(path) if (path / "plan.json").is_file() else None
    except (LabError, OSError, ValueError, KeyError, TypeError):
        return None


def of_run(record: Record) -> Entry:
    """What is told of a run."""
    environment = record.started.get("environment") or {}
    summary = read_json(record.path / "summary.json")
    verdict = (summary.get("verdict") or {}).get("status")
    figures, longer = _figures(summary) if summary else ({}, frozenset())
    return Entry(
        name=record.path.name,
        kind="run",
        started_at=str(record.started.get("started_at") or ""),
        question=question(record),
        asked=_asked(record),
        machine=machine_of(environment),
        version=_version(environment),
        measurement=str(verdict) if verdict and record.finished else "unfinished",
        service_level=_level(summary.get("service_level") or {}, invalid=verdict == "invalid"),
        figures=figures,
        longer=longer,
        report=_report(record.path),
    )


def _of_study(path: Path) -> Entry:
    plan, result = read_json(path / "plan.json"), read_json(path / "result.json")
    under = plan.pop("fingerprint", None) or {}
    return Entry(
        name=path.name,
        kind=str(plan.get("kind", "sweep")),
        started_at=_begun(path),
        question=json.dumps(plan, sort_keys=True),
        asked=str(result.get("title") or ""),
        machine=machine_of(under),
        version=_version(under),
        measurement=str((result.get("measurement") or {}).get("status") or "unfinished"),
        service_level=str((result.get("service_level") or {}).get("status") or "not asked"),
        report=_report(path),
    )


def _begun(path: Path) -> str:
    """When the plan was written, as the journal's first line has it."""
    try:
        first = (path / "journal.jsonl").read_text(encoding="utf-8").partition("\n")[0]
        return str(json.loads(first).get("at") or "")
    except (OSError, ValueError):
        return ""


def _asked(record: Record) -> str:
    scenario = record.scenario
    of = scenario.server_url or (scenario.server if scenario.target == "hello" else Path(scenario.target).stem)
    return f"{of}, {record.plan.clients:,} devices, every {1000 * record.plan.shortest_s:g} ms, {scenario.minutes:g} min"


def _figures(summary: Mapping[str, Any]) -> tuple[dict[str, float | None], frozenset[str]]:
    endpoints = summary["endpoints"]
    times = {f"{name} p99, ms": one["response_ms"] for name, one in endpoints.items() if one.get("planned")}
    planned, wrong = 0, 0
    for one in endpoints.values():
        planned, wrong = planned + one["planned"], wrong + one["failed"] + one["unsent_busy"]
    found: dict[str, float | None] = {name: one.get("p99") for name, one in times.items()}
    found["failed, %"] = 100 * wrong / planned if planned else None
    found["CPU per request, µs"] = summary["server"].get("cpu_us_per_request")
    return found, frozenset(name for name, one in times.items() if (one.get("censored") or {}).get("p99"))


def _level(level: Mapping[str, Any], *, invalid: bool) -> str:
    if not level.get("asked"):
        return "not asked"
    return "cannot be said" if invalid else {True: "met", False: "missed", None: "cannot be said"}[level.get("met")]


def machine_of(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What of a fingerprint says which machine it was."""
    return {name: environment[name] for name in _MACHINE if name in environment}


def _version(environment: Mapping[str, Any]) -> dict[str, Any]:
    commit = environment.get("commit") or {}
    told = (
        {"commit": f"{str(commit['id'])[:10]}{' and changes' if commit.get('changed') else ''}"} if commit.get("id") else {}
    )
    packages = dict(environment.get("packages") or {})
    return {name: environment[name] for name in _VERSION if name in environment} | told | packages


def _report(path: Path) -> str:
    # A name that begins like an address must not be taken for one.
    return f"./{quote(path.name)}/report.html" if (path / "report.html").is_file() else ""


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def lines(found: Iterable[Entry]) -> Iterator[tuple[Entry, list[str]]]:
    """Each entry with what changed of machine and version since the one before that asks the same."""
    before: dict[str, Entry] = {}
    for one in found:
        yield one, one.changed_since(before[one.question]) if one.question in before else []
        before[one.question] = one
