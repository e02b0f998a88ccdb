"""A target that was tried, before people: each request beside its answer, how long it took, and what is not right."""

from __future__ import annotations

from itertools import zip_longest

from experiments.present import html
from experiments.present.format import number, size
from experiments.present.html import Markup
from experiments.target.tried import AnswerShown, Exchange, Tried

_CALLED = {"dns": "DNS", "connect": "connect", "tls": "TLS", "first_byte": "first byte", "last_byte": "last byte"}
_MOST_OF_REQUEST = 2_000
"""Letters of a body."""
_MOST_LINES = 30


def page(tried: Tried) -> Markup:
    """All of it: what is not right first, then an exchange a table, then the load."""
    wrong = sum(one.failure is not None for one in tried.exchanges)
    said = "Every answer is right." if tried.right else f"{wrong} of {len(tried.exchanges)} answers are not right."
    parts = [html.element("p", html.element("strong", f"{tried.target} at {tried.url}: {said}"))]
    for one in tried.exchanges:
        parts += [_verdict(one), _side_by_side(one)]
    if tried.exchanges:
        parts.append(_times(tried))
    parts += [html.note(sentence) for sentence in (tried.load, *tried.notes) if sentence]
    return Markup("\n".join(part.content for part in parts))


def _verdict(one: Exchange) -> Markup:
    if one.failure is None:
        return html.element("p", html.element("strong", one.endpoint), " is answered rightly.")
    return html.element("p", html.element("strong", one.endpoint), f" is not answered rightly. {one.explanation}")


def _side_by_side(one: Exchange) -> Markup:
    rows = [[_pre(_asked(one)), _pre(_answer(one.answer))]]
    return html.table(["request", "answer"], rows, label=f"request and answer of {one.endpoint}", wide=(0, 1))


def _asked(one: Exchange) -> list[str]:
    method, target, headers, body = one.request
    return [f"{method} {target}", *(f"{name}: {value}" for name, value in headers), "", body[:_MOST_OF_REQUEST]]


def _answer(answer: AnswerShown | None) -> list[str]:
    if answer is None:
        return ["no answer"]
    unpacked = answer.decoded_bytes
    packed = "" if unpacked in (None, answer.wire_bytes) else f", {size(unpacked)} decoded"
    first = f"{answer.status} ({size(answer.wire_bytes)} on the wire{packed})"
    return [first, *(f"{name}: {value}" for name, value in answer.headers), "", answer.body]


def _pre(lines: list[str]) -> Markup:
    return html.element("pre", "\n".join(lines).rstrip())


def _times(tried: Tried) -> Markup:
    rows = [[one.endpoint, *_milliseconds(one)] for one in tried.exchanges]
    return html.table(["ms", *_CALLED.values()], rows, label="milliseconds of each step", numbers=range(1, 6))


def _milliseconds(one: Exchange) -> list[str]:
    return [number(one.times_ms.get(step)) for step in _CALLED]


def text(tried: Tried, width: int = 100) -> str:
    """The same for a terminal, in two columns that are `width` letters wide together."""
    half = (width - 3) // 2
    lines = [f"{tried.target} at {tried.url}"]
    for one in tried.exchanges:
        why = "right" if one.failure is None else f"NOT RIGHT. {one.explanation}"
        steps = ", ".join(f"{name} {ms}" for name, ms in zip(_CALLED.values(), _milliseconds(one), strict=True))
        lines += ["", f"{one.endpoint}: {why}", f"  ms: {steps}", ""]
        left, right = _folded(_asked(one), half), _folded(_answer(one.answer), half)
        both = zip_longest(left, right, fillvalue="")
        lines += [f"{asked:{half}} | {came}".rstrip() for asked, came in list(both)[:_MOST_LINES]]
    lines += ["", *(sentence for sentence in (tried.load, *tried.notes) if sentence)]
    return "\n".join(lines)


def _folded(lines: list[str], width: int) -> list[str]:
    """Lines that are no wider than that, with every control character named."""
    whole = [html.seen(part) for line in lines for part in line.splitlines() or [""]]
    return [line[at : at + width] for line in whole for at in range(0, max(1, len(line)), width)]
