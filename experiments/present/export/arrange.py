"""The order in which a report tells a notebook: title, answer, then everything that has something to show.

Notebook in, notebook out, and what stands around its cells. Knows neither HTML templates nor charts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from experiments.present.html import NOTHING

TOP_TAG = "verdict"
NOT_REPORTED = ("progress", "result", "form")
"""Roles of outputs that are of no interest afterwards, or that say again what stands on top."""
_PAPERMILL_ERROR = "papermill-error-cell-tag"
"""Tag of cells that papermill adds about an error, pointing at code that a report does not show."""

_NAMED = ("target", "server", "systems", "clients", "loads", "interval_ms", "minutes", "engine")
"""Parameters that say what was to be measured; none of them holds a credential or a place."""

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_FIRST = re.compile(r"^#(?=\s)", re.MULTILINE)
_ABOUT = r'<p class="lab-about">(.*?)</p>'
_TITLE = re.compile(rf'<p class="lab-title">(.*?)</p>((?:{_ABOUT})*)', re.DOTALL)


@dataclass(frozen=True)
class Around:
    """What stands around the cells."""

    title: str
    about: tuple[str, ...] = ()
    """Below the title: the server in full, date and commit."""


def arranged(nb: NotebookNode) -> NotebookNode:
    """The notebook as a report tells it: title, verdict, then everything else in its order."""
    cells = [_tidy(cell) for cell in nb.cells if _PAPERMILL_ERROR not in _tags(cell)]
    top = [cell for cell in cells if TOP_TAG in _tags(cell)]
    rest = [cell for cell in cells if TOP_TAG not in _tags(cell)]
    titled = next((place for place, cell in enumerate(rest) if heading_of(cell)), -1)
    return NotebookNode({**nb, "cells": rest[: titled + 1] + top + rest[titled + 1 :]})


def titled(nb: NotebookNode) -> tuple[NotebookNode, Around]:
    """The notebook without its title, and that title: what was measured, if the answer says so, else the question.

    The question is then the heading of what the notebook says of itself.
    """
    question = next((heading for cell in nb.cells if (heading := heading_of(cell))), "Lab report")
    found: list[re.Match[str]] = []

    def taken(match: re.Match[str]) -> str:
        found.append(match)
        return ""

    cells = [_with_html(cell, lambda text: _TITLE.sub(taken, text)) for cell in nb.cells]
    if not found:
        return NotebookNode({**nb, "cells": [_without_title(cell) for cell in cells]}), Around(_plain(question), _asked(nb))
    about = tuple(map(_unescaped, re.findall(_ABOUT, found[0][2], re.DOTALL)))
    top = [cell for cell in cells if TOP_TAG in _tags(cell) and cell.cell_type == "code"]
    rest = [_demoted(cell) for cell in cells if TOP_TAG not in _tags(cell)]
    return NotebookNode({**nb, "cells": top + rest}), Around(_unescaped(found[0][1]), about)


def without_nothing(nb: NotebookNode) -> NotebookNode:
    """The notebook without prose about steps that show nothing, and without sections in which nothing is shown."""
    kept: list[NotebookNode] = []
    for section in _groups(nb.cells, lambda cell: bool(heading_of(cell))):
        steps = [cell for cell in section if cell.cell_type == "code"]
        if steps and not any(map(_shows, steps)):
            continue
        for step in _groups(section, lambda cell: cell.cell_type == "markdown"):
            code = [cell for cell in step if cell.cell_type == "code"]
            if not code or any(map(_shows, code)) or heading_of(step[0]):
                kept += [cell for cell in step if cell.cell_type != "code" or _shows(cell)]
    return NotebookNode({**nb, "cells": kept})


def contents(nb: NotebookNode) -> list[tuple[str, str]]:
    """Id and text of the headings of the sections."""
    found = [heading for cell in nb.cells if cell.cell_type == "markdown" for heading in _second(cell.source)]
    return [(identifier(heading), _plain(heading)) for heading in found]


def identifier(heading: str) -> str:
    """What a heading is reached by: `how-long-did-devices-wait`."""
    return "-".join(re.findall(r"[a-z0-9]+", _plain(heading).lower())) or "section"


def heading_of(cell: NotebookNode) -> str:
    """The first heading of a cell of prose; empty where there is none."""
    found = _HEADING.search(cell.source) if cell.cell_type == "markdown" else None
    return found[1] if found else ""


def _second(source: str) -> list[str]:
    return re.findall(r"^##\s+(.+?)\s*#*\s*$", source, re.MULTILINE)


def _groups(cells: Sequence[NotebookNode], begins: Callable[[NotebookNode], bool]) -> Iterator[list[NotebookNode]]:
    """Cells in runs, each of which begins with such a cell."""
    group: list[NotebookNode] = []
    for cell in cells:
        if group and begins(cell):
            yield group
            group = []
        group.append(cell)
    if group:
        yield group


def _shows(cell: NotebookNode) -> bool:
    """Whether a report has something of the cell to show."""
    return any(not _void(output) for output in cell.outputs)


def _void(output: NotebookNode) -> bool:
    text = output.get("data", {}).get("text/html", "")
    return f'class="lab-caption {NOTHING}"' in text or (text == "" and "text/html" in output.get("data", {}))


def _with_html(cell: NotebookNode, change: Callable[[str], str]) -> NotebookNode:
    """The cell with the HTML of its outputs changed."""
    if cell.cell_type != "code":
        return cell
    outputs = [
        NotebookNode({**one, "data": {**one.data, "text/html": change(one.data["text/html"])}})
        if "text/html" in one.get("data", {})
        else one
        for one in cell.outputs
    ]
    return NotebookNode({**cell, "outputs": outputs})


def _demoted(cell: NotebookNode) -> NotebookNode:
    """With the heading of the notebook one step lower: the report has a title of its own."""
    return NotebookNode({**cell, "source": _FIRST.sub("##", cell.source)}) if cell.cell_type == "markdown" else cell


def _without_title(cell: NotebookNode) -> NotebookNode:
    """Without the heading of the notebook, which stands above all."""
    if cell.cell_type != "markdown":
        return cell
    return NotebookNode({**cell, "source": re.sub(r"^#\s.*$", "", cell.source, count=1, flags=re.MULTILINE)})


def _tidy(cell: NotebookNode) -> NotebookNode:
    """The cell without what only helps while the notebook is open, and with what it printed in one piece."""
    if cell.cell_type != "code":
        return cell
    outputs: list[NotebookNode] = []
    for output in cell.outputs:
        if output.get("metadata", {}).get("lab", {}).get("role") in NOT_REPORTED:
            continue
        if outputs and output.output_type == outputs[-1].output_type == "stream":
            outputs[-1] = NotebookNode({**output, "text": outputs[-1].text + output.text})
        else:
            outputs.append(output)
    return NotebookNode({**cell, "outputs": outputs})


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _asked(nb: NotebookNode) -> tuple[str, ...]:
    """What papermill was asked for, and when: all that is known of a run that never began."""
    told = nb.metadata.get("papermill", {})
    given = told.get("parameters") or {}
    said = [f"{name} {given[name]}" for name in _NAMED if given.get(name) not in (None, "")]
    when = str(told.get("start_time") or "")[:16].replace("T", " ")
    parts = [f"asked for: {', '.join(said)}" if said else "", f"started {when} UTC" if when else ""]
    return tuple(filter(None, [" · ".join(filter(None, parts))]))


def _plain(heading: str) -> str:
    """Without marks of emphasis."""
    return re.sub(r"[*_`]", "", heading)


def _unescaped(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", text))
