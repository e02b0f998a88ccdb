"""The top of every report: what was measured, the answer, and the two judgements, each in a box with its own icon and words.

Plain words in, markup out. The service level speaks of the server, the measurement of the figures; they share no colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from experiments.present.answer import Answer, Judgement
from experiments.present.format import NONE
from experiments.present.html import Markup, Piece, element

TITLE = "lab-title"
"""Marks the title, which a report takes for its own."""


class _Look(NamedTuple):
    symbol: str
    css: str
    words: str
    """Of the headline, after what is judged."""


_LEVEL = {
    "met": _Look("✔", "lab-met", "met"),
    "missed": _Look("✖", "lab-missed", "missed"),
    "not asked": _Look(NONE, "lab-neutral", "not asked"),
    "cannot be said": _Look("?", "lab-neutral", "cannot be said"),
}
_MEASUREMENT = {
    "valid": _Look("✔", "lab-valid", "valid"),
    "suspect": _Look("▲", "lab-suspect", "suspect"),
    "invalid": _Look("✖", "lab-invalid", "invalid"),
}

_TARGET = '<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="5"/><circle cx="12" cy="12" r="1"/>'
_GAUGE = '<path d="M3 17a9 9 0 1 1 18 0"/><path d="M12 17l5-6"/><path d="M3 20h18"/>'
"""Of the server: was the target hit? Of the measurement: does the instrument show what is?"""


def of_run(answer: Answer, said: Sequence[Piece] = (), extra: Markup | None = None) -> Markup:
    """The top of the report of one run.

    Args:
        said: what must be known besides, a sentence each.
        extra: what follows the boxes, such as the server's own words.
    """
    about = answer.subject
    return top(
        about.title,
        [about.about, about.dated],
        answer.text,
        answer.service_level,
        answer.measurement,
        next_step=answer.next_step,
        said=said,
        extra=extra,
    )


def top(
    title: str,
    about: Sequence[str],
    answer: str,
    level: Judgement,
    measurement: Judgement,
    *,
    next_step: str = "",
    said: Sequence[Piece] = (),
    extra: Markup | None = None,
) -> Markup:
    """The top of a report.

    Args:
        title: target and devices, in a handful of words.
        about: what else names it: the server in full, date, commit.
        answer: a sentence or two.
        next_step: what to do now; empty for nothing.
        said: what must be known besides, a sentence each.
        extra: what follows.
    """
    boxes = element(
        "div",
        _box("Service level", _TARGET, _level(level), level.said),
        _box("Measurement", _GAUGE, _MEASUREMENT.get(measurement.status, _MEASUREMENT["suspect"]), measurement.said),
        css="lab-boxes",
    )
    follow = [element("p", element("b", "What to do now: "), next_step, css="lab-next")] if next_step else []
    besides = [element("ul", *(element("li", one) for one in said), css="lab-said")] if said else []
    return element(
        "div",
        element("p", title, css=TITLE),
        *(element("p", one, css="lab-about") for one in about if one),
        element("p", answer, css="lab-answer"),
        boxes,
        *follow,
        *besides,
        css="lab-top",
    ) + (extra or Markup(""))


def _level(level: Judgement) -> _Look:
    """Where nothing was asked, what the server failed is said as loud: nobody has to have asked for that."""
    look = _LEVEL.get(level.status, _LEVEL["cannot be said"])
    if not level.alarm or level.status != "not asked":
        return look
    return look._replace(symbol="✖", css="lab-missed", words=f"not asked, but {level.alarm}")


def _box(of: str, icon: str, look: _Look, said: str) -> Markup:
    drawn = Markup(f'<svg class="lab-icon" viewBox="0 0 24 24" width="28" height="28" aria-hidden="true">{icon}</svg>')
    symbol = element("span", look.symbol, aria_hidden="true")
    return element(
        "section",
        element("p", drawn, element("span", f"{of}: ", element("strong", symbol, f" {look.words}")), css="lab-headline"),
        element("p", said),
        css=f"lab-box {look.css}",
        aria_label=of.lower(),
    )
