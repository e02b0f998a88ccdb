"""`results/index.html`, and what the cells of `history.ipynb` show.

The page stands by itself: table and trends need no script; to filter, and to put two results beside each other, it has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments import parameters
from experiments.analyse.changes import compare
from experiments.analyse.history.entries import Entry, by_question, entries
from experiments.present.format import plural
from experiments.present.history import table, trend
from experiments.present.html import TEMPLATES, Markup, caption, element, embedded, note, shared_styles
from experiments.present.tables import changes as differences
from experiments.record import reading
from experiments.record.collection import collect

INDEX = "index.html"
PARAMETERS = ("results_dir", "containing", "before", "now")
_FOLDER = TEMPLATES.parent / "history"
_READ = (
    "A dot is a result; a hollow one, which no line joins, may not be believed, and may lie higher. A dashed line stands "
    "where the machine or a version changed. Figures begin at zero. Only results that ask the same share a drawing."
)


class History:
    """The results of a folder."""

    def __init__(self, results_dir: str = "", containing: str = "", before: str = "", now: str = "") -> None:
        """Reads the folder.

        Args:
            results_dir: empty for the project's `results/`.
            containing: words that a result must have in its name, kind, or what it asked.
            before, now: names of two results to be held against each other; empty for none.
        """
        words = containing.lower().split()
        self._folder = reading.results_dir(results_dir)
        self._pair = (before, now)
        self.entries = [
            one
            for one in entries(self._folder)
            if all(word in f"{one.name} {one.kind} {one.asked} {one.measurement}".lower() for word in words)
        ]

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> History:
        """Takes the parameters from a notebook's `globals()`.

        Raises:
            ParameterError: papermill injected a name that is no parameter, or a value is no text.
        """
        given = parameters.given(namespace, PARAMETERS, PARAMETERS)
        return cls(**{name: parameters.text(name, value) for name, value in given.items()})

    def results(self) -> Markup:
        """Every result, the newest first."""
        return table.results(self.entries)

    def trends(self) -> Markup:
        """How the figures went where the same was asked more than once."""
        return trends(self.entries)

    def changes(self) -> Markup:
        """Two results held against each other.

        Raises:
            RecordError: one of them is not there.
        """
        if not all(self._pair):
            return caption("before and now name no two results, so there is nothing to compare.")
        before, now = (collect(self._place(name)) for name in self._pair)
        return differences.changes(compare(before, now), self._pair[0], 10.0)

    def _place(self, name: str) -> Path:
        place = self._folder / name
        return place if place.is_dir() else Path(name)


def trends(found: Sequence[Entry]) -> Markup:
    """A group of drawings for each question that was asked more than once."""
    groups = [group for group in by_question(found).values() if len(group) > 1]
    if not groups:
        return note("Nothing was asked more than once, so there is no trend to draw.")
    drawn = Markup("")
    for group in sorted(groups, key=lambda one: one[-1].started_at, reverse=True):
        drawn += element("h3", f"{group[-1].asked} ({plural(len(group), 'result')})") + trend.trends(group)
    return drawn + caption(_READ)


def page(found: Sequence[Entry]) -> str:
    """The page of all results."""
    styles = Markup(shared_styles() + _asset("index.css"))
    tools = element(
        "div",
        element("label", "Filter: ", element("input", id="filter", type="search", placeholder="falcon 500 valid")),
        element("span", id="left", role="status"),
        element("span", "Tick two results to put them beside each other."),
        css="tools",
        hidden="hidden",
    )
    # In the order of the table's rows.
    told = [{**asdict(one), "longer": sorted(one.longer)} for one in reversed(found)]
    script = f'<script type="application/json" id="entries">{embedded(told)}</script><script>{_asset("index.js")}</script>'
    main = element(
        "main",
        element("h1", "All results"),
        element("noscript", caption("Scripts are off: the table and the trends stand; filtering and comparing need them.")),
        tools,
        element("section", id="beside", css="beside", hidden="hidden", aria_live="polite"),
        table.results(found),
        element("h2", "Trends"),
        trends(found),
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>All results</title>{element('style', styles).content}"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{main.content}{script}</body></html>\n'


def write(folder: Path) -> Path:
    """Makes the page of a folder anew.

    Raises:
        OSError: the folder cannot be written.
    """
    made = folder / INDEX
    temporary = folder / f".{INDEX}"
    temporary.write_text(page(entries(folder)), encoding="utf-8")
    return temporary.replace(made)


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
