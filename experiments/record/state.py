"""What may be wrong with a record: its gaps, and why a window closed early, as data; only here are they sentences.

Knows no file and no table. Whoever must act on one of these asks for its kind; the words are for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    """Not, byte for byte, what was written."""

    @property
    def words(self) -> str:
        """What follows the name of the file."""
        return _FAULTS[self]


_FAULTS = {
    Fault.MISSING: "is missing",
    Fault.UNREADABLE: "cannot be read",
    Fault.CHANGED: "is not as it was written",
}


class GapKind(StrEnum):
    """What is lost with a file."""

    SEAL = "seal"
    """run.json: the run did not come to its own end."""
    ROWS = "rows"
    SAMPLES = "samples"


_LOST = {
    GapKind.SEAL: ": the run did not come to its own end, its last seconds were never written",
    GapKind.ROWS: "",
    GapKind.SAMPLES: ": there are no figures of CPU and memory",
}


@dataclass(frozen=True)
class Gap:
    """One file of a record that is not there, or not whole."""

    kind: GapKind
    file: str
    fault: Fault = Fault.MISSING

    def __str__(self) -> str:
        """A sentence without its full stop."""
        return f"{self.file} {self.fault.words}{_LOST[self.kind]}"


class CutKind(StrEnum):
    """Why a window closed before its time."""

    INTERRUPTED = "interrupted"
    """By the experimenter."""
    GENERATOR_LOST = "generator_lost"
    """All generators ended, or the last of them."""
    ROWS_LOST = "rows_lost"
    """A generator could not keep its rows."""
    BROKEN_OFF = "broken_off"
    """The run was never sealed, as when it is killed."""
    OTHER = "other"
    """A record of an older lab says it in words."""


_CUTS = {
    CutKind.INTERRUPTED: "interrupted by the experimenter",
    CutKind.BROKEN_OFF: "it broke off without a word, as when it is killed",
}


@dataclass(frozen=True)
class Cut:
    """That a window closed before its time, and why."""

    kind: CutKind
    detail: str = ""
    """In words, where the kind does not say all."""

    def __str__(self) -> str:
        """The reason, as part of a sentence."""
        return self.detail or _CUTS[self.kind]

    def facts(self) -> dict[str, str]:
        """As it stands in run.json."""
        return {"cut_short": str(self), "cut_short_kind": self.kind}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Cut | None:
        """What run.json says; None for a run that lasted as long as was asked for."""
        said = facts.get("cut_short")
        if not said:
            return None
        by_words = {words: kind for kind, words in _CUTS.items()}
        return cls(CutKind(facts.get("cut_short_kind") or by_words.get(said, CutKind.OTHER)), str(said))
