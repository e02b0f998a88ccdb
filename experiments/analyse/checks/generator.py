"""Did the generators keep to the plan? If not, the figures show them and not the server.

Evidence -> one finding a function. Lag is what the others explain: a busy, stalled or crowded generator does harm as far as
it is late.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from experiments.analyse.checks.evidence import (
    SEVERITY,
    Evidence,
    Found,
    Status,
    ms,
    number,
    percentage,
    percentile_or_most,
    unknown,
)
from experiments.analyse.checks.limits import (
    GENERATOR_FAULTS,
    GENERATOR_LOAD,
    GENERATOR_STALL,
    LAG_FLOORS,
    LAG_SHARE,
    UNSENT_LATE,
)
from experiments.analyse.latency import Times, percentiles


def unsent_late(evidence: Evidence) -> Found:
    """Share of the planned polls that the generator did not get to before the window closed."""
    planned = evidence.planned
    late = number(evidence.counts, pl.col("outcome") == "unsent_late")
    share = late / planned if planned else 0.0
    status = UNSENT_LATE.grade(share)
    return Found(
        kind="sent" if status == "valid" else "left_out",
        status=status,
        figure=f"{late:,} of {planned:,} polls, {percentage(share)}",
        limit=UNSENT_LATE.said(lambda share: f"{100 * share:g} %"),
        of_limit=share / UNSENT_LATE.valid_to,
    )


def lag(evidence: Evidence) -> Found:
    """What lag added to responses, against the responses that a punctual generator would have seen; see `send delay`.

    The endpoint with the smaller response decides.
    """
    late, punctual = evidence.digest.added, evidence.digest.punctual
    statuses: list[Status] = []
    figures, limits, shares = [], [], []
    for percent, floor in LAG_FLOORS.items():
        added = percentile_or_most(late, percent)
        limit = LAG_SHARE.times(_smallest(punctual.values(), percent)).at_least(floor)
        statuses.append(limit.grade(added))
        shares.append(added / limit.valid_to)
        figures.append(f"p{percent} {ms(added)}")
        limits.append(f"p{percent} {limit.said(ms)}")
    status = max(statuses, key=SEVERITY.index)
    return Found(
        kind="punctual" if status == "valid" else "late",
        status=status,
        figure=", ".join(figures),
        limit="; ".join(limits),
        of_limit=max(shares),
    )


def _smallest(times: Iterable[Times], percent: int) -> float:
    """The smaller of the endpoints' percentiles; 0 where none is supported."""
    each = [percentiles(one, (percent,))[0].value_s for one in times]
    return min((value for value in each if value is not None), default=0.0)


def generator_cpu(evidence: Evidence) -> Found:
    """How much of the window the busiest generator's loop was running, or ready to run and kept waiting for a core."""
    waits = {item["instance"]: float(item.get("cpu_wait_ratio") or 0.0) for item in evidence.instances}
    loads = [(used + waits.get(number, 0.0), used) for number, used in evidence.costs.generator_cores.items()]
    if not loads:
        return unknown("no_samples")
    load, used = max(loads)
    status = GENERATOR_LOAD.grade(load)
    return Found(
        kind="spare" if status == "valid" else "no_spare",
        status=status,
        figure=f"{used:.2f} cores used, {load - used:.2f} waited for",
        limit=f"sum {GENERATOR_LOAD.said(lambda cores: f'{cores:.2f}')}",
        of_limit=load / GENERATOR_LOAD.valid_to,
    )


def generator_stall(evidence: Evidence) -> Found:
    """Longest time for which a generator's loop did not come round, within the window."""
    stalls = [float(item["longest_stall_s"]) for item in evidence.instances if "longest_stall_s" in item]
    if not stalls:
        return unknown("untold")
    status = GENERATOR_STALL.grade(max(stalls))
    return Found(
        kind="none" if status == "valid" else "stood_still",
        status=status,
        figure=ms(max(stalls)),
        limit=GENERATOR_STALL.said(ms),
        of_limit=max(stalls) / GENERATOR_STALL.valid_to,
    )


def generator_errors(evidence: Evidence) -> Found:
    """Polls that failed by the generator's fault, rows it could not write, and generators that broke."""
    faults = number(evidence.counts, pl.col("outcome") == "generator_error")
    lost = sum(int(item.get("lost_rows", 0)) for item in evidence.instances)
    errors = [str(item["error"]).rstrip(".") for item in evidence.instances if item.get("error")]
    said = "; ".join(errors)
    first = next((f" (the first with {item['first_fault']})" for item in evidence.instances if item.get("first_fault")), "")
    return Found(
        kind="broken" if errors else "lost" if lost else "failed" if faults else "none",
        status="invalid" if lost or errors else GENERATOR_FAULTS.grade(faults / max(1, evidence.planned)),
        figure=f"{faults:,} polls, {lost:,} rows lost, {len(errors)} generators broken",
        limit=f"none valid, up to {100 * GENERATOR_FAULTS.suspect_to:g} % of polls suspect",
        values={"errors": said[:1].upper() + said[1:], "first": first},
    )
