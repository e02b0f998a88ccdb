"""What the answers whose bytes were compared say of those that were not.

Lengths are always compared, bytes of one answer in 64: counts of a sample in, a range for all of an endpoint's answers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from experiments.analyse.checks import expected
from experiments.analyse.checks.evidence import Evidence, number
from experiments.analyse.targets import asked

_Z = 2.576
"""Of 99 %, both sides."""


@dataclass(frozen=True)
class Sample:
    """The compared answers of an endpoint: those of status 200 and the right length."""

    endpoint: str
    compared: int
    differed: int
    """Of these, those of other bytes than before the load."""
    unseen: int
    """Answers that count as ok and were not compared."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The share of answers with other bytes, at 99 % confidence.

        Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
        """
        if not self.compared:
            return 0.0, 1.0
        n, share = self.compared, self.differed / self.compared
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def surely_wrong(self) -> float:
        """The least share of wrong ones among answers that count as ok without having been compared."""
        return self.bounds[0] if self.unseen and self.differed else 0.0


def samples(evidence: Evidence) -> list[Sample]:
    """One an endpoint, warm-up included.

    A row says itself that its bytes differed. How many were compared, older records tell of both endpoints together: taking
    all of them for this one makes the share of wrong ones come out too small, never too large.
    """
    instances = evidence.instances
    other_bytes = (pl.col("outcome") == "wrong_body") & pl.col("right")
    if asked.target(evidence.record) is not None:
        other_bytes = pl.col("failed_check").eq_missing(pl.lit("body"))
    found = []
    for name in evidence.record.endpoints:
        of_this = evidence.all_counts.filter(pl.col("endpoint") == name)
        differed = number(of_this, other_bytes)
        counts = [item.get("compared", {}).get(name, item.get("checksums", 0)) for item in instances]
        compared = sum(map(int, counts)) if expected.compares(evidence.record, name) else 0
        ok = number(of_this, pl.col("outcome") == "ok")
        found.append(Sample(name, max(compared, differed), differed, ok - max(0, compared - differed)))
    return found
