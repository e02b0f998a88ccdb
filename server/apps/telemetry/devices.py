"""Who may speak, and how often: the tokens of the devices, and a bucket of requests for each. Knows no HTTP answers."""

from __future__ import annotations

import csv
import hmac
from collections.abc import Callable
from pathlib import Path

from server.apps.telemetry.settings import Settings

_MOST_DEVICES = 100_000
"""Devices whose requests are counted; an idle one is forgotten first."""


class Tokens:
    """Which token belongs to which device."""

    def __init__(self, settings: Settings) -> None:
        self._shared = settings.token
        self._listed: dict[str, str] | None = None
        if settings.tokens:
            with Path(settings.tokens).open(newline="", encoding="utf-8") as file:
                self._listed = {row["id"]: row["token"] for row in csv.DictReader(file)}

    def permit(self, device: str, authorization: str | None) -> bool:
        """Whether this Authorization is the device's."""
        scheme, _, given = (authorization or "").partition(" ")
        own = self._own(device)
        right = bool(own) and (_same(given, own) or _same(given, _session(device, own)))
        return right and scheme.lower() == "bearer"

    def session(self, device: str, token: str) -> str | None:
        """A token for a session, which every worker knows by itself; None if the one shown is not the device's."""
        own = self._own(device)
        return _session(device, own) if own and _same(token, own) else None

    def _own(self, device: str) -> str:
        return self._shared or (f"demo-{device}" if self._listed is None else self._listed.get(device, ""))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _session(device: str, token: str) -> str:
    return hmac.digest(token.encode(), device.encode(), "sha256").hex()


class RateLimit:
    """A bucket of requests per device, filled at a steady rate.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._per_s, self._burst, self._clock = settings.per_s, settings.burst, clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, device: str) -> float:
        """Takes one request out of the bucket: 0, or how long the device must wait because it is empty."""
        now = self._clock()
        left, since = self._left.pop(device, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._per_s)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_s
        self._left[device] = (left if wait else left - 1, now)
        if len(self._left) > _MOST_DEVICES:
            del self._left[next(iter(self._left))]
        return wait
