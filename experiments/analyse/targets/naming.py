"""What endpoints are called before people: the article's two are A and B, all others go by the names of their target.

All endpoints of a run, in the target's order -> a name each. Whether there are letters depends on the whole run: a target
may well have an endpoint `status` beside others, and that one is no A.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ARTICLE = ("status", "bulk")
"""The endpoints of the target `hello`, and of every record before there were targets."""


def letters(names: Iterable[str]) -> dict[str, str]:
    """Endpoint -> `A` and `B`, or its own name."""
    names = tuple(names)
    return dict(zip(names, "AB", strict=True)) if names == ARTICLE else {name: name for name in names}


def titles(names: Iterable[str]) -> dict[str, str]:
    """Endpoint -> `A (status)` and `B (bulk)`, or its own name."""
    found = letters(names)
    return {name: name if letter == name else f"{letter} ({name})" for name, letter in found.items()}


def together(names: Iterable[str]) -> str:
    """All of them in two or three words: `A and B`, or `all 5 endpoints`."""
    found = list(letters(names).values())
    return " and ".join(found) if len(found) < 3 else f"all {len(found)} endpoints"


def endpoints(frame: pl.DataFrame) -> tuple[str, ...]:
    """All endpoints of the run that polls are of, in the target's order; a frame's own column of them knows."""
    import polars as pl

    kind = frame.schema["endpoint"]
    if isinstance(kind, pl.Enum):
        return tuple(kind.categories)
    return tuple(frame["endpoint"].unique(maintain_order=True))
