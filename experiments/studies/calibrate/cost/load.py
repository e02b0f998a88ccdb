"""What all contenders are asked. Plain data: a name for people, and the numbers that a command line or a scenario needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.errors import ParameterError
from experiments.schedule import Phase
from experiments.studies.tools.catalogue.tool import Asked
from server import catalogue

TIMEOUT_S = 10.0
"""Of every contender that has one: an unanswered poll costs a timer everywhere."""
STATUS_BYTES, BULK_BYTES = 100, 204_800


@dataclass(frozen=True)
class Load:
    """A load on a target."""

    name: str
    """One of `KINDS`."""
    target: str
    """Name of whom to ask, from `targets.TARGETS`."""
    phase: Phase
    ratio: str
    clients: int = 500
    interval_ms: float = 500.0
    settle_s: float = 0.5
    """From when every device is connected to the start of the window."""
    seconds: float = 8.0
    """Length of the window."""
    paced: bool = True
    """False: as fast as the server answers, for tools that know no rate."""

    @property
    def interval_s(self) -> float:
        """Seconds between a device's polls."""
        return self.interval_ms / 1000

    @property
    def polls_per_s(self) -> float | None:
        """Of all devices; None where as many as are answered."""
        most, least = sorted(map(int, self.ratio.split(":")), reverse=True)
        return (1 + least / most) * self.clients / self.interval_s if self.paced else None

    @property
    def has_peers(self) -> bool:
        """Whether tools that poll one URL at one rate can be given it."""
        return self.ratio == "1:0"

    def asked(self, url: str, seconds: float, folder: Path) -> Asked:
        """What a tool is told.

        Args:
            url: of the server.
            seconds: from its start to its end.
            folder: for its files.
        """
        return Asked(
            url=url + catalogue.STATUS_PATH,
            clients=self.clients,
            interval_s=self.interval_s,
            seconds=seconds,
            phase=self.phase,
            timeout_s=TIMEOUT_S,
            body_bytes=STATUS_BYTES,
            folder=folder,
        )

    def scenario(self, **changes: Any) -> dict[str, Any]:
        """The parameters of a run of the lab's under this load."""
        asked = {
            "clients": self.clients,
            "interval_ms": self.interval_ms,
            "phase": self.phase,
            "ratio": self.ratio,
            "warmup_s": self.interval_s + self.settle_s,
            "minutes": self.seconds / 60,
            "timeout_s": TIMEOUT_S,
            "status_bytes": STATUS_BYTES,
            "bulk_bytes": BULK_BYTES,
        }
        return asked | changes

    def __str__(self) -> str:
        return f"{self.name}, {self.target}"


KINDS: dict[str, Load] = {
    "random": Load("random", "", "random", "1:0"),
    "together": Load("together", "", "together", "1:0"),
    "mix": Load("mix", "", "random", "10:1"),
    "unpaced": Load("unpaced", "", "together", "1:0", paced=False),
}
"""Name -> load, still without a target: endpoint A alone at random phases and in step, the default mix with B, and A as fast
as it is answered."""


def parse(text: str, targets: tuple[str, ...], seconds: float) -> list[Load]:
    """Reads `random falcon, together nginx`.

    Raises:
        ParameterError: a pair names no load or no target.
    """
    loads = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, target = pair.partition(" ")
        if name not in KINDS or target.strip() not in targets:
            raise ParameterError(
                f"cost_loads={text!r}: {pair!r} is no load; write pairs of {', '.join(KINDS)} and {', '.join(targets)}, "
                "like 'random falcon, together nginx'."
            )
        loads.append(replace(KINDS[name], target=target.strip(), seconds=seconds))
    return loads
