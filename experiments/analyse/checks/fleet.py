"""Did the machines of a fleet act as one? Only where generators ran on a Dask cluster.

Evidence -> one finding a function. A shard's own times come from one clock and need no other; what the clocks must agree on
is where its devices stand beside those of other machines.
"""

from __future__ import annotations

from experiments.analyse.checks.evidence import Evidence, Found, ms, unknown
from experiments.analyse.checks.limits import CLOCKS_SHARE
from experiments.analyse.targets import asked


def clocks(evidence: Evidence) -> Found:
    """By how much generators may have started apart, against what that may disturb: error of clocks' offset and drift."""
    apart = [
        float(item["clock_error_s"]) + abs(float(item.get("clock_drift_s") or 0.0))
        for item in evidence.instances
        if "clock_error_s" in item
    ]
    if not apart:
        return unknown("one_clock")
    scenario = evidence.record.scenario
    yardstick_s, what = asked.interval_s(evidence.record), "the interval"
    medians = [median.value_s for median, *_ in evidence.responses.values() if median.value_s is not None]
    if scenario.phase == "together" and medians:
        yardstick_s, what = min(medians), "the median response"
    limit = CLOCKS_SHARE.times(yardstick_s)
    status = limit.grade(max(apart))
    return Found(
        kind="as_one" if status == "valid" else "apart",
        status=status,
        figure=f"up to {ms(max(apart))} apart",
        limit=f"{limit.said(ms)} ({what})",
        values={"yardstick": what},
    )
