"""What both engines have in common besides their devices: how a run is told to end early."""

from __future__ import annotations

import math
from dataclasses import dataclass

GRACE_S = 2.0
"""How long polls in flight may still be answered when a run is cut short."""


@dataclass
class Stop:
    """An order to close the window early. Given from any thread, looked at every 20 ms."""

    at: float = math.inf
    """When, on the monotonic clock."""

    @property
    def ordered(self) -> bool:
        """Whether it was given."""
        return self.at < math.inf
