"""What was learned of heads that repeat, by all readers of this process: the bytes of a head -> what comes after it.

PERF: what httptools made of a head is remembered, and an answer whose whole head comes in one piece and is known to be plain
(a length, nothing else that frames it) needs no parsing.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.measure.engines.http1.answer import Answer, Headers, ProtocolViolation
from experiments.measure.engines.http1.general import GeneralReader

MOST_KNOWN_BYTES = 4096
"""A longer head is not remembered."""
MOST_KNOWN = 256
"""How many heads are remembered: several a second of a server that sends the date, from several workers."""


@dataclass(frozen=True, slots=True)
class PlainHead:
    """A head after which come so many bytes of body, and nothing else can."""

    status: int
    headers: Headers
    body_bytes: int
    keeps_alive: bool
    version: bytes


KNOWN: dict[bytes, PlainHead | None] = {}
"""None: not plain."""


def learn(head: bytes) -> PlainHead | None:
    """Finds out what a head is, and remembers it."""
    if len(KNOWN) >= MOST_KNOWN:
        KNOWN.clear()
    KNOWN[head] = plain = _examine(head)
    return plain


def _examine(head: bytes) -> PlainHead | None:
    """What httptools, the judge of all other answers too, makes of a head; None if it is not plain."""
    sink = _OnlyHead()
    general = GeneralReader(sink)
    try:
        general.feed(head)
    except ProtocolViolation:
        return None
    answer = sink.answer
    names = [name.lower() for name, _ in answer.headers]
    framed_otherwise = {b"transfer-encoding", b"upgrade"} & {*names}
    if general.in_head or answer.status in (204, 304) or framed_otherwise or names.count(b"content-length") != 1:
        return None
    if answer.body_bytes:  # Lines that end in LF alone: the head ended earlier than it seemed.
        return None
    body_bytes = int(answer.headers[names.index(b"content-length")][1])
    return PlainHead(answer.status, answer.headers, body_bytes, general.keeps_alive, answer.version)


class _OnlyHead:
    """Takes the head of an answer, and nothing else."""

    def __init__(self) -> None:
        self.answer = Answer()

    def take(self, piece: bytes) -> None:
        """Counted is enough."""

    def close_after_answer(self) -> None:
        """The head says so."""

    def finish(self) -> None:
        self.answer.complete = True
