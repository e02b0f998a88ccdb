"""Trials of the instrument, and the certificate that sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from experiments.present.markup import Markup, Piece, element, table
from experiments.present.tables.verdict import Status, badge
from experiments.present.words import NONE, count

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
    """One row a trial; what failed comes first."""
    ordered = sorted(tried, key=lambda trial: trial.ok is not False)
    rows: list[list[Piece]] = [[trial.name, badge(_PASSED[trial.ok]), trial.wanted, trial.came] for trial in ordered]
    return table(["trial", "passed", "had to come out", "came out"], rows, label=label, wide={3})


def certificate(certified: Mapping[str, Any]) -> Markup:
    """What the calibration comes to, on this machine and with these versions."""
    passed = bool(certified["passed"])
    parts = [
        f"{name}: {count(part['passed'])} passed, {count(part['failed'])} failed, {count(part['skipped'])} skipped."
        for name, part in certified["parts"].items()
    ]
    machine = certified["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    said = [
        f"{certified['certified_at']}, {certified['variant']} variant, on {machine['cores']} cores of "
        f"{machine['cpu_model']}, kernel {machine['kernel']}, Python {machine['python']}, {versions}.",
        *parts,
        *(f"Failed: {name}." for name in certified["failed"]),
    ]
    head = "✔ Calibrated" if passed else "✖ Not calibrated"
    return element(
        "section",
        element("p", head, css="lab-headline"),
        *(element("p", sentence) for sentence in said),
        css=f"lab-banner {'lab-valid' if passed else 'lab-invalid'}",
        aria_label="certificate",
    )
