"""What the telemetry API can be told; environment -> settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Settings:
    """What the application can be told."""

    database: str = ""
    """File of the rows; empty: one of this process's own, gone with it."""
    token: str = ""
    """A token that all devices share."""
    tokens: str = ""
    """CSV file with columns `id` and `token`. With neither, the token of device X is `demo-X`."""
    next_poll_ms: int = 3000
    """When a device is to report next."""
    per_s: float = 10.0
    """Requests a second that a device may make in the long run."""
    burst: int = 20
    """Requests that it may make at once."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Reads TELEMETRY_DB, _TOKEN, _TOKENS, _NEXT_POLL_MS, _PER_S and _BURST; what is not there has its default.

        Raises:
            ValueError: a number is none.
        """
        return cls(
            database=environ.get("TELEMETRY_DB", cls.database),
            token=environ.get("TELEMETRY_TOKEN", cls.token),
            tokens=environ.get("TELEMETRY_TOKENS", cls.tokens),
            next_poll_ms=int(environ.get("TELEMETRY_NEXT_POLL_MS", cls.next_poll_ms)),
            per_s=float(environ.get("TELEMETRY_PER_S", cls.per_s)),
            burst=int(environ.get("TELEMETRY_BURST", cls.burst)),
        )
