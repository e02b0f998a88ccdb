"""Whether what came is what had to come: one judge for all engines."""

from __future__ import annotations

from experiments.measure.engines.counters import Effort
from experiments.measure.engines.target import Target
from experiments.record.schema import Outcome


def judge(target: Target, number: int, status: int, body_bytes: int, checksum: int | None, effort: Effort) -> Outcome:
    """Whether a complete answer is the right one; `effort` counts the comparison, where there is a checksum."""
    effort.checksums += checksum is not None
    if status != 200:
        return Outcome.HTTP_ERROR
    if body_bytes != target.body_bytes[number]:
        return Outcome.WRONG_BODY
    if checksum is not None:
        effort.compared[number] += 1
        if checksum != target.checksums[number]:
            effort.differed[number] += 1
            return Outcome.WRONG_BODY
    return Outcome.OK
