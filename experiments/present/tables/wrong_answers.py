"""What a server answered where its answer was not the right one: the first of each kind, as it came.

Everything here was said by a server: it is text and is escaped as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present.format import ENDPOINTS, NONE, number, reason
from experiments.present.html import Markup, Piece, caption, element, table

_HEAD = ["endpoint", "what", "status", "device", "due at, s", "headers", "first bytes of the body"]


def first(facts: Mapping[str, Any]) -> Markup:
    """A row a kind (endpoint, reason, status), by all generators together; nothing where every answer was right.

    Args:
        facts: what run.json says.
    """
    found = _kinds(facts)
    if not found:
        return Markup("")
    said = (
        "The first wrong answers, one of each kind (at most three an endpoint and generator). What may be a credential is "
        "masked; what is not text is shown as an escape."
    )
    return caption(said) + table(_HEAD, [_row(answer) for answer in found], label="first wrong answers", wide={5, 6})


def _kinds(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    instances = facts.get("generator", {}).get("instances", ())
    answers = [answer for item in instances for answer in item.get("first_wrong_answers", ())]
    kinds: dict[tuple[str, str, int], Mapping[str, Any]] = {}
    # One of which bytes were kept tells more than one that was a little earlier.
    for answer in sorted(answers, key=lambda answer: (not answer["first_bytes"], answer["due_s"])):
        kinds.setdefault((answer["endpoint"], answer["outcome"], answer["status"]), answer)
    return sorted(kinds.values(), key=lambda answer: (list(ENDPOINTS).index(answer["endpoint"]), answer["due_s"]))


def _row(answer: Mapping[str, Any]) -> list[Piece]:
    headers = "\n".join(f"{name}: {value}" for name, value in answer["headers"])
    return [
        ENDPOINTS[answer["endpoint"]],
        reason(answer["outcome"]),
        str(answer["status"]),
        str(answer["client"]),
        number(answer["due_s"]),
        element("pre", headers, css="lab-small") if headers else NONE,
        element("code", answer["first_bytes"], css="lab-small") if answer["first_bytes"] else NONE,
    ]
