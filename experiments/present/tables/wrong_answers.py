"""What a server itself said where polls went wrong: the first wrong answer of each kind, as it came, and the end of its log.

Everything here was said by a server: it is text and is escaped as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from experiments.analyse.targets.naming import ARTICLE, titles
from experiments.parameters import CREDENTIALS
from experiments.present.format import NONE, number, reason
from experiments.present.html import Markup, Piece, caption, element, table
from experiments.record.reading import Record

LOG = "server.log"
_LINES, _LETTERS, _READ_BYTES = 15, 300, 64_000
"""Of the end of the log that is shown, of a line of it and of an answer, and what is read of its end."""
_HEAD = ["endpoint", "what", "status", "device", "due at, s", "headers", "first bytes of the body"]


def first(facts: Mapping[str, Any], names: Iterable[str] = ARTICLE) -> Markup:
    """A row per kind (endpoint, reason, expectation that failed, status), by all generators together; nothing where every
    answer was right.

    Args:
        facts: what run.json says.
        names: all endpoints of the run, in the target's order.
    """
    called = titles(names)
    found = kinds(facts, called)
    if not found:
        return Markup("")
    said = (
        "The first wrong answers, one of each kind (at most three an endpoint and generator). What may be a credential is "
        "masked; what is not text is shown as an escape."
    )
    return caption(said) + table(_HEAD, [_row(answer, called) for answer in found], label="first wrong answers", wide={5, 6})


def kinds(facts: Mapping[str, Any], names: Iterable[str]) -> list[Mapping[str, Any]]:
    """The first wrong answer of each kind, by endpoint and time; of several generators the one that tells most."""
    names = list(names)
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


def own_words(record: Record, *, opened: bool) -> Markup:
    """The first wrong answer and the end of the log; nothing where there is neither.

    Args:
        opened: whether the log is shown without being asked for, as where the server died.
    """
    answer, log = _first(record), _tail(record)
    parts = [element("p", element("b", "First wrong answer: "), answer)] if answer else []
    if log:
        summary = element("summary", f"The last {len(log)} lines that it printed")
        kept = element("pre", "\n".join(log))
        parts.append(element("details", summary, kept, css="lab-log", **({"open": "open"} if opened else {})))
    if not parts:
        return Markup("")
    return element("section", element("h2", "The server's own words"), *parts, css="lab-words")


def _first(record: Record) -> Markup | None:
    """`A (status), device 3, at second 0.12: status 503, "database is locked"`; the earliest with some bytes of it."""
    found = kinds(record.facts, record.endpoints)
    if not found:
        return None
    answer = min(found, key=lambda one: (not one["first_bytes"], one["due_s"]))
    status = f"status {answer['status']}" if answer["status"] else reason(answer["outcome"])
    endpoint = titles(record.endpoints)[answer["endpoint"]]
    where = f"{endpoint}, device {answer['client']}, at second {number(answer['due_s'])}: {status}"
    body = str(answer["first_bytes"])[:_LETTERS]
    return Markup(element("span", where).content + (", " + element("code", body).content if body else ""))


def _tail(record: Record) -> list[str]:
    try:
        with (record.path / LOG).open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _READ_BYTES))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    # A report is sent to others, who need not know who made it.
    shown = CREDENTIALS.sub("", text).replace(str(Path.home()), "~")
    return [line[:_LETTERS] for line in shown.splitlines() if line.strip()][-_LINES:]
