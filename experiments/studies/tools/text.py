"""A test of tools as a page of the docs: Markdown, made of the rows and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from experiments.present.format import number
from experiments.present.tables.studies.tools import PERCENTS, columns, heading, twice
from experiments.present.told import Known, Told

_HEAD = """\
# Which load tool tells the truth?

This page was written by `make tools`, which asks every load tool that is installed for the same light load against servers
whose answers are known, and holds what it prints against what the server recorded of each request. Made {when} on {machine}.

{clients} clients, a request every {interval_ms:g} ms each, {seconds:g} s; tools without a rate ask as fast as they are
answered. A figure is called wrong where it is further off than rounding and the unrest of the machine explain: times by more
than 3 ms and 15 % (from p99 on 60 ms and 50 %), plus what 99 of 100 answers were late by in that attempt. How a tool is
called stands in `experiments/studies/tools/catalogue/`; with other options it may do better.

While this was measured, one in twenty of another program's short waits ended {unrest_ms:.1f} ms late or later (the median
attempt): the busier a machine, the more of a dear tool's own queueing is in its times.
"""


def page(
    *,
    told: Sequence[Told],
    known: Sequence[Known],
    versions: Mapping[str, str],
    missing: Mapping[str, str],
    advice: Mapping[str, str],
    facts: Mapping[str, object],
) -> str:
    """The whole page."""
    parts = [
        _HEAD.format(**facts),
        "## Whom to ask\n",
        _table(["to learn", "ask"], advice.items()),
        "## At a glance\n",
        "What is wrong in what a tool says of an answer; a dot where all is right. Nothing stands where it is not tried:\n"
        "some answers of that kind end it by an error of its own.\n",
        _glance(told),
        "## The answers\n",
        "Worked out from the program, and recorded by the server of all that it sent to all tools; milliseconds.\n",
        _known(known),
        *(part for title, group in groupby(told, key=lambda one: one.title) for part in _answer(title, list(group))),
        "## Versions\n",
        _table(["tool", "version"], versions.items()),
    ]
    if missing:
        parts += ["Not installed, so not tried:\n", _table(["tool", "why"], missing.items())]
    return "\n".join(parts)


def _glance(told: Sequence[Told]) -> str:
    names, titles = columns(told)
    found = {(one.tool, one.answer): ", ".join(one.wrong) or "·" for one in told}
    rows = ([tool, *(found.get((tool, answer), "") for answer in titles)] for tool in names)
    return _table(["tool", *titles], rows)


def _known(known: Sequence[Known]) -> str:
    head = ["answer", "is", "of these requests", *(f"{heading(percent)}: worked out / recorded" for percent in PERCENTS)]
    rows = (
        [
            one.answer,
            one.title,
            one.parts,
            *(f"{_ms(one.worked_out.get(percent))} / {_ms(one.recorded.get(percent))}" for percent in PERCENTS),
        ]
        for one in known
    )
    return _table(head, rows)


def _answer(title: str, told: Sequence[Told]) -> list[str]:
    head = ["tool", "requests", "per second", "failures", *(heading(percent) for percent in PERCENTS), "in a sentence"]
    rows = (
        [one.tool, twice(one.requests), twice(one.per_s), twice(one.failed), *_times(one), one.sentence.replace("|", "/")]
        for one in told
    )
    said = f"## {title[0].upper()}{title[1:]}\n"
    return [said, "Said by the tool / seen by the server; milliseconds.\n", _table(head, rows)]


def _times(one: Told) -> Iterable[str]:
    for percent in PERCENTS:
        pair = one.times.get(percent)
        yield f"{_ms(pair.said)} / {_ms(pair.true)}" if pair else "–"


def _ms(seconds: float | None) -> str:
    return number(None if seconds is None else 1000 * seconds)


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
