"""What a generator counts: how its polls ended, and what it took to ask."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from experiments.record.schema import Outcome

_OF_CONNECTIONS = ("connects", "reconnects", "retries")
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
    """Connections made."""
    reconnects: int = 0
    """Kept connections that the server had closed before they were used again."""
    retries: int = 0
    """Requests asked again, since the server closed a reused connection without an answer."""
    checksums: int = 0
    """Answers whose bytes were compared."""
    connections_told: bool = True
    """Whether the transport tells of its connections; if not, nobody knows how many there were."""

    def add(self, other: Effort) -> None:
        """Takes the effort of another device in."""
        told = self.connections_told and other.connections_told
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)
        self.connections_told = told

    def facts(self) -> dict[str, int | None]:
        """As it stands in run.json: null for what the transport does not tell, since 0 would be a figure."""
        known: dict[str, int | None] = asdict(self)
        del known["connections_told"]
        return known if self.connections_told else known | dict.fromkeys(_OF_CONNECTIONS)
