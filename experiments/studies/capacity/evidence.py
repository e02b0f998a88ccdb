"""What a cell shows of a load: the service level held or missed, or nothing; and what was at its limit.

The outcome of a cell -> words and figures. A cell whose verdict is invalid is no evidence, whichever way it points: where
the generator gave up, nobody saw the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.predict.cell import Cell as Figures
from experiments.present.tables.service_level import missed_limits
from experiments.studies.capacity.search import Shown
from experiments.studies.cells import Outcome

_GENERATOR = ("unsent_late", "lag", "generator_cpu")
_HINDRANCES = ("competitors", "host_steal", "generator_stall")
_FULL = 0.9
"""Share of a core from which a loop on one thread counts as busy all the time: kernel and sampler take their part."""
_MACHINE_FULL = 0.93
"""Share of all cores from which the machine counts as full."""


@dataclass(frozen=True)
class Evidence:
    """What one cell shows."""

    shown: Shown
    why: str
    """What decides: the missed limit, or why it is no evidence; empty if held by a valid cell."""
    suspect: bool = False
    """The verdict is suspect: it counts, and is named."""
    generator_weak: bool = False
    """The verdict is not valid because of what the generator could not carry."""


def evidence(outcome: Outcome, *, suspect_counts: bool) -> Evidence:
    """What a cell shows.

    Args:
        suspect_counts: whether a suspect cell is evidence; if not, it is measured again like an invalid one.
    """
    summary = outcome.summary
    if summary is None:
        return Evidence("inconclusive", f"no record: {outcome.why}")
    verdict, level = summary["verdict"], summary["service_level"]
    suspect, weak = verdict["status"] == "suspect", _generator_weak(verdict)
    if verdict["status"] == "invalid" or (suspect and not suspect_counts):
        return Evidence("inconclusive", str(verdict["headline"]), suspect, weak)
    if level["met"] is None:
        return Evidence("inconclusive", "too few polls to say whether the service level is met", suspect)
    return Evidence("pass" if level["met"] else "fail", missed_limits(level, summary["endpoints"]), suspect, weak)


def _generator_weak(verdict: Mapping[str, Any]) -> bool:
    """Whether the generator was too weak, and not kept from its work by others."""
    status = {check["name"]: check["status"] for check in verdict["checks"]}
    weak = verdict["status"] != "valid" and any(status.get(name) == verdict["status"] for name in _GENERATOR)
    return weak and not any(status.get(name) in ("suspect", "invalid") for name in _HINDRANCES)


def limit(figures: Figures) -> str:
    """What was at its limit in a cell that missed the service level, as far as processors tell."""
    server, workers = figures.server, figures.server.loops
    if server.cores >= _FULL * workers:
        each = "a core" if workers == 1 else f"each of {workers} cores"
        return f"server CPU {100 * server.cores / workers:.0f} % of {each}"
    if figures.cores and figures.busy_cores >= _MACHINE_FULL * figures.cores:
        return (
            f"this machine, with {figures.busy_cores:.2f} of {figures.cores} cores busy: {server.cores:.2f} with the "
            f"server, {figures.generator.cores:.2f} with the generators, {figures.others_cores:.2f} with other programs; "
            "give the generators a machine of their own"
        )
    return (
        f"not processors (server {100 * server.cores / workers:.0f} % of a core per worker, machine "
        f"{figures.busy_cores:.2f} of {figures.cores} cores): the report of a missed run shows when it happened"
    )
