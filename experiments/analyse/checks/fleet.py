"""Did the machines of a fleet act as one? Only where generators ran on a Dask cluster.

Evidence -> one check a function. A shard's own times come from one clock and need no other; what the clocks must agree on
is where its devices stand beside those of other machines.
"""

from __future__ import annotations

from experiments.analyse.checks.evidence import Check, Evidence, graded, ms, not_applicable
from experiments.analyse.targets import asked

_SHARES = (0.1, 0.5)
"""As for lag: up to a tenth of what it may disturb it is not seen, from half of it on it is most of what is seen."""


def clocks(evidence: Evidence) -> Check:
    """By how much generators may have started apart, against what that may disturb: error of the clocks' offset and drift.

    Where devices stand at random or evenly spread, apart by less than the interval is only another such arrangement of
    them, so the interval is the yardstick. Where all poll at the same instant, apart means that their wave breaks in
    parts; the yardstick is the smallest median of the responses, which are as long as the wave.
    """
    name = "clocks"
    apart = [
        float(item["clock_error_s"]) + abs(float(item.get("clock_drift_s") or 0.0))
        for item in evidence.instances
        if "clock_error_s" in item
    ]
    if not apart:
        return not_applicable(name, "All generators ran by the clock of one machine.")
    scenario = evidence.record.scenario
    yardstick_s, what = asked.interval_s(evidence.record), "the interval"
    medians = [median.value_s for median, *_ in evidence.responses.values() if median.value_s is not None]
    if scenario.phase == "together" and medians:
        yardstick_s, what = min(medians), "the median response"
    valid_to, suspect_to = (share * yardstick_s for share in _SHARES)
    status = graded(max(apart), valid_to, suspect_to)
    meaning = (
        "The machines' clocks were known well enough for their devices to act as one swarm."
        if status == "valid"
        else f"The machines may have polled apart by much of {what}. Use machines nearer to each other and a scheduler "
        "that is not busy, or phase='random'."
    )
    limit = f"up to {ms(valid_to)} valid, up to {ms(suspect_to)} suspect ({what})"
    return Check(name, status, f"up to {ms(max(apart))} apart", limit, meaning)
