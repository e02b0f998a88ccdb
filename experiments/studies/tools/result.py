"""The result of a test of tools: what each says beside the truth -> `Result`."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.present.format import plural
from experiments.present.result.model import Case, Judgement, Result, Table
from experiments.studies.tools.judge import Row


def result(name: str, rows: Sequence[Row], *, strict: bool) -> Result:
    """What a test of tools comes to: that a tool of somebody else's is wrong is a finding, that ours is makes it invalid."""
    tools = dict.fromkeys(row.tool.name for row in rows)
    right = {tool: [row.right for row in rows if row.tool.name == tool] for tool in tools}
    wrong = [f"{row.tool.name}, {row.answer}: {row.sentence}" for row in rows if row.tool.ours and not row.right]
    always = [tool for tool, each in right.items() if all(each)]
    named = f": {', '.join(always)}" if always else ""
    return Result(
        kind="tools",
        name=name,
        title=f"What {plural(len(tools), 'load tool')} say beside the truth",
        answer=f"{len(always)} of {plural(len(tools), 'tool')} said nothing wrong{named}.",
        service_level=Judgement(status="not asked", said="Tools were tried, not a server."),
        measurement=_measurement(rows, wrong, strict=strict),
        cases=[
            Case(
                suite=row.tool.name,
                name=row.answer,
                status="passed" if row.right else "error" if row.tool.ours else "skipped",
                said=row.sentence,
            )
            for row in rows
        ],
        tables=[Table(title="Tools", head=["tool", "answers told right"], rows=[_row(*one) for one in right.items()])],
    )


def _measurement(rows: Sequence[Row], wrong: Sequence[str], *, strict: bool) -> Judgement:
    if not rows:
        return Judgement(status="invalid", said="No tool was tried.")
    if not wrong:
        return Judgement(status="valid", said="The engines of this lab say nothing wrong.")
    return Judgement(status="invalid" if strict else "suspect", said=" ".join(wrong))


def _row(tool: str, right: Sequence[bool]) -> list[str]:
    return [tool, f"{sum(right)} of {len(right)}"]
