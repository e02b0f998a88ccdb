"""A capacity search in figures: what was foretold, what was measured, what it comes to.

Takes plain rows, so that it need not know how a search goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.analyse.targets.naming import ARTICLE, letters
from experiments.present.format import LONGER, NONE, count, longer, number, plain, size
from experiments.present.html import Markup, Piece, caption, element, note, table
from experiments.present.tables.verdict import STATUSES, Status, badge

Row = Mapping[str, Any]


def _range(ends: Sequence[float] | None, unit: str = "") -> str:
    if ends is None:
        return NONE
    low, high = (number(end) for end in ends)
    return f"{low}{unit}" if low == high else f"{low} – {high}{unit}"


def facts(pairs: Iterable[tuple[str, str]], *, label: str) -> Markup:
    """Two columns: what, and what of it."""
    return table(["what", "figure"], list(pairs), label=label, wide={1})


def cells(rows: Sequence[Row], *, label: str) -> Markup:
    """A row per cell: clients, ratio, polls_per_s, server_pct, server_us, generator_pct, p50_ms, p95_ms, verdict, report."""
    if not rows:
        return note("No cell was measured.")
    head = [
        *("devices", "A : B", "polls/s", "server, % of a core per worker", "server, µs per poll", "generator, % of a core"),
        *("A p50, ms", "A p95, ms", "verdict"),
    ]
    body: list[list[Piece]] = [
        [
            link(count(row["clients"]), row["report"]),
            row["ratio"],
            count(row["polls_per_s"]),
            *(number(row[name]) for name in ("server_pct", "server_us", "generator_pct", "p50_ms", "p95_ms")),
            badge(STATUSES[row["verdict"]]) if row["verdict"] in STATUSES else row["verdict"],
        ]
        for row in rows
    ]
    return table(head, body, label=label, numbers=range(2, 8))


def link(text: str, target: str | None) -> Piece:
    """The text, leading to a cell's report where there is one."""
    return element("a", text, href=target) if target else text


def held_against(rows: Sequence[Row], *, label: str) -> Markup:
    """One row per figure: what, foretold, measured, range, miss_pct, target_pct."""
    head = ["figure", "foretold", "measured, median of the runs", "in the runs", "miss", "target", "kept"]
    body: list[list[Piece]] = [
        [
            row["what"],
            number(row["foretold"]),
            number(row["measured"]),
            _range(row["range"]),
            NONE if row["miss_pct"] is None else f"{row['miss_pct']:+.0f} %",
            f"within {plain(row['target_pct'])} %",
            _kept(row["miss_pct"], row["target_pct"]),
        ]
        for row in rows
    ]
    return table(head, body, label=label, numbers={1, 2, 3, 4})


_YES, _NO = Status("yes", "✔", "lab-met", ""), Status("no", "✖", "lab-missed", "")


def _kept(miss: float | None, target: float) -> Piece:
    if miss is None:
        return NONE
    good = abs(miss) <= target
    return badge(_YES if good else _NO)


_SHOWN = {"pass": "pass", "fail": "fail", "inconclusive": "inconclusive"}


def levels(rows: Sequence[Row], names: Iterable[str] = ARTICLE) -> Markup:
    """One row per level: clients, runs [(shown, report)], suspect, p99_ms by endpoint, longer, devices_pct, server_pct, why.

    Args:
        names: the endpoints to be shown, in the target's order.
    """
    names = tuple(names)
    if not rows:
        return note("No load of the search was measured.")
    head = [
        *("devices", "runs", *(f"{letter} p99, ms" for letter in letters(names).values())),
        *("devices that keep it, %", "server, % of a core per worker"),
        "what was missed",
    ]
    body: list[list[Piece]] = [
        [
            count(row["clients"]),
            _runs(row["runs"], row["suspect"]),
            *(longer(_range(row["p99_ms"].get(name)), censored=name in row["longer"]) for name in names),
            *(_range(row[name]) for name in ("devices_pct", "server_pct")),
            row["why"] or NONE,
        ]
        for row in rows
    ]
    made = table(head, body, label="levels of the search", numbers=range(2, len(head) - 1), wide={len(head) - 1}, medium={1})
    unknown = any(row["longer"] for row in rows)
    return made + caption(LONGER) if unknown else made


def _runs(runs: Sequence[tuple[str, str | None]], suspect: int) -> Markup:
    pieces: list[Piece] = [piece for shown, report in runs for piece in (link(_SHOWN[shown], report), " ")]
    return element("span", *pieces, f"({count(suspect)} suspect)" if suspect else "")


def fleet(rows: Sequence[Row], assumptions: Sequence[str]) -> Markup:
    """One row a size of fleet, and what it assumes."""
    head = [
        *("devices", "polls/s", "network, Gbit/s", "server cores", "server memory", "generator cores", "generator machines"),
        "client addresses",
    ]
    body = [
        [
            count(row["clients"]),
            count(row["polls_per_s"]),
            number(row["gbit_per_s"]),
            _range(row["server_cores"]),
            size(row["memory_bytes"]),
            _range(row["generator_cores"]),
            _range(row["generator_machines"]),
            count(row["generator_addresses"]),
        ]
        for row in rows
    ]
    made = table(head, body, label="what larger fleets take", numbers=range(1, 8))
    return made + element("ul", *(element("li", sentence) for sentence in assumptions))
