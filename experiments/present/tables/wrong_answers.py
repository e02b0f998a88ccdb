"""What a server answered where its answer was not the right one: the first of each kind, as it came.

Everything here was said by a server: it is text and is escaped as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from experiments.analyse.targets.naming import ARTICLE, titles
from experiments.present.format import NONE, number, reason
from experiments.present.html import Markup, Piece, caption, element, table

_HEAD = ["endpoint", "what", "status", "device", "due at, s", "headers", "first bytes of the body"]


def first(facts: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> Markup:
    """A row per kind (endpoint, reason, expectation that failed, status), by all generators together; nothing where every
    answer was right.

    Args:
        facts: what run.json says.
        names: all endpoints of the run, in the target's order.
    """
    called = titles(names)
    found = _kinds(facts, list(called))
    if not found:
        return Markup("")
    said = (
        "The first wrong answers, one of each kind (at most three an endpoint and generator). What may be a credential is "
        "masked; what is not text is shown as an escape."
    )
    return caption(said) + table(_HEAD, [_row(answer, called) for answer in found], label="first wrong answers", wide={5, 6})


def _kinds(facts: Mapping[str, Any], names: list[str]) -> list[Mapping[str, Any]]:
    instances = facts.get("generator", {}).get("instances", ())
    answers = [answer for item in instances for answer in item.get("first_wrong_answers", ())]
    kinds: dict[tuple[str, str, str, int], Mapping[str, Any]] = {}
    # One of which bytes were kept tells more than one that was a little earlier.
    for answer in sorted(answers, key=lambda answer: (not answer["first_bytes"], answer["due_s"])):
        kind = answer["endpoint"], answer["outcome"], answer.get("failed_check") or "", answer["status"]
        kinds.setdefault(kind, answer)
    return sorted(kinds.values(), key=lambda answer: (names.index(answer["endpoint"]), answer["due_s"]))


def _row(answer: Mapping[str, Any], called: Mapping[str, str]) -> list[Piece]:
    headers = "\n".join(f"{name}: {value}" for name, value in answer["headers"])
    return [
        called[answer["endpoint"]],
        reason(answer["outcome"]) + (f": {check}" if (check := answer.get("failed_check")) else ""),
        str(answer["status"]),
        str(answer["client"]),
        number(answer["due_s"]),
        element("pre", headers, css="lab-small") if headers else NONE,
        element("code", answer["first_bytes"], css="lab-small") if answer["first_bytes"] else NONE,
    ]
