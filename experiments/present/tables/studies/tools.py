"""Load tools beside the truth: at a glance, figure by figure, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from experiments.present.format import NONE, count, number
from experiments.present.html import Markup, Piece, element, table
from experiments.present.tables.sortable import SortableTable
from experiments.present.tables.verdict import Status, badge
from experiments.present.told import LONGEST, Known, Pair, Told

_RIGHT = Status("right", "✔", "lab-valid", "")
PERCENTS = (50.0, 90.0, 99.0, LONGEST)


def tools(rows: Iterable[tuple[str, str, str]]) -> Markup:
    """Who is tried: name, version, and why not if it is not there."""
    return table(["tool", "version", ""], [list(row) for row in rows], label="tools that are tried", wide={2})


def answers(known: Iterable[Known]) -> Markup:
    """Each answer as it was worked out and as the server recorded it."""
    rows: list[list[Piece]] = [
        [
            one.title,
            count(one.requests),
            one.parts,
            *(f"{_ms(one.worked_out.get(percent))} / {_ms(one.recorded.get(percent))}" for percent in PERCENTS),
        ]
        for one in known
    ]
    head = ["answer", "requests", "of these", *(f"{heading(percent)}, ms: worked out / recorded" for percent in PERCENTS)]
    return table(head, rows, label="the answers, worked out and recorded", numbers={1, 3, 4, 5, 6}, medium={2})


def glance(told: Sequence[Told]) -> Markup:
    """Tools down, answers across: right, or what is wrong."""
    names, titles = columns(told)
    found = {(one.tool, one.answer): one for one in told}
    rows = [[tool, *(_mark(found.get((tool, answer))) for answer in titles)] for tool in names]
    return table(["tool", *titles.values()], rows, label="what each tool says rightly", medium=range(1, len(titles) + 1))


def columns(told: Sequence[Told]) -> tuple[list[str], dict[str, str]]:
    """Tools, and answers with their titles, in the order in which they come."""
    return list(dict.fromkeys(one.tool for one in told)), {one.answer: one.title for one in told}


def _mark(one: Told | None) -> Piece:
    if one is None:
        return NONE
    words = element("span", ", ".join(one.wrong), title=one.sentence)
    return words if one.wrong else badge(_RIGHT)


def figures(told: Sequence[Told]) -> SortableTable:
    """Every figure that a tool prints, beside the truth; said / true."""
    rows = [
        {
            "tool": one.tool,
            "answer": one.title,
            "requests": twice(one.requests),
            "requests/s": twice(one.per_s),
            "failures": twice(one.failed),
            **{f"{heading(percent)}, ms": _times(one.times.get(percent)) for percent in PERCENTS},
            "in a sentence": one.sentence,
        }
        for one in told
    ]
    return SortableTable(pl.DataFrame(rows), "Said by the tool / seen by the server. A dash: the tool does not say it.")


def heading(percent: float) -> str:
    """`p90` or `longest`."""
    return "longest" if percent == LONGEST else f"p{percent:g}"


def twice(pair: Pair) -> str:
    """`360 / 355`."""
    return f"{count(pair.said)} / {count(pair.true)}"


def _times(pair: Pair | None) -> str:
    return f"{_ms(pair.said)} / {_ms(pair.true)}" if pair else NONE


def _ms(seconds: float | None) -> str:
    return number(None if seconds is None else 1000 * seconds)


def advice(lines: Mapping[str, str]) -> Markup:
    """Question -> whom to ask, and whom not."""
    rows = [[question, said] for question, said in lines.items()]
    return table(["what is to be known", "whom to ask, by this run"], rows, label="advice", wide={1})
