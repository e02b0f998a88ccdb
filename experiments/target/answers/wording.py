"""A failed expectation in a sentence for people: what was expected, what came; short, and without secrets."""

from __future__ import annotations

import json

from experiments.target.answers import fields
from experiments.target.answers.answer import Answer
from experiments.target.answers.checks import Checks, Own
from experiments.target.answers.decoding import DecodingError
from experiments.target.masking import Masker, header

_MOST_SHOWN = 200
"""Letters of a body or a value that are shown."""
_LOOKED_AT = 1 << 16
"""Letters that are masked before they are shortened, so that no half of a long token is left at the edge."""


class Wording:
    """Says what is wrong with the answers of one endpoint.

    Args:
        checks: what judged them.
        masker: knows what must not be shown.
    """

    def __init__(self, checks: Checks, masker: Masker) -> None:
        self._checks = checks
        self._masker = masker

    def sentence(self, name: str, answer: Answer, own: Own = Own()) -> str:  # noqa: B008 - immutable
        """What a failed expectation expected, and what came instead.

        Args:
            name: what `Checks.failure` said of this answer.
        """
        kind, _, rest = name.partition(".")
        expected, came = self._told(kind, rest, name, answer, own)
        return f"{name}: expected {expected}; came {came}."

    def _told(self, kind: str, rest: str, name: str, answer: Answer, own: Own) -> tuple[str, str]:
        checks = self._checks
        if kind == "status":
            allowed = "200 to 299" if checks.statuses is None else " or ".join(map(str, sorted(checks.statuses)))
            return f"status {allowed}", f"{answer.status} with {self._body(answer)}"
        if kind == "etag":
            return "a whole answer, since no If-None-Match was sent", "304"
        if kind == "bytes":
            return f"{checks.wire} bytes on the wire", f"{answer.wire_bytes}, {self._body(answer)}"
        if kind == "headers":
            return self._header(rest, answer)
        if kind == "decoding":
            return f"a body that is {answer.encoding}", f"one of {answer.wire_bytes} bytes that is not: {_problem(answer)}"
        if kind == "decoded_bytes":
            return f"{checks.decoded} bytes after decoding", f"{len(answer.decoded)}, {self._body(answer)}"
        if kind == "json":
            return self._field(name, rest, answer, own)
        if kind == "regex" and checks.regex is not None:
            return f"a body matching {checks.regex.pattern.decode()!r}", self._body(answer)
        before = "as the device's first answer" if checks.compares_first else "as the file"
        return f"the same bytes {before}", self._body(answer)

    def _header(self, name: str, answer: Answer) -> tuple[str, str]:
        wish = next((value for one, _, value in self._checks.headers if one == name), True)
        found = answer.header(name.lower().encode())
        expected = f"header {name}" + ("" if wish is True else f": {header(name, str(wish))}")
        return expected, "none" if found is None else self._short(header(name, found)[:_LOOKED_AT])

    def _field(self, name: str, path: str, answer: Answer, own: Own) -> tuple[str, str]:
        wanted = next((one for one in (*self._checks.fields, *own.fields) if one.name == name), None)
        if wanted is None:
            return "JSON", self._body(answer)
        found = fields.find(answer.json, wanted.path)
        if found is fields.MISSING:
            return f"{path}: {self._masker.text(wanted.wanted.words)}", "no such field"
        told = json.dumps({path: found}, ensure_ascii=False)[:_LOOKED_AT]
        return f"{path}: {self._masker.text(wanted.wanted.words)}", self._short(told)

    def _body(self, answer: Answer) -> str:
        """The beginning of a body."""
        try:
            body = answer.decoded
        except DecodingError:
            body = answer.body
        if not body:
            return "an empty body" if answer.wire_bytes == 0 else "a body that was not kept"
        return "the body " + self._short(body[:_LOOKED_AT].decode("utf-8", "backslashreplace"))

    def _short(self, text: str) -> str:
        masked = self._masker.text(text)
        return masked if len(masked) <= _MOST_SHOWN else masked[:_MOST_SHOWN] + "..."


def _problem(answer: Answer) -> str:
    try:
        return f"it has {len(answer.decoded)} bytes"
    except DecodingError as error:
        return str(error)
