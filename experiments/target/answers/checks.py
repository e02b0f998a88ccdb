"""Whether an answer is right: an endpoint's expectations, made ready once for all its devices.

`Checks.failure(answer, own)` is the name of the first expectation that does not hold, or None; `wording` says it to people.
The names: `status`, `etag`, `headers.<name>`, `bytes`, `decoding`, `decoded_bytes`, `json`, `json.<path>`, `regex`, `body`.

A body that was once found right is right again, so bodies that come often are judged without decoding or parsing: a short
one is known by its bytes, a longer one by length and CRC-32. What depends on the device is judged every time.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from experiments.target.answers import fields
from experiments.target.answers.answer import Answer
from experiments.target.answers.decoding import DecodingError
from experiments.target.file import ranges
from experiments.target.file.model import Endpoint

KNOWN_BY_BYTES = 4096
"""Longer bodies are known by length and checksum, so that what is remembered stays small."""
_MOST_KNOWN = 256
"""Bodies that an endpoint remembers as right; where every body is new, remembering more would cost and not help."""

Key = tuple[str, int, bytes | int]


class Field(NamedTuple):
    """An expectation of a field of JSON."""

    name: str
    """Of the expectation: `json.<path>`."""
    path: fields.Path
    wanted: fields.Wanted


class Own(NamedTuple):
    """What of the expectations is one device's, at one moment."""

    fields: Sequence[Field] = ()
    """Fields that must hold what the device's templates say."""
    first: int | None = None
    """CRC-32 of the device's first answer, if one is to be compared with it."""
    conditional: bool = False
    """Whether If-None-Match was sent, so that 304 is right."""
    known: tuple[str, bytes, int | None] | None = None
    """Content-Encoding and body of an answer that was right for this device, and would be in any round; and the length of
    that body after decoding, where it was encoded."""


class Checks:
    """The expectations of one endpoint.

    Args:
        endpoint: as the file has it, checked.
        body: the bytes that the decoded body must be, if it names a file.
        fixed: the expected fields that are the same for all devices.
        has_own: whether there are others.
    """

    def __init__(self, endpoint: Endpoint, *, body: bytes | None, fixed: Sequence[Field], has_own: bool) -> None:
        expect = endpoint.expect
        self._any = endpoint.ignore is True
        self._remembers = endpoint.etag == "remember"
        self.statuses = None if expect.status is None else frozenset(expect.status)
        self.wire = None if expect.bytes is None else ranges.of_bytes(expect.bytes)
        self.decoded = None if expect.decoded_bytes is None else ranges.of_bytes(expect.decoded_bytes)
        self.headers = [(name, name.lower().encode(), value) for name, value in expect.headers.items()]
        self.fields = tuple(fixed)
        self._wants_json = expect.json_ is not None
        self.regex = None if expect.regex is None else re.compile(expect.regex.encode())
        patterns = endpoint.ignore if isinstance(endpoint.ignore, list) else []
        self._ignored = [re.compile(pattern.encode()) for pattern in patterns]
        self._body = None if body is None else self.fingerprint(body)
        self.compares_first = expect.body == "first"
        self.compares_file = body is not None
        self._next_poll = endpoint.next_poll
        self._next_path = fields.path(endpoint.next_poll.json_) if endpoint.next_poll and endpoint.next_poll.json_ else None
        self._reads_shared = bool(self.decoded or self.fields or self.regex or body is not None or self._wants_json)
        self._reads_own = has_own or self.compares_first
        self._right: dict[Key, int | None] = {}
        """Bodies that were right -> their length after decoding, where they were encoded."""
        self.plain = self._plain(has_own)
        """Statuses, least and most bytes with which an answer is right at once; None if there is more to look at. Where
        `compares_first`, it holds for answers that are not compared."""

    @property
    def reads_content(self) -> bool:
        """Whether bodies are looked at to say whether an answer is right."""
        return not self._any and (self._reads_shared or self._reads_own)

    def _plain(self, has_own: bool) -> tuple[frozenset[int], float, float] | None:
        if self._any or self._remembers or self.headers or self._reads_shared or has_own or self._next_poll:
            return None
        statuses = frozenset(range(200, 300)) if self.statuses is None else self.statuses
        low, high = (0.0, math.inf) if self.wire is None else (self.wire.low, self.wire.high)
        return statuses - {204, 304}, low, high

    @property
    def needs_body(self) -> bool:
        """Whether an answer's body is looked at; else its length is enough."""
        return self.reads_content or self._next_path is not None

    @property
    def needs_headers(self) -> bool:
        """Whether an answer's headers are looked at."""
        return self.needs_body or self._remembers or bool(self.headers) or self._next_poll is not None

    def failure(self, answer: Answer, own: Own = Own(), *, compare: bool = True) -> str | None:  # noqa: B008 - immutable
        """The name of the first expectation that does not hold, or None.

        Args:
            own: what is this device's.
            compare: whether all bytes are compared, where identical ones are expected; an engine may do it now and then.
        """
        if self._any:
            return None
        status = answer.status
        if status == 304 and self._remembers:
            return None if own.conditional else "etag"
        if not (200 <= status <= 299 if self.statuses is None else status in self.statuses):
            return "status"
        if self.headers and (name := self._wrong_header(answer)):
            return name
        if status in (204, 304):
            return None  # These have no body by definition.
        if self.wire is not None and answer.wire_bytes not in self.wire:
            return "bytes"
        if (known := own.known) is not None and answer.body == known[1] and answer.encoding == known[0]:
            answer.known_bytes = known[2]
            return None
        if self._reads_shared and (name := self._wrong_shared(answer, compare)):
            return name
        return self._wrong_own(answer, own, compare) if self._reads_own else None

    def fingerprint(self, body: bytes) -> int:
        """CRC-32 of a decoded body without the parts that may differ."""
        for pattern in self._ignored:
            body = pattern.sub(b"", body)
        return zlib.crc32(body)

    def next_poll_s(self, answer: Answer, now: float) -> float | None:
        """Seconds after which the answer wants the next poll, or None if it does not say.

        Args:
            now: seconds since 1970, for a Retry-After that names an instant.
        """
        if self._next_poll is None:
            return None
        if self._next_poll.header and (text := answer.header(b"retry-after")):
            return _retry_after(text, now)
        if self._next_path is None:
            return None
        try:
            found = fields.find(answer.json, self._next_path)
        except ValueError:
            return None
        right = isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 1e12
        return found * self._next_poll.seconds if right else None

    def _is(self, answer: Answer, first: int) -> bool:
        """Whether a body is that of the first answer: the same bytes on the wire are, whatever coding is told of them."""
        return (not self._ignored and zlib.crc32(answer.body) == first) or self.fingerprint(answer.decoded) == first

    def _wrong_header(self, answer: Answer) -> str | None:
        for name, key, value in self.headers:
            found = answer.header(key)
            if found is None or (value is not True and found != value):
                return f"headers.{name}"
        return None

    def _wrong_shared(self, answer: Answer, compare: bool) -> str | None:
        body = answer.body
        known = body if len(body) <= KNOWN_BY_BYTES else zlib.crc32(body)
        key = (answer.encoding, len(body), known)
        if key in self._right:
            answer.known_bytes = self._right[key]
            return None
        name = next(self._wrong_content(answer, compare), None)
        if name is None and len(self._right) < _MOST_KNOWN and (compare or self._body is None):
            self._right[key] = answer.decoded_bytes
        return name

    def _wrong_content(self, answer: Answer, compare: bool) -> Iterator[str]:
        try:
            decoded = answer.decoded
        except DecodingError:
            yield "decoding"
            return
        if self.decoded is not None and len(decoded) not in self.decoded:
            yield "decoded_bytes"
        if self._wants_json:
            yield from _wrong_fields(answer, self.fields)
        if self.regex is not None and not self.regex.search(decoded):
            yield "regex"
        if compare and self._body is not None and self.fingerprint(decoded) != self._body:
            yield "body"

    def _wrong_own(self, answer: Answer, own: Own, compare: bool) -> str | None:
        try:
            if own.fields and (name := next(_wrong_fields(answer, own.fields), None)):
                return name
            if compare and own.first is not None and not self._is(answer, own.first):
                return "body"
        except DecodingError:
            return "decoding"
        return None


def _wrong_fields(answer: Answer, wanted: Sequence[Field]) -> Iterator[str]:
    try:
        document = answer.json
    except DecodingError:
        yield "decoding"
        return
    except (ValueError, RecursionError):
        yield "json"
        return
    for field in wanted:
        if not field.wanted.right(fields.find(document, field.path)):
            yield field.name


def _retry_after(text: str, now: float) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 12 else None
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError):
        return None
