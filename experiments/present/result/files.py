"""The files that other programs take in, beside the report.

    result.json      the answer, both judgements, cases and figures (schemas/result.schema.json)
    junit.xml        a case for each service level, check, change and cell
    summary.md       what a CI job shows; appended to $GITHUB_STEP_SUMMARY where that is set
    metrics.prom     OpenMetrics
    response.hlog    of a single run: a histogram log for HdrHistogram's tools

`summary.json` is part of the record, and written by who makes that (schemas/summary.schema.json).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from experiments.present.result import junit, markdown, openmetrics
from experiments.present.result.model import Result

SCHEMAS = Path(__file__).parent / "schemas"
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def write(folder: Path, result: Result, environ: Mapping[str, str]) -> None:
    """Writes all that a result alone says.

    Args:
        environ: the environment, which may name a file for the summary of a CI job's step.

    Raises:
        OSError: the folder cannot be written.
    """
    told = markdown.markdown(result)
    made = {
        "result.json": json.dumps(result.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n",
        "junit.xml": junit.xml(result),
        "summary.md": told,
        "metrics.prom": openmetrics.text(result),
    }
    for name, content in made.items():
        (folder / name).write_text(content, encoding="utf-8")
    if step := environ.get(_STEP_SUMMARY):
        with Path(step).open("a", encoding="utf-8") as file:
            file.write(told)
