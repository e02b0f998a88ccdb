"""Rows as tables, charts and pages take them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from experiments.present.told import Known, Pair, Told
from experiments.studies.tools import truth as truths
from experiments.studies.tools.judge import KINDS, Row
from server import catalogue


def told(row: Row) -> Told:
    """A row as tables and charts take it."""
    said, seen = row.said, row.truth
    count = None if said is None else said.answered + said.failed if said.count is None else said.count
    times = {percent: Pair(there, seen.times.get(percent)) for percent, there in said.times.items()} if said else {}
    return Told(
        tool=row.tool.name,
        answer=row.answer,
        title=catalogue.FOR_TOOLS[row.answer].title,
        wrong=tuple(dict.fromkeys(KINDS[one.kind] for one in row.findings)),
        sentence=row.sentence,
        requests=Pair(count, seen.count),
        failed=Pair(said.failed if said else None, seen.failed),
        per_s=Pair(said.per_s if said else None, seen.per_s),
        times={percent: pair for percent, pair in times.items() if percent >= truths.PERCENTS[0]},
        shown=row.shown_percent,
    )


def known(rows: Sequence[Row]) -> list[Known]:
    """Each answer, of all tools together: what was worked out beside what was recorded."""
    return [
        _known(answer, [row.truth for row in rows if row.answer == answer])
        for answer in dict.fromkeys(row.answer for row in rows)
    ]


def _known(answer: str, seen: Sequence[truths.Truth]) -> Known:
    parts = {
        "answered": sum(one.answered for one in seen),
        "503": sum(one.refused for one in seen),
        "cut off": sum(one.short for one in seen),
        "unanswered, or left": sum(one.unanswered for one in seen),
    }
    return Known(
        answer=answer,
        title=catalogue.FOR_TOOLS[answer].title,
        requests=sum(one.count for one in seen),
        connections=sum(one.connections for one in seen),
        worked_out=truths.percentiles(pl.concat([one.worked_out for one in seen])),
        recorded=truths.percentiles(pl.concat([one.took for one in seen])),
        parts=", ".join(f"{number:,} {what}" for what, number in parts.items() if number),
    )
