"""A comparison in tables: the answer, the ranking with every measure, what was equal and what was not, a part a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.present.format import NONE, count, number, plural
from experiments.present.html import Markup, Piece, caption, element, note, table
from experiments.present.tables.studies.capacity import link
from experiments.present.tables.verdict import STATUSES, badge

Row = Mapping[str, Any]


def ranking(
    rows: Sequence[Row],
    missing: Sequence[tuple[str, str, str]],
    units: Mapping[str, str],
    *,
    where: str,
    beside: str = "Falcon",
) -> Markup:
    """Every measure of every system; below it those without figures, and why.

    Args:
        beside: what people call the one that all are held against.
    """
    if not rows:
        return note(f"{where}: no run counts.") + _missing(missing)
    measures = [f"{name}, {unit}" for name, unit in units.items()]
    head = ["system", f"beside {beside}", "runs", *measures, "failed, %, worst run"]
    body: list[list[Piece]] = [
        [
            row["title"],
            row["kind"],
            count(row["runs"]),
            *(_measure(row["measures"].get(name)) for name in units),
            number(row["failed_pct"]),
        ]
        for row in rows
    ]
    return table(
        head, body, label=f"ranking, {where}", numbers={2, len(head) - 1}, medium=range(3, len(head) - 1)
    ) + _missing(missing)


def _measure(found: tuple[float, str, str] | None) -> Piece:
    if found is None:
        return NONE
    value, ratio, verdict = found
    small = f"× {ratio}: {verdict}" if ratio not in ("", NONE) else verdict
    return element("span", element("b", number(value)), Markup("<br>"), element("span", small, css="lab-small"))


def _missing(missing: Sequence[tuple[str, str, str]]) -> Markup:
    if not missing:
        return Markup("")
    rows: list[list[Piece]] = [list(row) for row in missing]
    return table(["not in the ranking", "state", "why"], rows, label="systems without figures", wide={2})


def costs(rows: Sequence[Row]) -> Markup:
    """One row per system: title, uss_mb, per_1000_mb, start_s, lines."""
    if not rows:
        return note("No run counts, so neither memory nor start-up is known.")
    head = ["system", "memory per worker (USS), MB", "per 1,000 connections, MB", "start-up, s", "lines of the application"]
    body: list[list[Piece]] = [
        [
            row["title"],
            *(number(row[name]) for name in ("uss_mb", "per_1000_mb", "start_s")),
            count(row["lines"]),
        ]
        for row in rows
    ]
    return table(head, body, label="memory, start-up and lines", numbers={1, 2, 3, 4})


def plain(head: Sequence[str], rows: Sequence[Sequence[str]], *, label: str, **places: Any) -> Markup:
    """A table of texts."""
    return table(list(head), [list(row) for row in rows], label=label, **places)


def part(title: str, state: str, runs: Sequence[Row], log: str) -> Markup:
    """A system: what became of it, its runs with their reports, and what its server printed last.

    Args:
        runs: as `reports` takes them.
    """
    shown = element("h3", title) + caption(state)
    if runs:
        shown += reports(title, runs)
    if log:
        shown += element("details", element("summary", "last lines of its server.log"), element("pre", log), css="lab-more")
    return shown


def reports(title: str, runs: Sequence[Row]) -> Markup:
    """Runs and their reports, to be opened.

    Args:
        title: whose.
        runs: name, role, block, verdict, why, report.
    """
    head = ["run", "for", "block", "verdict", "why it does not count"]
    body: list[list[Piece]] = [
        [
            link(row["name"], row["report"]),
            row["role"],
            count(row["block"]),
            badge(STATUSES[row["verdict"]]) if row["verdict"] in STATUSES else row["verdict"],
            row["why"] or NONE,
        ]
        for row in runs
    ]
    listed = table(head, body, label=f"runs of {title}", numbers={2}, wide={4})
    return element("details", element("summary", f"{plural(len(body), 'run')}, with reports"), listed, css="lab-more")
