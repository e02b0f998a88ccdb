"""One endpoint of one device: what it sends, whether what it is answered is right, and what it remembers of that.

A device is sequential, so state (the ETag, the first answer) is kept without locks. No I/O, and no clock but the one given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from experiments.target import masking
from experiments.target.answers import fields
from experiments.target.answers.answer import Answer
from experiments.target.answers.checks import KNOWN_BY_BYTES, Checks, Field, Own
from experiments.target.answers.decoding import DecodingError
from experiments.target.answers.wording import Wording
from experiments.target.requests.changed import Changed, Changes
from experiments.target.requests.filling import Filling, constant, text
from experiments.target.requests.request import Blueprint, Request, RequestParts
from experiments.target.requests.templates import Parts, Value, whole


@dataclass(frozen=True)
class Kind:
    """One endpoint, made ready for all devices."""

    name: str
    blueprint: Blueprint
    checks: Checks
    own: tuple[tuple[str, fields.Path, Parts], ...]
    """Expected fields that are templates: name of the expectation, path, template."""
    remembers: bool
    """Whether its ETag is sent back."""
    steady: bool
    """Whether what is expected is the same in every round."""


class Shown(NamedTuple):
    """A request as people may see it: secrets are masked, nothing is percent-encoded anew."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: str


class Poller:
    """One endpoint of one device: its request, its checks, and what it remembers."""

    __slots__ = (
        *("_clock", "_filling", "_first", "_host", "_lacks_first", "_plain", "_steady"),
        *("etag", "kind", "needs_body", "needs_headers", "request"),
    )

    def __init__(self, kind: Kind, request: Request, filling: Filling, host: str) -> None:
        self.kind = kind
        self.request: Request | Changed = request
        self.needs_body = kind.checks.needs_body
        """Whether an answer's body is looked at; else its length is enough."""
        self.needs_headers = kind.checks.needs_headers
        self.etag: str | None = None
        """The ETag of the last whole right answer; sent as If-None-Match."""
        self._first: int | None = None
        self._filling = filling
        self._clock = filling.clock
        self._host = host
        self._plain = kind.checks.plain
        self._lacks_first = kind.checks.compares_first
        """Whether the next right answer is the one that later ones are compared with."""
        self._steady = Own(self._fields(1)) if kind.steady else None
        """What is this device's, where nothing of it depends on the round."""

    def wire(self, round_: int) -> bytes:
        """The bytes of its HTTP/1.1 request in a round (from 1)."""
        return self.request.wire(round_, self.etag)

    @property
    def always(self) -> bytes | None:
        """The bytes of each of its requests; None where they change from poll to poll."""
        request = self.request
        return None if self.kind.remembers or isinstance(request, Changed) else request.always

    def parts(self, round_: int) -> RequestParts:
        """The same request in parts, for a client that writes it itself."""
        return self.request.parts(round_, self.etag)

    def change(self, changes: Changes | None, *, keep_alive: bool = True) -> None:
        """What the device asks otherwise from now on than the target says; None: nothing."""
        plain = self.request.plain if isinstance(self.request, Changed) else self.request
        self.request = plain if changes is None else Changed(plain, changes, self._host, keep_alive=keep_alive)

    @property
    def id(self) -> str:
        """The id of its device."""
        return self._filling.id

    def check(self, answer: Answer, round_: int, *, compare: bool = True) -> str | None:
        """The name of the first expectation that does not hold, or None; a right answer is remembered.

        Args:
            round_: of the poll that was answered.
            compare: whether all bytes are compared, where identical ones are expected.
        """
        checks = self.kind.checks
        # PERF: where status and length are all that is asked, nothing else is called: 0.4 us instead of 1.0.
        if (plain := checks.plain) is not None and not (checks.compares_first and (compare or self._first is None)):
            statuses, low, high = plain
            if answer.status in statuses and low <= answer.wire_bytes <= high:
                return None
        failure = checks.failure(answer, self._own(round_), compare=compare)
        if failure is None:
            try:
                self._remember(answer, compare)
            except DecodingError:  # Of the answer that later ones are to be compared with.
                return "decoding"
        return failure

    def passes(self, status: int, wire_bytes: int) -> bool:
        """Whether an answer is right by its status and length alone; False where there is more to look at."""
        plain = self._plain
        return plain is not None and status in plain[0] and plain[1] <= wire_bytes <= plain[2] and not self._lacks_first

    @property
    def plain(self) -> tuple[frozenset[int], float, float] | None:
        """Statuses, least and most bytes with which the next answer `passes`; None where there is more to look at."""
        return None if self._lacks_first else self._plain

    def looks(self, compare: bool) -> bool:
        """Whether the body of the next answer is looked at; else its length is enough."""
        return self.needs_body and (self._plain is None or compare or self._lacks_first)

    @property
    def compares(self) -> bool:
        """Whether all bytes of an answer can be compared: with those of a file, or of an answer before."""
        checks = self.kind.checks
        return checks.compares_file or (checks.compares_first and self._first is not None)

    def expect_first(self, checksum: int) -> None:
        """The first answer is known: what must come is what came before the load.

        Args:
            checksum: CRC-32 of its decoded body, without what may differ.
        """
        self._first = checksum
        self._lacks_first = False
        if self._steady is not None:
            self._steady = self._steady._replace(first=checksum)

    def explain(self, failure: str, answer: Answer, round_: int) -> str:
        """A sentence for people: what was expected, what came; without secrets. Before the next poll is made."""
        return Wording(self.kind.checks, self.masker).sentence(failure, answer, self._own(round_))

    def next_poll_s(self, answer: Answer) -> float | None:
        """Seconds from the answer to the next poll, if the target wants the server to say so and it did."""
        return self.kind.checks.next_poll_s(answer, self._clock())

    @property
    def masker(self) -> masking.Masker:
        """Knows this device's secrets."""
        row = self._filling.row
        secrets = [str(value) for name, value in row.items() if masking.hides(name, str(value))]
        if isinstance(self.request, Changed):
            secrets += self.request.changes.secrets
        return masking.Masker([*secrets, *self._filling.environ.values()])

    def shown(self, round_: int) -> Shown:
        """Its request in a round as people may see it."""
        hidden = self.kind.blueprint.bind(self._filling.masked(), host=self._host)
        parts = hidden.parts(round_, self.etag)
        method, target, headers, body = self.request.changes.of(parts) if isinstance(self.request, Changed) else parts
        masker = self.masker
        return Shown(
            method,
            masker.text(target.replace("%2A%2A%2A", masking.MASK)),
            [(name, masking.header(name, masker.text(value))) for name, value in headers],
            masker.text(body.decode("utf-8", "backslashreplace")),
        )

    def _own(self, round_: int) -> Own:
        if self._steady is not None:
            return self._steady
        return Own(self._fields(round_), self._first, self.etag is not None)

    def _fields(self, round_: int) -> tuple[Field, ...]:
        return tuple(
            Field(name, path, fields.equal_to(_value(parts, self._filling, round_))) for name, path, parts in self.kind.own
        )

    def _remember(self, answer: Answer, compare: bool) -> None:
        if answer.status in (204, 304):
            return
        kind, checks, own = self.kind, self.kind.checks, self._steady
        if checks.compares_first and self._first is None:
            self._first = checks.fingerprint(answer.decoded)
            self._lacks_first = False
        if kind.remembers:
            self.etag = answer.header(b"etag")
        if own is None:
            return
        known = own.known
        # PERF: a device is often told the same again; then nothing is parsed.
        short = compare and checks.reads_content and len(answer.body) <= KNOWN_BY_BYTES
        if short and (known is None or known[1] != answer.body):
            known = answer.encoding, answer.body, answer.decoded_bytes
        if known is not own.known or self._first != own.first or (self.etag is not None) != own.conditional:
            self._steady = Own(own.fields, self._first, self.etag is not None, known)


def _value(parts: Parts, filling: Filling, round_: int) -> Value:
    """An expected value of a device in a round; one that is a single template keeps its type."""
    slot = whole(parts)
    if slot is not None and slot.name != "round":
        return constant(slot, filling)
    if slot is not None:
        return slot.formatted(round_)
    return text(tuple(part if isinstance(part, str) else (part, str) for part in parts), filling)(round_)
