"""A sweep in tables: what it will take before it starts, what came of it, and every cell with a link to its report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from experiments.analyse.points import Measured, endpoints_of
from experiments.analyse.summary import current, is_longer
from experiments.analyse.targets.naming import letters
from experiments.present.format import (
    LONGER,
    NONE,
    count,
    duration,
    longer,
    number,
    percent,
    plain,
    plain_value,
    plural,
    size,
)
from experiments.present.html import Markup, Piece, caption, element, table
from experiments.present.tables.scenario import answered_bytes_per_s
from experiments.present.tables.verdict import STATUSES, Status, badge
from experiments.scenario import Scenario

MOST_ROWS = 200
"""Rows of a table; a sweep of thousands of cells shows the first ones."""

MOST_TIMED = 3
"""Endpoints with a column of times; more would not fit on a page."""

_NO_RECORD = Status("", "✖", "lab-error", "")
_NOT_YET = Status("", NONE, "lab-neutral", "")


def estimate(cells: int, repeats: int, seconds: float, max_hours: float, now: datetime) -> Markup:
    """How many cells there are and how long they will take, in cards; and what happens if that is too long."""
    shown = [
        (count(cells // repeats), "points of the grid"),
        (count(repeats), "repeats of each"),
        (count(cells), "cells to measure"),
        (duration(seconds), "in all, about"),
        (f"{now + timedelta(seconds=seconds):%d %b, %H:%MZ}", "done about, if started now"),
    ]
    cards = [element("div", element("b", value), element("span", meaning), css="lab-card") for value, meaning in shown]
    whole = element("div", *cards, css="lab-cards")
    if seconds <= 3600 * max_hours:
        return whole
    part = int(cells * 3600 * max_hours / seconds)
    return whole + caption(
        element(
            "strong",
            f"That is more than max_hours={plain(max_hours)}: about {count(part)} of {plural(cells, 'cell')} will be "
            "measured. "
            "Start again with the same sweep_id for the others, or raise max_hours.",
        )
    )


def loads(points: Iterable[tuple[Mapping[str, Any], Scenario]]) -> Markup:
    """What each point of the grid asks for; the heaviest first."""
    ordered = sorted(points, key=lambda one: -one[1].plan.polls_per_s)
    rows: list[list[Piece]] = [[*map(plain_value, at.values()), *_load(scenario)] for at, scenario in ordered[:MOST_ROWS]]
    axes = list(ordered[0][0])
    head = [*axes, "polls/s asked for", "answers, without headers", "polls per cell", "connections"]
    shown = table(head, rows, label="load of each point", numbers=range(1, len(head)))
    return shown + _rest(len(ordered))


def _load(scenario: Scenario) -> list[str]:
    plan = scenario.plan
    bytes_per_s = answered_bytes_per_s(scenario, plan)
    answers = NONE if bytes_per_s is None else f"{size(bytes_per_s)}/s"
    polls = plan.polls_per_s * scenario.window_s
    connections = count(plan.clients) if scenario.keep_alive else "one per poll"
    return [number(plan.polls_per_s), answers, count(polls), connections]


def _rest(rows: int) -> Markup:
    return caption(f"The first {MOST_ROWS} of {count(rows)}.") if rows > MOST_ROWS else Markup("")


def cells(measured: Sequence[Measured]) -> Markup:
    """Every cell: its state, its figures, its report."""
    names = endpoints_of(cell.record for cell in measured if cell.record)
    rows = [_row(cell, names) for cell in measured[:MOST_ROWS]]
    times = [f"{called} {percentile}" for called, _, percentile in _times(names)]
    figures = ["not answered right", *times, "server cores", "µs per request", "memory", "lag p99"]
    head = ["report", *measured[0].at, "repeat", "verdict", "because of", *figures]
    why = head.index("because of")
    numbers = set(range(1, len(head))) - {why - 1, why}
    shown = table(head, rows, label="every cell", numbers=numbers, medium={why})
    hidden = len(names) > MOST_TIMED
    more = f" The times of the first {MOST_TIMED} of {len(names)} endpoints; the reports have all." if hidden else ""
    unknown = any("> " in str(piece) for row in rows for piece in row)
    links = "Times in ms. The links lead to the cells' own reports, from the folder of the sweep."
    links = f"{links} {LONGER}" if unknown else links
    return shown + caption(f"{links}{more}") + _rest(len(measured))


def _times(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """What stands in the columns of times: (called, endpoint, percentile); p50 of the first endpoint alone."""
    called = letters(names)
    first, *others = [(called[name], name) for name in names[:MOST_TIMED]]
    return [(*first, "p50"), (*first, "p99"), *((*one, "p99") for one in others)]


def _row(cell: Measured, names: Sequence[str]) -> list[Piece]:
    link: Piece = element("a", "report", href=cell.report, aria_label=f"report of {cell.name}") if cell.report else NONE
    at = [plain_value(value) for value in cell.at.values()]
    return [link, *at, count(cell.repeat), badge(_status(cell.state)), cell.why, *_figures(cell, names)]


def _status(state: str) -> Status:
    if state in STATUSES:
        return STATUSES[state]
    return (_NOT_YET if state == "not measured" else _NO_RECORD)._replace(word=state)


def _figures(cell: Measured, names: Sequence[str]) -> list[str]:
    if cell.record is None:
        return [NONE] * (5 + len(_times(names)))
    summary = current(cell.record)
    endpoints = summary["endpoints"]
    planned, ok = (sum(one[key] for one in endpoints.values()) for key in ("planned", "ok"))
    server = summary["server"]
    return [
        percent(planned - ok, planned),
        *(_time(endpoints.get(name, {}).get("response_ms", {}), percentile) for _, name, percentile in _times(names)),
        number(server["cpu_cores_mean"]),
        number(server["cpu_us_per_request"]),
        size(server["rss_peak_bytes"]),
        number(summary["generator"]["lag_ms"]["p99"]),
    ]


def _time(times: Mapping[str, Any], percentile: str) -> str:
    return longer(number(times.get(percentile)), censored=is_longer(times, percentile))
