"""Small pieces of HTML: escaped by default, styled alike in a notebook and in a report.

A plain `str` is text, whoever wrote it, and is escaped; only `Markup`, made by this package, is taken as it stands.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STYLES = "lab-styles"
"""Marks the styles of an output, which a report has once for all."""
NOTHING = "lab-nothing"
"""Marks an output that a report can do without."""
TEMPLATES = Path(__file__).parent / "templates" / "lab_report"


def in_jupyterlab() -> bool:
    """Whether a Jupyter server shows this kernel's output to somebody; papermill's kernels have none."""
    if "JPY_SESSION_NAME" not in os.environ:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


@cache
def shared_styles() -> str:
    """The rules for tables and banners, which a notebook and a report have in common."""
    return (TEMPLATES / "shared.css").read_text(encoding="utf-8")


@dataclass(frozen=True, repr=False)
class Markup:
    """HTML that a notebook shows.

    Styles go with it in JupyterLab alone, where nobody else puts them in; a report has them once, and a notebook that
    papermill executed has none.
    """

    content: str

    def __add__(self, other: Markup) -> Markup:
        return Markup(self.content + other.content)

    def _repr_html_(self) -> str:
        if not in_jupyterlab():
            return self.content
        return f"<!--once:{STYLES}--><style>{' '.join(shared_styles().split())}</style><!--/once:{STYLES}-->\n{self.content}"

    def __repr__(self) -> str:
        """Plain text for a terminal or a papermill log: a line per row, two spaces between cells."""
        text = re.sub(r"</(t[hd]|span|b|strong)>", "  ", self.content)
        text = re.sub(r"<br>|</(tr|p|div|h\d|li|summary)>", "\n", text)
        lines = (html.unescape(re.sub(r"<[^>]*>", "", line)).strip() for line in text.splitlines())
        return "\n".join(line for line in lines if line)


Piece = str | Markup
"""Text that is still to be escaped, or markup."""


def raw(piece: Piece) -> str:
    """The HTML of a piece."""
    return piece.content if isinstance(piece, Markup) else html.escape(_UNSEEN.sub(_named, piece))


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control and direction marks but tab and line feed: in a terminal or on a page they change what the rest looks like."""


def _named(mark: re.Match[str]) -> str:
    return f"\\u{ord(mark[0]):04x}"


def seen(text: str) -> str:
    """A text with its control characters named, for a terminal that would obey them."""
    return _UNSEEN.sub(_named, text)


def element(tag: str, *pieces: Piece, css: str = "", **attributes: str) -> Markup:
    """One element around these pieces; `aria_label` is written `aria-label`."""
    named = {"class": css, **{key.replace("_", "-"): value for key, value in attributes.items()}}
    written = "".join(f' {key}="{html.escape(value)}"' for key, value in named.items() if value)
    return Markup(f"<{tag}{written}>{''.join(map(raw, pieces))}</{tag}>")


def table(
    head: Sequence[Piece],
    rows: Iterable[Sequence[Piece]],
    *,
    label: str,
    numbers: Collection[int] = (),
    medium: Collection[int] = (),
    wide: Collection[int] = (),
) -> Markup:
    """A table whose first column names its row.

    Args:
        label: what the table shows, for those who cannot see it.
        numbers: places of the columns that are set flush right.
        medium: places of the columns that hold a few words.
        wide: places of the columns that hold a sentence.
    """

    def cell(tag: str, place: int, piece: Piece) -> Markup:
        kinds = {"lab-number": numbers, "lab-medium": medium, "lab-wide": wide}
        css = " ".join(name for name, places in kinds.items() if place in places)
        return element(tag, piece, css=css, scope={"th": "row"}.get(tag, ""))

    top = element("tr", *(element("th", p, css="lab-number" * (i in numbers), scope="col") for i, p in enumerate(head)))
    body = [element("tr", *(cell("td" if place else "th", place, piece) for place, piece in enumerate(row))) for row in rows]
    inner = element("table", element("thead", top), element("tbody", *body), css="lab-table")
    # Wider than a narrow page, it is scrolled: by the keyboard too.
    return element("div", inner, css="lab-scroll", tabindex="0", role="region", aria_label=label)


def note(sentence: str) -> Markup:
    """Stands where there is nothing to show, and says why."""
    return element("p", sentence, css="lab-note")


def nothing(sentence: str) -> Markup:
    """Stands in a notebook where a step has nothing to show; a report leaves it out, and its section with it."""
    return element("p", sentence, css=f"lab-caption {NOTHING}")


def caption(sentence: Piece) -> Markup:
    """The line under a chart or table that says how to read it."""
    return element("p", sentence, css="lab-caption")


def embedded(content: object) -> str:
    """JSON that cannot end the script element that holds it."""
    written = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
