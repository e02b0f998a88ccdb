"""Ranges as they are written in a target file: `200`, `20..400`, `20..` and `..400`, ends included."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"[-+]?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(rf"\s*(?P<low>{_NUMBER})?\s*\.\.\s*(?P<high>{_NUMBER})?\s*", re.ASCII)


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:.15g}"
        low, high = ("" if math.isinf(end) else f"{end:.15g}" for end in (self.low, self.high))
        return f"{low}..{high}"


def is_range(text: object) -> bool:
    """Whether this is a text that seems to be meant as a range."""
    return isinstance(text, str) and bool(re.fullmatch(r"(?=.*[0-9])[-+0-9.\s]*\.\.[-+0-9.\s]*", text))


def read(value: object) -> Range:
    """A number or a text -> the range.

    Raises:
        ValueError: neither; the message says what is allowed.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Range(value, value)
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not (match["low"] or match["high"]):
        raise ValueError("a number or a range like 20..400, 20.. or ..400 is needed")
    low = float(match["low"]) if match["low"] else -math.inf
    high = float(match["high"]) if match["high"] else math.inf
    if low > high:
        raise ValueError(f"the range ends before it begins: write {match['high']}..{match['low']}")
    return Range(low, high)


def of_bytes(value: object) -> Range:
    """A range of whole numbers, 0 or more.

    Raises:
        ValueError: it is not one.
    """
    read_ = read(value)
    if any(math.isfinite(end) and (end < 0 or end != int(end)) for end in (read_.low, read_.high)):
        raise ValueError("whole numbers of bytes are needed, 0 or more")
    return Range(max(read_.low, 0), read_.high)
