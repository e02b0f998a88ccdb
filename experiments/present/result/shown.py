"""A result within a notebook: shown to people, and kept as data for programs that read the notebook and no HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.present import top
from experiments.present.answer import Judgement
from experiments.present.html import Markup
from experiments.present.result.markdown import markdown
from experiments.present.result.model import Result

MIME = "application/vnd.falcon-lab.result+json"
ROLE = {"lab": {"role": "result"}}
"""Metadata of the output: a report has its answer on top already."""


@dataclass(frozen=True, repr=False)
class Shown:
    """What a cell displays: the answer, and each judgement in a box of its own."""

    result: Result

    @property
    def markup(self) -> Markup:
        """As people see it: as on top of its report."""
        result = self.result
        level, measured = (Judgement(one.status, one.said) for one in (result.service_level, result.measurement))
        worse = [f"Worse than before: {said}." for said in result.regressions]
        return top.top(result.title, [], result.answer, level, measured, next_step=result.next_step, said=worse)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {
            "text/html": self.markup._repr_html_(),
            "text/markdown": markdown(self.result),
            "text/plain": repr(self),
            MIME: self.result.model_dump(mode="json"),
        }
        return data, ROLE

    def __repr__(self) -> str:
        return repr(self.markup)


def found(cells: Iterable[Mapping[str, Any]]) -> Result | None:
    """The result that an executed notebook carries, the last one; None where it broke off before.

    Args:
        cells: of the notebook, as JSON has them.
    """
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    for output in reversed(outputs):
        data = output.get("data", {}).get(MIME)
        if data is not None:
            told = json.loads(data) if isinstance(data, str) else dict(data)
            told.pop("exit_code", None)
            return Result(**told)
    return None
