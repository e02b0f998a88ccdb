"""Whether the run may be believed: the words for it, and the table of checks behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from experiments.present.format import NONE, number, plain
from experiments.present.html import Markup, Piece, element, note, table


class Status(NamedTuple):
    """How a status is said, drawn and ranked."""

    word: str
    symbol: str
    css: str
    advice: str


STATUSES = {
    "invalid": Status("invalid", "✖", "lab-invalid", "Do not rest anything on the figures of this run."),
    "suspect": Status("suspect", "▲", "lab-suspect", "Read the figures of this run with care."),
    "valid": Status("valid", "✔", "lab-valid", "The figures of this run may be believed."),
    "not applicable": Status("not applicable", NONE, "lab-neutral", "Nothing could be checked."),
}
"""Worst first."""


def status_of(name: object) -> Status:
    """The status of this name; `not_applicable` counts as `not applicable`, strangers as suspect."""
    return STATUSES.get(str(name).replace("_", " "), STATUSES["suspect"])


def reason(verdict: Mapping[str, Any]) -> str:
    """The verdict in a sentence or two."""
    return str(verdict.get("headline") or status_of(verdict["status"]).advice)


def found(verdict: Mapping[str, Any]) -> list[str]:
    """The checks that made the status, by name and figure; none where the headline has said it."""
    status = status_of(verdict["status"])
    worst = [check for check in verdict["checks"] if status_of(check["status"]) == status]
    if status.word not in ("invalid", "suspect") or len(worst) == 1:
        return []
    return [f"Checks that are {status.word}: {'; '.join(map(_figure, worst))}."]


def _figure(check: Mapping[str, Any]) -> str:
    return f"{words(check)} {shown(check['figure'])}"


def words(check: Mapping[str, Any]) -> str:
    """The name of a check, as words."""
    return str(check["name"]).replace("_", " ")


def meaning(check: Mapping[str, Any]) -> str:
    """What follows from a check, and what to do; older summaries have both in one."""
    return f"{check['meaning']} {check.get('advice', '')}".rstrip()


def ranked(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Checks, the worst first; equally bad ones in their order."""
    order = list(STATUSES.values())
    return sorted(checks, key=lambda check: order.index(status_of(check["status"])))


def checks(verdict: Mapping[str, Any]) -> Markup:
    """Every check with its figure, limit and meaning, worst first."""
    if not verdict["checks"]:
        return note("No check was made.")
    rows: list[list[Piece]] = [
        [words(check), badge(status_of(check["status"])), shown(check["figure"]), shown(check["limit"]), meaning(check)]
        for check in ranked(verdict["checks"])
    ]
    head = ["check", "status", "figure", "limit", "meaning"]
    return table(head, rows, label="checks of the instrument, worst first", wide={4}, medium={2, 3})


def badge(status: Status) -> Markup:
    """A status by symbol, word and colour."""
    return element("span", f"{status.symbol} {status.word}", css=f"lab-badge {status.css}")


def shown(value: object) -> str:
    """A figure or limit: numbers with three digits, nothing as a dash, text as it is."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return plain(value) if value.is_integer() else number(value)
    return plain(value) if isinstance(value, int) else str(value)
