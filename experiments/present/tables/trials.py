"""Trials of the instrument, and the certificate that sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from experiments.present.format import NONE, count, number
from experiments.present.html import Markup, Piece, table
from experiments.present.tables.verdict import Status, badge

_PASSED = {
    True: Status("passed", "✔", "lab-valid", ""),
    False: Status("failed", "✖", "lab-invalid", ""),
    None: Status("skipped", NONE, "lab-neutral", ""),
}


class Trial(Protocol):
    """What was tried, what had to come out, what came."""

    @property
    def name(self) -> str: ...
    @property
    def wanted(self) -> str: ...
    @property
    def came(self) -> str: ...
    @property
    def ok(self) -> bool | None: ...


def trials(tried: Iterable[Trial], *, label: str) -> Markup:
    """One row per trial; what failed comes first."""
    ordered = sorted(tried, key=lambda trial: trial.ok is not False)
    rows: list[list[Piece]] = [[trial.name, badge(_PASSED[trial.ok]), trial.wanted, trial.came] for trial in ordered]
    return table(["trial", "passed", "had to come out", "came out"], rows, label=label, wide={3})


class Seen(Protocol):
    """What one check saw in positive and in negative controls."""

    @property
    def check(self) -> str: ...
    @property
    def limit(self) -> str: ...
    @property
    def positive(self) -> str: ...
    @property
    def quiet(self) -> str: ...
    @property
    def negative(self) -> str: ...


def limits(lines: Iterable[Seen]) -> Markup:
    """One row per check: how far positive and negative controls are from its limit."""
    rows: list[list[Piece]] = [
        [line.check.replace("_", " "), line.limit, line.positive, line.quiet or NONE, line.negative or NONE]
        for line in lines
    ]
    worst, least = "worst of the positive controls", "least of the negative controls found out"
    head = ["check", "limit", worst, "of those on a quiet machine", least]
    return table(head, rows, label="figures that the verdict's limits rest on", medium={1, 2, 3, 4})


def about(certified: Mapping[str, Any]) -> list[str]:
    """What a calibration was made of and what came of it, a sentence each."""
    said = [
        f"Tried: {tried(certified)}.",
        *(f"{figure}." for figure in figures(certified)),
        f"Positive controls: {certified['honest_runs']}." if certified["honest_runs"] else "",
        f"Trials that passed: {', '.join(f'{name} {outcome}' for name, outcome in parts(certified))}.",
    ]
    return [sentence for sentence in said if sentence]


def machine(certified: Mapping[str, Any]) -> str:
    """What a certificate speaks for."""
    known = certified["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in known["packages"].items())
    return (
        f"{known['cores']} cores of {known['cpu_model']}, kernel {known['kernel']}, Python {known['python']}, "
        f"lab {known['lab_version']}, {versions}"
    )


def tried(certified: Mapping[str, Any]) -> str:
    """Engines, pacings, and the tools that gave a second opinion."""
    tools = ", ".join(certified["tools"]) or "none installed"
    return f"engines {', '.join(certified['engines'])}; pacings {', '.join(certified['pacings'])}; other tools {tools}"


def figures(certified: Mapping[str, Any]) -> list[str]:
    """The largest errors of what had a known answer."""
    counts, times = certified["figures"]["counts"], certified["figures"]["percentiles_ms"]
    return [
        f"Largest error of {count(counts['compared'])} counts: {_error(counts, '')}",
        f"Largest error of {count(times['compared'])} percentiles: {_error(times, ' ms')}",
    ]


def _error(found: Mapping[str, Any], unit: str) -> str:
    if found["worst_error"] is None:
        return NONE
    return "none" if not found["worst_error"] else f"{number(found['worst_error'])}{unit}, {found['of']}"


def parts(certified: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name of each part, and how many of its trials passed: `12 of 12`."""
    return [(name, _passed(part)) for name, part in certified["parts"].items()]


def _passed(part: Mapping[str, int]) -> str:
    skipped = f" ({count(part['skipped'])} skipped)" if part["skipped"] else ""
    return f"{count(part['passed'])} of {count(part['passed'] + part['failed'])}{skipped}"
