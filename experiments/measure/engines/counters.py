"""What a generator counts: how its polls ended, and what it took to ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.record.schema import Outcome

MOST_RESTS = 20
"""Of a device."""
_OF_CONNECTIONS = ("connects", "reconnects", "closes", "retries", "handshakes", "resumptions", "idle_close_s")
_BY_ENDPOINT = ("compared", "differed")
_NONE_SENT = (Outcome.UNSENT_BUSY, Outcome.UNSENT_LATE)


@dataclass
class Tally:
    """Counts of the measured window."""

    by_outcome: Any = field(default_factory=lambda: [0] * len(Outcome))
    """One number per `Outcome`; a list, or an array that compiled code counts in."""

    @property
    def ok(self) -> int:
        return int(self.by_outcome[Outcome.OK])

    @property
    def sent(self) -> int:
        return int(sum(self.by_outcome) - sum(self.by_outcome[outcome] for outcome in _NONE_SENT))

    @property
    def failed(self) -> int:
        return self.sent - self.ok

    def reasons(self) -> dict[str, int]:
        """Polls without a right answer, by the record's names of what became of them."""
        counts = {one.name.lower(): int(self.by_outcome[one]) for one in Outcome if one is not Outcome.OK}
        return {reason: count for reason, count in counts.items() if count}

    def totals(self) -> dict[str, int]:
        """As they stand in run.json."""
        busy, late = (int(self.by_outcome[outcome]) for outcome in _NONE_SENT)
        return {
            "planned": int(sum(self.by_outcome)),
            "sent": self.sent,
            "ok": self.ok,
            "failed": self.failed,
            "unsent_busy": busy,
            "unsent_late": late,
        }


@dataclass
class Counters:
    """What a generator did to get its answers, warm-up included."""

    attempts: int = 0
    """Requests put on the wire, those asked again included."""
    connects: int = 0
    """Connections made."""
    reconnects: int = 0
    """Kept connections that the server had closed before they were used again."""
    closes: int = 0
    """Answers with which the server closed a connection that was to be kept."""
    retries: int = 0
    """Requests asked again, since the server closed a reused connection without an answer."""
    checksums: int = 0
    """Complete answers whose checksum was taken, whatever their status and length."""
    compared: Counter[int] = field(default_factory=Counter)
    """Of these, by the endpoint's place, those in which all else was right: their bytes decided."""
    differed: Counter[int] = field(default_factory=Counter)
    """Of these, those whose bytes were others than before the load."""
    rests_s: list[float] = field(default_factory=list)
    """How long connections had rested when the server closed them; the first ones of each device, `MOST_RESTS` at most."""
    connections_told: bool = True
    """Whether the transport tells of its connections; if not, nobody knows how many there were."""
    handshakes: int = 0
    """TLS handshakes done."""
    resumptions: int = 0
    """Of these, those that resumed an earlier session."""

    def add(self, other: Counters) -> None:
        """Takes the counters of another device in."""
        told = self.connections_told and other.connections_told
        for name, value in vars(other).items():
            if name == "rests_s":
                self.rests_s += value  # In place: there may be thousands of devices.
            elif name in _BY_ENDPOINT:
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)
        self.connections_told = told

    def facts(self, endpoints: tuple[str, ...]) -> dict[str, Any]:
        """As they stand in run.json: bytes compared by the endpoints' names; null for what the transport does not tell.

        0 would be a figure.
        """
        facts = asdict(self)
        del facts["connections_told"]
        rests = sorted(facts.pop("rests_s"))
        places = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
        facts["idle_close_s"] = {name: rests[int(share * len(rests))] for name, share in places.items()} if rests else None
        facts |= {
            name: {endpoint: getattr(self, name)[place] for place, endpoint in enumerate(endpoints)} for name in _BY_ENDPOINT
        }
        return facts if self.connections_told else facts | dict.fromkeys(_OF_CONNECTIONS)
