"""What became of trying a target with one device: each request and its answer, how long it took, and what was not right.

Values only, so that who asks and who shows need not know one another. Secrets are masked already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.target.poller import Shown

STEPS = ("dns", "connect", "tls", "first_byte", "last_byte")
"""What a request waits for, in this order."""


@dataclass(frozen=True)
class AnswerShown:
    """An answer as people may see it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    """Its beginning, decoded."""
    wire_bytes: int
    """Length of the whole body as it came."""
    decoded_bytes: int | None
    """After Content-Encoding is undone; None where it cannot be."""
    checksum: int
    """CRC-32 of the body as it came."""


@dataclass(frozen=True)
class Exchange:
    """One poll of the first device."""

    endpoint: str
    request: Shown
    answer: AnswerShown | None
    """None where none came."""
    times_ms: Mapping[str, float | None]
    """Milliseconds by `STEPS`, each from the end of the step before; None where the transport does not tell."""
    failure: str | None
    """The expectation that does not hold, or `no answer`; None if all is right."""
    explanation: str = ""
    """Why it is not right, in a sentence."""


@dataclass(frozen=True)
class Tried:
    """One device's first round."""

    target: str
    url: str
    exchanges: tuple[Exchange, ...]
    load: str = ""
    """What the load will be, in a sentence."""
    notes: tuple[str, ...] = ()
    """What else a reader should know."""

    @property
    def right(self) -> bool:
        """Whether all answers are."""
        return all(one.failure is None for one in self.exchanges)

    @property
    def faults(self) -> list[str]:
        """What is not right, a sentence each."""
        return [f"{one.endpoint}: {one.explanation}" for one in self.exchanges if one.failure is not None]
