"""The figures of a chart as tables of bounded length, for those who cannot see it and for pages without scripts.

What plotly draws -> a table for each of its panels: a row a place on the shared axis, a column a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.present.format import count, number
from experiments.present.html import Markup, Piece, caption, element, table

MOST_ROWS, MOST_COLUMNS = 40, 14
"""Of a table; of more places every so-many-th is told, and always the one with the highest value."""

_TAGS = re.compile(r"<[^>]*>")
Trace = Mapping[str, Any]


def folded(*tables: Markup) -> Markup:
    """Tables behind a fold below their chart."""
    return element("details", element("summary", "The figures of this chart, as a table"), *tables, css="lab-more lab-data")


def tables(content: Mapping[str, Any]) -> list[Markup]:
    """A table for each panel.

    Args:
        content: data and layout, as plotly.js draws them.
    """
    layout = content["layout"]
    panels: dict[str, list[Trace]] = {}
    for trace in content["data"]:
        panels.setdefault(str(trace.get("yaxis", "y")), []).append(trace)
    titles = [str(note.get("text", "")) for note in layout.get("annotations", ())]
    named = dict(zip(panels, titles, strict=False)) if len(titles) >= len(panels) else {}
    made = []
    for panel, traces in panels.items():
        shown = _map(traces[0], layout, panel) if "z" in traces[0] else _lines(traces, layout, panel)
        if shown is not None:
            made.append((caption(_TAGS.sub(" ", named[panel])) if panel in named else Markup("")) + shown)
    return made


def rows(head: Sequence[Piece], body: Iterable[Sequence[Piece]], label: str) -> Markup:
    """A table whose first column names the row, and all others hold figures."""
    return table(head, body, label=label, numbers=range(1, len(head)))


def _lines(traces: Sequence[Trace], layout: Mapping[str, Any], panel: str) -> Markup | None:
    """A row a place on the x axis, or a category on the y axis; a column a trace."""
    # What says nothing when it is pointed at is a line of reference, such as a limit.
    told = [trace for trace in traces if trace.get("name") and trace.get("hoverinfo") != "skip"]
    named = [trace for trace in told if list(trace.get("x") or ())]
    across = any(isinstance(y, str) for trace in named for y in list(trace["y"] or ())[:1])
    columns: dict[str, dict[Any, Any]] = {}
    for trace in named:
        places, values = (trace["y"], trace["x"]) if across else (trace["x"], trace["y"])
        # Dots whose size is a number say that number; their place says only when.
        values = trace["text"] if across and isinstance(trace.get("marker", {}).get("size"), list) else values
        own = columns.setdefault(str(trace["name"]), {})
        for place, value in zip(places, values, strict=False):
            if value is not None:
                own.setdefault(place, []).append(value)
    columns = {name: own for name, own in list(columns.items())[:MOST_COLUMNS] if own}
    if not columns:
        return None
    places = list(dict.fromkeys(place for own in columns.values() for place in own))
    ordered = places[::-1] if across else sorted(places, key=lambda place: (isinstance(place, str), place))
    kept = _thinned(ordered, columns)
    axis = "" if across else _title(layout, str(named[0].get("xaxis", "x")))
    body = [[_place(place), *(_cell(own.get(place)) for own in columns.values())] for place in kept]
    shown = rows([axis, *columns], body, "figures of the chart")
    if len(kept) < len(ordered):
        shown += caption(f"{count(len(kept))} of {count(len(ordered))} places, evenly taken, and the highest values.")
    return shown


def _thinned(places: Sequence[Any], columns: Mapping[str, Mapping[Any, list[Any]]]) -> list[Any]:
    """At most so many places, evenly taken, with those at which a column is highest."""
    if len(places) <= MOST_ROWS:
        return list(places)
    room = max(2, MOST_ROWS - len(columns))
    kept = {places[round(step * (len(places) - 1) / (room - 1))] for step in range(room)}
    for own in columns.values():
        numbers = {place: _highest(values) for place, values in own.items()}
        kept.add(max(numbers, key=lambda place: numbers[place]))
    return [place for place in places if place in kept]


def _highest(values: Sequence[Any]) -> float:
    return max((value for value in values if isinstance(value, int | float)), default=float("-inf"))


def _map(trace: Trace, layout: Mapping[str, Any], panel: str) -> Markup | None:
    """A row a row of the map, bounded; its texts where it has some."""
    cells = trace.get("text") or trace["z"]
    across = _ticks(layout, str(trace.get("xaxis", "x")), list(trace["x"]))
    down = _ticks(layout, panel, list(trace["y"]))
    if len(across) > MOST_COLUMNS:
        return None
    body = [[name, *map(_one, line)] for name, line in zip(down, cells, strict=False)]
    head = [f"{_title(layout, panel)} \\ {_title(layout, str(trace.get('xaxis', 'x')))}", *across]
    return rows(head, body[:MOST_ROWS], "figures of the map") if body else None


def _axis(layout: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return dict(layout.get(f"{name[0]}axis{name[1:]}") or {})


def _title(layout: Mapping[str, Any], name: str) -> str:
    title = _axis(layout, name).get("title") or _axis(layout, name[0]).get("title") or {}
    return str(title.get("text", "")) if isinstance(title, Mapping) else str(title)


def _ticks(layout: Mapping[str, Any], name: str, values: Sequence[Any]) -> list[str]:
    """The places of an axis as it labels them."""
    axis = _axis(layout, name)
    labels = dict(zip(axis.get("tickvals", ()), axis.get("ticktext", ()), strict=False))
    return [str(labels.get(value, _place(value))) for value in values]


def _place(value: object) -> str:
    return f"{value:,.5g}" if isinstance(value, int | float) else str(value)


def _cell(values: Sequence[object] | None) -> str:
    """One value; of several at one place from the least to the greatest."""
    if not values:
        return ""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < 2 or len(numbers) < len(values):
        return ", ".join(map(_one, values))
    return f"{number(min(numbers))} – {number(max(numbers))}"


def _one(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else "" if value is None else str(value)
