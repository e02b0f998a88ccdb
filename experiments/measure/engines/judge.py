"""Whether what came is what had to come: one judge for all engines."""

from __future__ import annotations

from typing import NamedTuple

from experiments.measure.engines.counters import Counters
from experiments.record.rows import NEVER
from experiments.record.schema import Outcome
from experiments.target.answers.answer import Answer
from experiments.target.poller import Poller

_OUTCOMES = {"status": Outcome.HTTP_ERROR} | dict.fromkeys(
    ("bytes", "body", "decoded_bytes", "decoding"), Outcome.WRONG_BODY
)
"""By the expectation that failed; any other is `CHECKS`."""


class Judgement(NamedTuple):
    """What is made of a complete answer."""

    outcome: Outcome
    failed_check: str | None = None
    """The expectation that failed, if one did."""
    decoded_bytes: float = NEVER
    """Length of the body after its Content-Encoding was undone, where it was."""
    wait_s: float | None = None
    """Seconds until the next poll, if the target wants the server to say so and it did."""
    answer: Answer | None = None
    """What was looked at, to be explained if it is wrong."""


RIGHT = Judgement(Outcome.OK)


def judge(
    poller: Poller, number: int, round_: int, status: int, headers: list[tuple[bytes, bytes]], body: bytes, body_bytes: int,
    counters: Counters, *, compare: bool,
) -> Judgement:  # fmt: skip
    """Whether a complete answer is the right one; `counters` counts the comparison, where bytes are compared.

    Args:
        number: the endpoint's place.
        body: as it came; empty where `Poller.looks` said that nobody looks at it.
        body_bytes: its length on the wire.
        compare: whether all bytes are compared, where identical ones are expected.
    """
    if not compare and poller.passes(status, body_bytes):
        return RIGHT
    answer = Answer(status, body, headers, body_bytes)
    counts = compare and poller.compares
    failed = poller.check(answer, round_, compare=compare)
    if counts:
        counters.checksums += 1
        if failed in (None, "body"):
            counters.compared[number] += 1
            counters.differed[number] += failed is not None
    decoded = answer.decoded_bytes
    return Judgement(
        Outcome.OK if failed is None else _OUTCOMES.get(failed, Outcome.CHECKS),
        failed,
        NEVER if decoded is None else decoded,
        poller.next_poll_s(answer),
        answer,
    )
