"""How a figure went from result to result that asks the same: a small drawing that needs no script, with its finding.

Entries -> SVG. Where machine or versions changed a dashed line stands; a result that may not be believed is a hollow dot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.analyse.history.entries import Entry
from experiments.present.format import longer, number, plural
from experiments.present.html import Markup, element
from experiments.present.palette import BLUE, GREY, RED

_WIDTH, _HEIGHT, _EDGE = 320, 120, 12


@dataclass(frozen=True)
class Dot:
    """One result in a drawing."""

    entry: Entry
    value: float
    changed: tuple[str, ...]
    """Of machine and versions, since the one before."""

    @property
    def believed(self) -> bool:
        return self.entry.measurement in ("valid", "suspect")


def trends(entries: Sequence[Entry]) -> Markup:
    """A drawing for each figure of results that ask the same."""
    names = dict.fromkeys(name for one in entries for name in one.figures)
    drawn = [_drawing(name, dots) for name in names if len(dots := _dots(entries, name)) > 1]
    return element("div", *drawn, css="lab-trends")


def _dots(entries: Sequence[Entry], name: str) -> list[Dot]:
    found: list[Dot] = []
    before: Entry | None = None
    for one in entries:
        value = one.figures.get(name)
        if value is None:
            continue
        found.append(Dot(one, value, tuple(one.changed_since(before)) if before else ()))
        before = one
    return found


def _drawing(name: str, dots: Sequence[Dot]) -> Markup:
    finding = _finding(name, dots)
    marks = [part for place, dot in enumerate(dots) for part in _marks(place, dot, name, dots)]
    believed = " ".join(_at(place, dot, dots) for place, dot in enumerate(dots) if dot.believed)
    line = f'<polyline points="{believed}" '
    line += f'fill="none" stroke="{BLUE}" stroke-width="1.5"/>'
    svg = element(
        "svg",
        Markup(line + "".join(marks)),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=str(_WIDTH),
        height=str(_HEIGHT),
        role="img",
        aria_label=finding,
    )
    return element("figure", element("figcaption", element("b", name), f" {finding}"), svg)


def _finding(name: str, dots: Sequence[Dot]) -> str:
    """`from 1.20 to 1.31 in 5 results; machine or versions changed once`."""
    told = [dot for dot in dots if dot.believed]
    if not told:
        return f"none of {plural(len(dots), 'result')} may be believed"
    first, last = (longer(number(dot.value), censored=name in dot.entry.longer) for dot in (told[0], told[-1]))
    changes = sum(bool(dot.changed) for dot in dots)
    changed = f"; machine or versions changed {plural(changes, 'time')}" if changes else ""
    return f"from {first} to {last} in {plural(len(told), 'result')}{changed}"


def _x(place: int, dots: Sequence[Dot]) -> float:
    return _EDGE + (_WIDTH - 2 * _EDGE) * place / (len(dots) - 1)


def _y(value: float, dots: Sequence[Dot]) -> float:
    """From zero, so that a small difference looks small, to the highest that may be believed."""
    top = max((dot.value for dot in dots if dot.believed), default=0.0) or 1.0
    return _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * min(1.0, value / top)


def _at(place: int, dot: Dot, dots: Sequence[Dot]) -> str:
    return f"{_x(place, dots):.1f},{_y(dot.value, dots):.1f}"


def _marks(place: int, dot: Dot, name: str, dots: Sequence[Dot]) -> list[str]:
    x, y = _x(place, dots), _y(dot.value, dots)
    shown = longer(number(dot.value), censored=name in dot.entry.longer)
    said = [f"{dot.entry.name}: {shown}, {dot.entry.measurement}", *dot.changed]
    title = element("title", "\n".join(said)).content
    fill, stroke = (BLUE, BLUE) if dot.believed else ("none", RED)
    marks = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{stroke}">{title}</circle>']
    if dot.changed:
        middle = x - (_WIDTH - 2 * _EDGE) / (len(dots) - 1) / 2
        marks.append(
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="2" y2="{_HEIGHT - 2}" stroke="{GREY}" stroke-dasharray="4 3">'
            f"{title}</line>"
        )
    return marks
