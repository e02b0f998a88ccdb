"""A result as Markdown: for the summary of a CI job, and for readers of notebooks that show no HTML."""

from __future__ import annotations

import re

from experiments.present.result.model import Case, Result, Table

_SIGNS = {
    "met": "✔", "valid": "✔", "passed": "✔",
    "missed": "✖", "invalid": "✖", "failed": "✖", "error": "✖",
    "suspect": "▲", "cannot be said": "▲",
}  # fmt: skip
_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(result: Result) -> str:
    """The answer, both judgements, what is not as it should be, and the figures."""
    parts = [f"## {_plain(result.title)}", _plain(result.answer), _judgements(result)]
    parts += [f"**Worse than before:** {_plain(said)}" for said in result.regressions]
    parts += [_cases([case for case in result.cases if case.status in ("failed", "error")])]
    parts += [_table(table) for table in result.tables if table.rows]
    if result.next_step:
        parts.append(f"**Next:** {_plain(result.next_step)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _judgements(result: Result) -> str:
    named = {"Service level": result.service_level, "Measurement": result.measurement}
    rows = [[f"**{name}**", f"{_SIGNS.get(one.status, '–')} {one.status}", _plain(one.said)] for name, one in named.items()]
    return _rows(["", "", ""], rows)


def _cases(cases: list[Case]) -> str:
    return "\n".join(f"- {_SIGNS[case.status]} {_plain(case.suite)}, `{case.name}`: {_plain(case.said)}" for case in cases)


def _table(table: Table) -> str:
    rows = [[_plain(cell) for cell in row] for row in table.rows]
    return f"### {_plain(table.title)}\n\n{_rows([_plain(cell) for cell in table.head], rows)}"


def _rows(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing but text, in one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
