"""A notebook that was not run to its end: why, and what the record of its run holds all the same.

Notebook as papermill or JupyterLab left it -> the same without the sections that nobody measured, and with those that can be
shown from the record on disk; and the sentences that must stand on top.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from experiments.errors import LabError
from experiments.present.format import plural
from experiments.present.html import note
from experiments.present.live.report import RECORD_AT
from experiments.record.reading import load, results_dir

if TYPE_CHECKING:
    from experiments.present.pages.run import Page

_RUN_DIR = re.compile(rf"; {RECORD_AT}(.+)$", re.MULTILINE)
_SHOWN = re.compile(r"page\.([a-z_]+)\(\)")
_HEADING = re.compile(r"^#{2,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_GONE_ON_WITH = ("sweep_id", "capacity_id", "compare_id", "calibration_id", "tools_id")


def mended(nb: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook as far as something is known, and what must be said first; as it is where it was run to its end."""
    if not (ran := _last_run(nb)) or not any(_waits(cell) for cell in nb.cells[ran:]):
        return nb, []
    head, rest = nb.cells[:ran], nb.cells[ran:]
    page, about = _opened(nb)
    if page is None:
        names = [found[1] for cell in rest if cell.cell_type == "markdown" if (found := _HEADING.search(cell.source))]
        about += [f"Not reached: {'; '.join(names)}."] if names else []
    return NotebookNode({**nb, "cells": head + _with_prose(rest, page)}), [_why(nb, ran), *about]


def _last_run(nb: NotebookNode) -> int:
    """How many cells there are up to the last one that was begun; 0 if the notebook never ran."""
    begun = [place for place, cell in enumerate(nb.cells, 1) if cell.cell_type == "code" if cell.execution_count]
    return max(begun, default=_first_code(nb) if _papermill(nb).get("start_time") else 0)


def _first_code(nb: NotebookNode) -> int:
    return next((place for place, cell in enumerate(nb.cells) if cell.cell_type == "code"), 0)


def _waits(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip()) and not cell.outputs


def _papermill(nb: NotebookNode) -> dict[str, Any]:
    return dict(nb.metadata.get("papermill", {}))


def _why(nb: NotebookNode, ran: int) -> str:
    """What can be told of the cause, from what was left behind."""
    told = _papermill(nb)
    left = sum(1 for cell in nb.cells[ran:] if _waits(cell))
    how_far = f"{plural(left, 'step')} of this notebook {'was' if left == 1 else 'were'} not reached."
    if any(output.output_type == "error" for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs):
        return how_far
    if not told:
        return f"{how_far} Nobody asked for more, or the kernel ended before."
    if told.get("end_time"):
        return (
            f"{how_far} The kernel ended without a word while the last one ran: it was killed, as where memory runs out, or "
            "papermill gave the step up. The log of papermill says which."
        )
    return f"{how_far} papermill was ended before it could say why, or it is still at work."


def _opened(nb: NotebookNode) -> tuple[Page | None, list[str]]:
    """What can be shown of the run's record, and what is to be said about it."""
    from experiments.present.pages.run import Page

    if not (place := _run_dir(nb)):
        return None, _of_many(nb)
    try:
        record = load(place)
        page = Page(record)
        page.verdict()
    except LabError as error:
        return None, [f"Nothing can be shown of the record in {place}: {error}"]
    polls = record.rows.count
    return page, [
        f"What stands below comes from the record that the run had written until then, {place}: {plural(polls, 'poll')}, "
        "those of the warm-up included. A record is written every few seconds, so the last ones are missing."
    ]


def _run_dir(nb: NotebookNode) -> str:
    """Where the log of the run says that its record is, or else its parameters; empty if neither does."""
    for cell in nb.cells:
        for output in cell.outputs if cell.cell_type == "code" else ():
            if place := output.get("metadata", {}).get("lab", {}).get("run_dir"):
                return str(place)
            if output.output_type == "stream" and (found := _RUN_DIR.search(output.text)):
                return found[1].strip()
    return _by_name(nb)


def _by_name(nb: NotebookNode) -> str:
    """The folder that the parameters name, if it was made since the notebook was started: it may be an earlier one."""
    told = _papermill(nb)
    asked = told.get("parameters", {})
    if not asked.get("run_id"):
        return ""
    place = results_dir(str(asked.get("results_dir", ""))) / str(asked["run_id"])
    with suppress(LabError, KeyError, ValueError, TypeError):
        began, asked_at = load(place).started["started_at"], told["start_time"]
        if datetime.fromisoformat(began) >= datetime.fromisoformat(asked_at):
            return str(place)
    return ""


def _of_many(nb: NotebookNode) -> list[str]:
    """How a sweep, a search or a comparison goes on."""
    asked = _papermill(nb).get("parameters", {})
    return [
        f"What was measured until then is kept in the folder {asked[name]}; started again with {name}={asked[name]!r} it "
        "goes on where it was."
        for name in _GONE_ON_WITH
        if asked.get(name)
    ]


def _filled(cell: NotebookNode, page: Page | None) -> NotebookNode | None:
    """A cell that shows a part of the page, with that part; None for what cannot be shown."""
    asked = _SHOWN.fullmatch(cell.source.strip()) if cell.cell_type == "code" else None
    if page is None or asked is None or asked[1] in ("enforce", "changes", "result") or not hasattr(page, asked[1]):
        return None
    try:
        data = _data(getattr(page, asked[1])())
    except Exception as error:  # noqa: BLE001  # Of half a record anything may be missing; the other parts are shown.
        data = [{"text/html": note(f"This cannot be told from the record: {error}").content}]
    outputs = [nbformat.v4.new_output("display_data", data=one) for one in data]
    return NotebookNode({**cell, "outputs": outputs})


def _data(shown: Any) -> list[dict[str, Any]]:
    """What a cell displays, by mimetype; below a chart what belongs to it, as in the notebook."""
    if hasattr(shown, "_repr_mimebundle_"):
        return [dict(shown._repr_mimebundle_()), {"text/html": shown.below.content}]
    return [{"text/html": shown._repr_html_()}]


def _with_prose(rest: list[NotebookNode], page: Page | None) -> list[NotebookNode]:
    """The cells that show something of the page, with what they show, and the prose before each of them."""
    kept: list[NotebookNode] = []
    prose: list[NotebookNode] = []
    for cell in rest:
        if cell.cell_type == "markdown":
            prose.append(cell)
            continue
        if filled := _filled(cell, page):
            kept += [*prose, filled]
        prose = []
    return kept
