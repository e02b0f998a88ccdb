"""What devices are told: a configuration for each model, made once and gzipped once."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass

MODELS = 4
"""Device models; each has a configuration of its own."""
_RULES = 1960
"""Rules in a configuration: some 200 KB as JSON."""


@dataclass(frozen=True)
class Config:
    """The configuration of a device model, made once."""

    plain: bytes
    zipped: bytes
    version: str

    @classmethod
    def of_model(cls, model: int) -> Config:
        """The configuration of a model; the same on every machine."""
        rules = [
            {
                "id": f"rule-{model}-{number:04d}",
                "sensor": f"s{number % 37:02d}",
                "above": number * 7919 % 1000 / 10,
                "for_s": 5 + number % 55,
                "then": ("log", "warn", "report", "restart")[number * model % 4],
                "enabled": number % 9 > 0,
            }
            for number in range(_RULES)
        ]
        plain = json.dumps({"model": model, "interval_ms": 3000, "rules": rules}).encode()
        return cls(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:16])
