"""What a terminal ends with: the answer, both judgements, where everything lies, and what to do next. Five lines."""

from __future__ import annotations

from pathlib import Path

from experiments.present.html import seen
from experiments.present.result.model import Judgement, Result

_WIDTH = 15


def lines(result: Result, where: Path, next_step: str) -> list[str]:
    """The five lines.

    Args:
        where: the report, or the folder where none could be made.
        next_step: what to do if the result says nothing of that.
    """
    worse = f" Worse than before: {'; '.join(result.regressions)}." if result.regressions else ""
    told = {
        "Answer": result.answer + worse,
        "Service level": _judged(result.service_level),
        "Measurement": _judged(result.measurement),
        "Report": str(where),
        "Next": result.next_step or next_step,
    }
    return [f"{name:<{_WIDTH}}{seen(' '.join(said.split()))}" for name, said in told.items()]


def _judged(one: Judgement) -> str:
    return f"{one.status}. {one.said}" if one.said else one.status
