"""What the instrument costs, beside tools that are not ours and beside what it is meant to reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from experiments.analyse.instrument import Compared, Figure, Speed, Step
from experiments.present.format import count, number
from experiments.present.html import Markup, Piece, element, note, table
from experiments.present.tables.verdict import Status, badge

_MET = {
    True: Status("reached", "✔", "lab-met", ""),
    False: Status("missed", "✖", "lab-missed", ""),
}


def costs(compared: Sequence[Compared], beside: str, versions: Mapping[str, str]) -> Markup:
    """One row a load and contender, the cheapest first.

    Args:
        beside: the engine that all are held against.
        versions: of tools, by name.
    """
    if not compared:
        return note("Nothing could be measured.")
    rows = [
        [
            f"{one.load}, {one.target}",
            f"{one.contender} {versions.get(one.contender, '')}".strip(),
            number(one.cpu_us_per_poll.median),
            f"{number(one.cpu_us_per_poll.low)} – {number(one.cpu_us_per_poll.high)}",
            times(one),
            rate(one),
            number(one.lag_p50_ms),
            number(one.lag_p99_ms),
            count(one.failed),
            count(one.rounds),
        ]
        for one in compared
    ]
    head = ["load, target", "contender", "CPU per poll, µs", "lowest – highest", f"times {beside}", "polls/s answered"]
    return table(
        [*head, "lag p50, ms", "lag p99, ms", "failed", "rounds"],
        rows,
        label="CPU per poll of every contender",
        numbers=range(2, 10),
    )


def rate(one: Compared) -> str:
    """Polls answered, and those asked for where these are others: then its cost is not compared with anybody's."""
    made = number(one.polls_per_s)
    return made if one.keeps_rate else f"{made}, asked for {number(one.asked_per_s)}"


def times(one: Compared) -> str:
    """How many times as much as the engine that it is held against, with the least and the most of a round."""
    if one.times is None:
        return ""
    return f"{one.times.median:.1f} ({one.times.low:.1f} – {one.times.high:.1f})"


def speeds(rounds: Sequence[Speed]) -> Markup:
    """How fast the machine was in each round."""
    rows = [[count(one.round), number(100 * one.of_fastest), number(100 * one.core_free)] for one in rounds]
    head = ["round", "speed of the machine, % of its fastest", "time for which a core was free, %"]
    return table(head, rows, label="speed of the machine by round", numbers=range(3)) if rows else Markup("")


def skipped(reasons: Mapping[str, str]) -> Markup:
    """Who was left out, and why."""
    items = [element("li", f"{name}: skipped: {why}") for name, why in reasons.items()]
    return element("ul", *items) if items else Markup("")


def steps(taken: Iterable[Step]) -> Markup:
    """How one generator does with more and more devices."""
    rows = [
        [
            step.engine,
            count(step.clients),
            number(step.polls_per_s),
            number(step.lag_p50_ms),
            number(step.lag_p99_ms),
            number(step.cpu_us_per_poll),
            count(step.unsent),
            count(step.failed),
            "yes" if step.held else "no",
        ]
        for step in taken
    ]
    head = ["engine", "devices", "polls/s answered", "lag p50, ms", "lag p99, ms", "CPU per poll, µs"]
    return table(
        [*head, "never sent", "failed", "carried"], rows, label="devices that one generator carries", numbers=range(1, 8)
    )


def figures(lines: Iterable[Figure]) -> Markup:
    """Every figure beside its target, misses included."""
    rows: list[list[Piece]] = [
        [line.what, line.measured, line.wanted, "" if line.met is None else badge(_MET[line.met])] for line in lines
    ]
    head = ["figure", "measured", "wanted", ""]
    return table(head, rows, label="figures of the instrument beside their targets", medium={1, 2})
