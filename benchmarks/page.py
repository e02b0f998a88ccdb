"""What a benchmark measured, as the page of Markdown that stands in docs/: tables, versions, and the machine.

Results in, text out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from experiments.analyse.instrument import Compared, Figure, compare, speeds
from experiments.measure.host import fingerprint
from experiments.present.format import count, number
from experiments.present.tables.studies.instrument import rate, times
from experiments.studies.calibrate.cost.part import BESIDE
from experiments.studies.calibrate.cost.results import Results

_HEAD = """\
# What a poll costs the load generator

Made by `make benchmark ARGS="--page docs/cost.md"`; nothing here was typed. The lab's engines and tools that are not ours
take turns, everybody once a round, in an order drawn by lot. CPU is user and system time of a tool's whole process tree,
over a window that begins when all of its clients are connected, divided by what the server says that it answered. Figures
are medians of rounds, with the lowest and the highest. "times {beside}" is the ratio within a round: what a tool takes where
the engine `{beside}` takes 1.

"""
_LOADS = {
    "random": "A alone, {clients} devices at 500 ms, each at an instant of its own",
    "together": "A alone, {clients} devices at 500 ms, all at the same instant",
    "mix": "A and B (200 KB) 10:1, {clients} devices at 500 ms, each at an instant of its own",
    "unpaced": "A alone, {clients} connections, as fast as the server answers: tools that know no rate, beside nobody",
}
_CLIENTS = 500


def written(results: Results, figures: Sequence[Figure]) -> str:
    """The whole page."""
    compared = compare(results.costs, BESIDE)
    parts = [
        _HEAD.format(beside=BESIDE),
        *(_load(load, target, list(some), results) for (load, target), some in groupby(compared, _load_of)),
        _steps(results),
        _figures(figures),
        _left_out(results),
        _machine(results),
    ]
    return "\n".join(filter(None, parts)).rstrip() + "\n"


def _load_of(one: Compared) -> tuple[str, str]:
    return one.load, one.target


def _load(load: str, target: str, compared: Sequence[Compared], results: Results) -> str:
    rows = [
        [
            f"`{one.contender}`" if one.lag_p99_ms is not None else _named(one.contender, results),
            f"**{number(one.cpu_us_per_poll.median)}**",
            f"{number(one.cpu_us_per_poll.low)} – {number(one.cpu_us_per_poll.high)}",
            times(one),
            rate(one),
            number(one.lag_p50_ms),
            number(one.lag_p99_ms),
            count(one.failed),
        ]
        for one in compared
    ]
    head = ["", "CPU per poll, µs", "lowest – highest", f"times {BESIDE}", "polls/s", "lag p50, ms", "p99", "failed"]
    title = _LOADS[load].format(clients=_CLIENTS)
    return f"## {title}; against {_named(target, results)}\n\n{_table(head, rows)}"


def _named(name: str, results: Results) -> str:
    return f"{name} {results.versions.get(name, '')}".strip()


def _steps(results: Results) -> str:
    rows = [
        [
            f"`{one.engine}`",
            count(one.clients),
            number(one.polls_per_s),
            number(one.lag_p50_ms),
            number(one.lag_p99_ms),
            number(one.cpu_us_per_poll),
            "yes" if one.held else "no",
        ]
        for one in results.steps
    ]
    if not rows:
        return ""
    head = ["engine", "devices", "polls/s", "lag p50, ms", "p99", "CPU per poll, µs", "carried"]
    return f"## One generator process with more and more devices at 500 ms, against nginx\n\n{_table(head, rows)}"


def _figures(figures: Sequence[Figure]) -> str:
    met = {True: "reached", False: "missed", None: ""}
    rows = [[one.what, one.measured, one.wanted, met[one.met]] for one in figures]
    return f"## Beside what is wanted\n\n{_table(['figure', 'measured', 'wanted', ''], rows)}" if rows else ""


def _left_out(results: Results) -> str:
    lines = [f"- {name}: {why}" for name, why in results.skipped.items()]
    return "\n".join(["## Left out\n", *lines, ""]) if lines else ""


def _machine(results: Results) -> str:
    machine = fingerprint.identity()
    rows = [[count(one.round), number(100 * one.of_fastest), number(100 * one.core_free)] for one in speeds(results.costs)]
    head = ["round", "speed, % of the fastest turn", "time for which a core was free, %"]
    system = f"Linux {machine['kernel']}, {machine['implementation']} {machine['python']}"
    said = (
        f"{datetime.now(UTC):%-d %B %Y}: {machine['cpu_model']}, {machine['cores_usable']} cores, {system}.\n"
        "Before each turn a loop that is always the same says how fast the machine is, and how long it had to wait for a\n"
        "core: below 95 % somebody else was at work."
    )
    return f"## The machine\n\n{said}\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"
