"""What a generator counts: how its polls ended, and what it took to ask."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.record.schema import ENDPOINTS, Outcome

_BY_ENDPOINT = ("compared", "differed")
_NONE_SENT = (Outcome.UNSENT_BUSY, Outcome.UNSENT_LATE)


@dataclass
class Tally:
    """Counts of the measured window."""

    by_outcome: list[int] = field(default_factory=lambda: [0] * len(Outcome))
    """One number an `Outcome`."""

    @property
    def ok(self) -> int:
        return self.by_outcome[Outcome.OK]

    @property
    def sent(self) -> int:
        return sum(self.by_outcome) - sum(self.by_outcome[outcome] for outcome in _NONE_SENT)

    @property
    def failed(self) -> int:
        return self.sent - self.ok

    def totals(self) -> dict[str, int]:
        """As they stand in run.json."""
        busy, late = (self.by_outcome[outcome] for outcome in _NONE_SENT)
        return {
            "planned": sum(self.by_outcome),
            "sent": self.sent,
            "ok": self.ok,
            "failed": self.failed,
            "unsent_busy": busy,
            "unsent_late": late,
        }


@dataclass
class Effort:
    """What a generator did to get its answers, warm-up included."""

    attempts: int = 0
    """Requests put on the wire, those asked again included."""
    connects: int = 0
    """Connections made; 0 where a transport does not tell."""
    reconnects: int = 0
    """Kept connections that the server had closed before they were used again."""
    retries: int = 0
    """Requests asked again, since the server closed a reused connection without an answer."""
    checksums: int = 0
    """Complete answers whose checksum was taken, whatever their status and length."""
    compared: list[int] = field(default_factory=lambda: [0] * len(ENDPOINTS))
    """Of these, by endpoint, those of status 200 and the right length: their bytes decided."""
    differed: list[int] = field(default_factory=lambda: [0] * len(ENDPOINTS))
    """Of these, those whose bytes were others than before the load."""

    def add(self, other: Effort) -> None:
        """Takes the effort of another device in."""
        for name, value in asdict(other).items():
            mine = getattr(self, name)
            setattr(self, name, [a + b for a, b in zip(mine, value, strict=True)] if name in _BY_ENDPOINT else mine + value)

    def facts(self) -> dict[str, Any]:
        """As they stand in run.json: counts by the name of the endpoint."""
        each = asdict(self)
        return each | {name: dict(zip(ENDPOINTS, each[name], strict=True)) for name in _BY_ENDPOINT}
