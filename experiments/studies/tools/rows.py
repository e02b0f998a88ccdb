"""Attempts as rows: what lies in a folder is read and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from experiments.errors import GeneratorError, RecordError
from experiments.studies.tools import truth as truths
from experiments.studies.tools.attempt import LEDGER, OUTPUT, OVERTIME_S, read_came
from experiments.studies.tools.bench import Came, place
from experiments.studies.tools.catalogue.tool import Asked
from experiments.studies.tools.judge import Finding, Row, judge
from server import catalogue


def read(folder: Path, came: Iterable[Came]) -> list[Row]:
    """One row a tool and answer that was tried, by answer."""
    found = [row for one in came if one.done for row in _of_tool(folder, one)]
    order = list(catalogue.FOR_TOOLS)
    return sorted(found, key=lambda row: order.index(row.answer))


def _of_tool(folder: Path, came: Came) -> Iterator[Row]:
    for answer in came.step.answers:
        where = place(folder, came.step.tool.name) / answer
        ended = read_came(where)
        if ended is not None:
            yield _row(where, came, answer, ended)


def _row(where: Path, came: Came, answer: str, ended: dict[str, object]) -> Row:
    """One attempt.

    Raises:
        RecordError: there is no ledger.
    """
    tool = came.step.tool
    told = ended["asked"]
    if not isinstance(told, dict):
        raise RecordError(f"{where} does not say what was asked.")
    asked = Asked(**{**told, "folder": where})
    late = ended.get("late_s", ())
    # Of a target of its own, which is how it asks for answers without a body, an engine of ours first tries one request.
    before = int(tool.ours and not asked.body_bytes)
    seen = truths.read(where / LEDGER, asked.timeout_s, late if isinstance(late, list) else (), before=before)
    row = Row(tool, came.version or "", answer, asked, None, seen, ())
    found: list[Finding] = []
    if not ended["itself"]:
        found.append(Finding("hung", f"was ended {OVERTIME_S:.0f} s after its time, since it did not end by itself"))
    try:
        said = tool.read((where / OUTPUT).read_text(errors="replace"), asked)
    except (GeneratorError, OSError, ValueError, KeyError) as error:
        why = f"{ended['failure'] or error}".splitlines()
        return replace(row, findings=(*found, Finding("failed", f"gave no figures: {why[-1][-200:] if why else ''}")))
    return replace(row, said=said, findings=(*found, *judge(tool, asked, answer, said, seen)))
