"""The service level, in words: whether it is met, by what it is missed, and what was left out of it, as allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from experiments.analyse.targets.naming import ARTICLE, letters
from experiments.present.format import number, percent, plain
from experiments.present.html import Markup, Piece, caption, table
from experiments.present.tables.verdict import Status, badge, shown


def sentence(level: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> str:
    """Whether the service level is met, and if not, by what it is missed; and what was left out of it, as allowed.

    Args:
        names: all endpoints of the run, as for the functions below.
    """
    said = _LEVEL_WORDS[level.get("met")]
    missed, left_out = missed_limits(level, names), _left_out(level, names)
    return f"{said[:-1]}: {missed}.{left_out}" if missed else f"{said}{left_out}"


def missed_limits(level: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> str:
    """`response p99 of A, ms is 61.2, limit 50`, for each limit that is missed; empty if none is."""
    names = tuple(names)
    return "; ".join(missed_limit(item, names) for item in level["items"] if item["met"] is False)


def missed_limit(item: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> str:
    """Its figure; where there is none, since polls had no right answer, how many were in time."""
    if item["figure"] is None and item.get("within_pct") is not None:
        return f"{_level_name(item, names)}: {_in_time(item)}, 99 % should be"
    return f"{_level_name(item, names)} is {shown(item['figure'])}, limit {shown(item['limit'])}"


def _in_time(item: Mapping[str, Any]) -> str:
    return f"{number(item['within_pct'], 4)} % of the polls were answered right within {plain(item['limit'])} ms"


def told(level: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> str:
    """Every limit with what came of it: `p99 of A is 61.2 ms, 50 allowed. 2 % of the polls failed, 1 % may.`"""
    names = tuple(names)
    called = letters(names)
    return " ".join(_plainly(item, called) for item in level["items"])


def _plainly(item: Mapping[str, Any], called: Mapping[str, str]) -> str:
    name, figure, limit = str(item["name"]), item["figure"], plain(item["limit"])
    if name == "devices_pct":
        return f"{shown(figure)} % of the devices keep it each by itself, {limit} % should."
    for end, say in (("_response_p99_ms", _time), ("_failure_pct", _failures)):
        if name.endswith(end):
            return say(called.get(name.removesuffix(end), name.removesuffix(end)), item)
    return _failures("", item)


def _time(called: str, item: Mapping[str, Any]) -> str:
    limit = plain(item["limit"])
    if item["figure"] is not None:
        return f"p99 of {called} is {number(item['figure'])} ms, {limit} allowed."
    if item["met"] is None or item.get("within_pct") is None:
        return f"Too few polls of {called} for a p99, {limit} ms allowed."
    within = f"{number(item['within_pct'], 4)} % of the polls of {called}"
    return f"{within} were answered right within {limit} ms, 99 % should be."


def _failures(called: str, item: Mapping[str, Any]) -> str:
    of = f" of {called}" if called else ""
    return f"{shown(item['figure'])} % of the polls{of} failed, {plain(item['limit'])} % may."


def _left_out(level: Mapping[str, Any], names: Iterable[str]) -> str:
    """The failures that a limit in ms does not count, because the user allowed so many."""
    names = tuple(names)
    said = [
        f"{percent(item['left_out_pct'], 100)} of the polls failed and are left out of {_level_name(item, names)}"
        for item in level["items"]
        if item.get("left_out_pct")
    ]
    if not said:
        return ""
    allowed = [plain(item["limit"]) for item in level["items"] if item["name"] == "failure_pct"]
    by = f"slo_failure_pct={allowed[0]}" if allowed else "failure_pct of the target"
    return f" {'; '.join(said)}: {by} allows that."


def _level_name(item: Mapping[str, Any], names: Iterable[str]) -> str:
    called = {
        "failure_pct": "polls failed or not answered, %",
        "devices_pct": "devices that keep the level each by itself, %",
    }
    for name, letter in letters(names).items():
        called[f"{name}_response_p99_ms"] = f"response p99 of {letter}, ms"
        called[f"{name}_failure_pct"] = f"polls of {letter} failed or not answered, %"
    return called.get(item["name"], str(item["name"]))


_LEVEL_WORDS = {
    True: "The service level that was asked for is met.",
    False: "The service level that was asked for is missed.",
    None: "Too few polls to say whether the service level is met.",
}


def levels(summary: Mapping[str, Any]) -> Markup:
    """Every limit that was asked for, and whether it is kept."""
    level = summary.get("service_level") or {}
    if not level.get("asked"):
        return caption("No service level was asked for: every slo_... parameter is at its default.")
    names = summary.get("endpoints", ARTICLE)
    rows: list[list[Piece]] = [
        [_level_name(item, names), badge(_LEVEL_STATUS[item["met"]]), _level_figure(item), shown(item["limit"])]
        for item in level["items"]
    ]
    made = table(["service level", "kept", "figure", "limit"], rows, label="limits of the service level", numbers={2, 3})
    return made + (caption(said) if (said := _left_out(level, names)) else Markup(""))


def _level_figure(item: Mapping[str, Any]) -> str:
    if item["figure"] is None and item["met"] is False and item.get("within_pct") is not None:
        return f"none: {_in_time(item)}"
    return shown(item["figure"])


_LEVEL_STATUS = {
    True: Status("met", "✔", "lab-met", ""),
    False: Status("missed", "✖", "lab-missed", ""),
    None: Status("cannot be said", "?", "lab-neutral", ""),
}
