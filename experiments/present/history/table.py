"""All results as a table, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analyse.history.entries import Entry, lines
from experiments.present.format import NONE, longer, number
from experiments.present.html import Markup, Piece, element, note, table
from experiments.present.subject import minute
from experiments.present.tables.verdict import STATUSES, badge

_LEVELS = {
    "met": STATUSES["valid"]._replace(word="met"),
    "missed": STATUSES["invalid"]._replace(word="missed"),
    "cannot be said": STATUSES["suspect"]._replace(word="cannot be said"),
}
_UNFINISHED = STATUSES["not applicable"]._replace(word="unfinished")
HEAD = ("result", "what", "when", "asked", "measurement", "service level", "p99, ms", "failed, %", "CPU per request, µs")
MOST_SHOWN = 2
"""Changes of versions that find room in a row."""


def results(entries: Sequence[Entry]) -> Markup:
    """A row a result; where machine or versions changed since the one before that asks the same, it says so."""
    if not entries:
        return note("There is no result in this folder yet.")
    rows = [_row(one, changed) for one, changed in reversed(list(lines(entries)))]
    head = [*HEAD, "changed since the one before"]
    return table(head, rows, label="all results, the newest first", numbers={6, 7, 8}, medium={3, 9})


def _row(one: Entry, changed: Sequence[str]) -> list[Piece]:
    name: Piece = element("a", one.name, href=one.report) if one.report else one.name
    measured = STATUSES.get(one.measurement, _UNFINISHED)
    level: Piece = badge(_LEVELS[one.service_level]) if one.service_level in _LEVELS else one.service_level
    figures = [_figure(one, "failed, %"), _figure(one, "CPU per request, µs")]
    return [
        name,
        one.kind,
        minute(one.started_at),
        one.asked,
        badge(measured),
        level,
        _p99(one),
        *figures,
        _changed(changed),
    ]


def _p99(one: Entry) -> str:
    """Of every endpoint, in the target's order."""
    return " / ".join(_figure(one, name) for name in one.figures if name.endswith(" p99, ms")) or NONE


def _figure(one: Entry, name: str) -> str:
    return longer(number(one.figures.get(name)), censored=name in one.longer)


def _changed(changed: Sequence[str]) -> str:
    more = f" and {len(changed) - MOST_SHOWN} more" if len(changed) > MOST_SHOWN else ""
    return f"{', '.join(changed[:MOST_SHOWN])}{more}"
