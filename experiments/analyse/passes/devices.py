"""How often each device of a record was answered in time: a pass of its own, for the few runs that are asked for it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from experiments.analyse.checks.evidence import Evidence
from experiments.analyse.passes.measured import measured_batches
from experiments.analyse.service_level import Devices


def by_device(evidence: Evidence, limits_ms: Mapping[str, float]) -> pl.DataFrame:
    """`Devices.frame` of a record's measured polls.

    Args:
        limits_ms: endpoint -> within so much a poll is in time.
    """
    devices = Devices(limits_ms)
    for polls in measured_batches(evidence):
        devices.add(polls)
    return devices.frame()
