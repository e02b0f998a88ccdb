"""Whom to ask what: made of the rows of a run, question by question. Rows in, sentences out; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.studies.tools.judge import Kind, Row


@dataclass(frozen=True)
class Question:
    """What somebody wants to know of a server."""

    text: str
    answers: tuple[str, ...]
    """A tool must be right with all of these,"""
    kinds: tuple[Kind, ...]
    """in these,"""
    has: Callable[[Row], bool] = lambda row: True
    """and be a tool that says it at all."""


def _has_median(row: Row) -> bool:
    return row.said is None or {50.0, 90.0} <= {*row.said.times}


def _has_rate(row: Row) -> bool:
    return row.tool.paced and row.tool.pacing == "fixed"


QUESTIONS = (
    Question("median and p90 of the answers", ("steady", "eighth-slow", "in-chunks", "fifth-503"), ("times",), _has_median),
    Question("how long a stall is felt: p90 by the clock", ("one-stall",), ("times", "load"), _has_median),
    Question("a rate that is kept across a stall", ("steady", "eighth-slow", "one-stall"), ("load", "rate"), _has_rate),
    Question("how many answers are 503 or cut off", ("fifth-503", "fifth-short"), ("errors", "count")),
    Question("a server that closes connections", ("close-said", "close-unsaid"), ("errors", "count", "load", "times")),
    Question("a server that leaves connections unanswered", ("five-served",), ("errors", "count")),
    Question("answers without a body, or in chunks", ("no-content", "in-chunks"), ("errors", "count", "load")),
    Question("as many requests as it can carry", ("steady", "fifth-503"), ("count", "rate"), lambda row: not row.tool.paced),
)
_ALWAYS: tuple[Kind, ...] = ("hung", "failed")


def advice(rows: Sequence[Row]) -> dict[str, str]:
    """Question -> who is right in all that it rests on, and what the others did wrong."""
    tried = {row.answer for row in rows}
    return {one.text: _said(one, rows) for one in QUESTIONS if tried >= {*one.answers}}


def _said(question: Question, rows: Sequence[Row]) -> str:
    right, wrong, silent = [], [], []
    for name in dict.fromkeys(row.tool.name for row in rows):
        own = [row for row in rows if row.tool.name == name and row.answer in question.answers]
        bad = [row for row in own if {one.kind for one in row.findings} & {*question.kinds, *_ALWAYS}]
        if {row.answer for row in own} < {*question.answers} or not all(map(question.has, own)):
            silent.append(name)
        elif bad:
            wrong.append(name)
        else:
            right.append(name)
    parts = [f"{', '.join(right) or 'nobody'}."]
    if wrong:
        parts.append(f"Not {', '.join(wrong)}.")
    if silent:
        parts.append(f"Does not say, or cannot: {', '.join(silent)}.")
    return " ".join(parts)
