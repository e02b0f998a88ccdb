"""What a load tool says beside the truth, as tables and charts take it: plain figures, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 100.0
"""The percent that stands for the longest time."""


@dataclass(frozen=True)
class Pair:
    """One figure twice."""

    said: float | None
    """None where the tool does not say it."""
    true: float | None


@dataclass(frozen=True)
class Told:
    """One tool against one answer."""

    tool: str
    answer: str
    title: str
    """The answer, for people."""
    wrong: tuple[str, ...]
    """What is not right, in a word or two each; empty where all is."""
    sentence: str
    requests: Pair
    failed: Pair
    per_s: Pair
    times: Mapping[float, Pair] = field(default_factory=dict)
    """Percent -> seconds."""
    shown: float | None = None
    """The percent that a picture shows."""


@dataclass(frozen=True)
class Known:
    """One answer: what it was worked out to be, and what the server recorded of all that it sent to all tools."""

    answer: str
    title: str
    requests: int
    connections: int
    worked_out: Mapping[float, float]
    """Percent -> seconds."""
    recorded: Mapping[float, float]
    parts: str
    """How many were answered in which way, in words."""
