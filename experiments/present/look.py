"""How each endpoint of a run looks in charts: its name, its colour, and what repeats the colour for who cannot see it.

The names of all endpoints, in the target's order -> a look each. The order decides, so an endpoint has the same look in
every chart of a run, and in every run of its target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.analyse.targets import naming
from experiments.present.palette import ENDPOINT_COLOURS

MOST_DRAWN = 12
"""Endpoints in one chart; the tables have all of them."""

_SYMBOLS = ("circle", "diamond", "square", "hexagon", "star", "pentagon", "bowtie")
"""None of those that mark failed polls."""
_DASHES = (("solid", "dash"), ("longdash", "dashdot"))
"""Of response and latency; the second pair for those whose colour is taken."""
_LONGEST = 22


@dataclass(frozen=True)
class Look:
    """One endpoint before people."""

    title: str
    """`A (status)`, or its name."""
    short: str
    """For a legend: the title, shortened in the middle where it is long."""
    colour: str
    symbol: str
    dashes: tuple[str, str]
    """Of its response and its latency."""


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Endpoint -> its look, for all endpoints of a run."""
    names = tuple(names)
    titles = naming.titles(names)
    return {
        name: Look(
            title=titles[name],
            short=_shortened(titles[name]),
            colour=ENDPOINT_COLOURS[place % len(ENDPOINT_COLOURS)],
            symbol=_SYMBOLS[place % len(_SYMBOLS)],
            dashes=_DASHES[place // len(ENDPOINT_COLOURS) % len(_DASHES)],
        )
        for place, name in enumerate(names)
    }


def left_out(names: Iterable[str]) -> str:
    """Says so where a chart does not draw all endpoints."""
    more = len(tuple(names)) - MOST_DRAWN
    return f" The first {MOST_DRAWN} endpoints are drawn; {more} more are in the tables." if more > 0 else ""


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST // 2]}…{name[-(_LONGEST // 2 - 1) :]}"
