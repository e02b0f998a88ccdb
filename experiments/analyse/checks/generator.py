"""Did the generators keep to the plan? If not, the figures show them and not the server.

Evidence -> one check a function. Lag is what the others explain: a busy, stalled or crowded generator does harm as far
as it is late. Each limit has its reason, and under "Seen" the figures that it was held against: runs of 8 s on two cores
that others used too (up to 0.95 cores, up to 7.4 % stolen), as `studies.calibrate.limits` reads them out; the report of
`make calibrate` shows those of your machine. On the same machine when quiet, 20 of 20 honest runs were valid: 0 % unsent,
lag p50 0.10 and p99 0.57 ms, a load of 0.24, a stall of 3.6 ms at most.
"""

from __future__ import annotations

import polars as pl

from experiments.analyse.checks.evidence import (
    SEVERITY,
    Check,
    Evidence,
    Status,
    graded,
    ms,
    not_applicable,
    percentage,
    percentile_or_most,
)
from experiments.analyse.latency import percentiles
from experiments.analyse.targets.naming import endpoints
from experiments.record.schema import UNANSWERED

_LIGHTEN = "Poll with fewer clients or a longer interval, or give the generator more: generators=2, a quieter machine."
_ADVICE = {
    "httpx": f"Use engine='epoll', which costs less. {_LIGHTEN}",
    "httpx-stock": "The stock httpx transport cannot carry this load; use engine='httpx' or 'epoll', or far fewer clients.",
}
"""By engine, where there is a better one."""


def unsent_late(evidence: Evidence) -> Check:
    """Share of the planned polls that the generator did not get to before the window closed.

    Up to 0.1 % is what closing a window costs: a poll due in its very last fraction of a millisecond.
    Beyond 1 % the load was not the one asked for.

    Seen: at most 0.06 % in 5 honest runs, and that beside 0.95 cores of others. 9.6 % where the generator was killed in
    the middle; with a busy loop on its core once 0 and once 1.4 %. Overload hardly shows here (0 with httpx's own client at
    twice what it carries, 0.02 % with 12,000 devices), since a device that is behind counts as busy.

    Source: Nighthawk calls a run good from 99 % of the planned requests sent.
    """
    planned = len(evidence.polls)
    late = int((evidence.polls["outcome"] == "unsent_late").sum())
    share = late / planned if planned else 0.0
    status = graded(share, 0.001, 0.01)
    meaning = (
        "Nearly every planned poll was sent."
        if status == "valid"
        else f"The generator left out polls that it should have sent. {_advice(evidence)}"
    )
    figure = f"{late:,} of {planned:,} polls, {percentage(share)}"
    return Check("unsent_late", status, figure, "up to 0.1 % valid, up to 1 % suspect", meaning, share / 0.001)


_LAG_LIMITS = {50: (0.0005, 0.0025), 99: (0.005, 0.025)}
"""Percentile -> seconds that are always valid, and seconds that may be suspect."""
_SHARES = (0.1, 0.5)
"""The same as shares of the response that a punctual generator would have seen."""


def lag(evidence: Evidence) -> Check:
    """What lag added to responses, against the responses that a punctual generator would have seen.

    Where it adds at most a tenth, a figure is right within a tenth, which is also what latency
    repeats within; where it adds more than half, the figure is the generator's as much as the
    server's. A tenth of half a millisecond cannot be asked of an event loop, so there are floors: 0.5
    ms at p50 (a plain epoll loop wakes 0.45-0.6 ms late) and 5 ms at p99 (a poll behind a burst of
    25, at 200 us each); five times as much is beyond any explanation but overload.

    Responses as reported would be no yardstick, since lag lengthens them; and lag alone no measure,
    since it counts one poll of all those that queue behind it. See `lateness`. The endpoint with
    the smaller response decides.

    Seen: p50 at most 0.17 ms and p99 4.75 ms in 5 honest runs, beside up to 0.95 cores of others; p99 0.37 ms on a quiet
    machine. p50 66 ms, p99 162 ms, and within the limit only since a poll of httpx's own client takes longer still, where
    that client was asked for twice what it carries (found out by generator_cpu); in a second such run p50 153 ms, p99 336
    ms, and invalid. p99 428 ms where the generator was stopped for 500 ms. Beside 1.5 cores of others and with up to 26 %
    stolen, 3 of 6 honest runs were suspect and one invalid (p99 54 ms), each naming these causes too.
    """
    late = evidence.lateness
    statuses: list[Status] = []
    figures, limits, shares = [], [], []
    for percent, floors in _LAG_LIMITS.items():
        added = percentile_or_most(late["added_s"], percent)
        punctual = _smallest_punctual_s(late, percent)
        valid_to, suspect_to = (max(floor, share * punctual) for floor, share in zip(floors, _SHARES, strict=True))
        statuses.append(graded(added, valid_to, suspect_to))
        shares.append(added / valid_to)
        figures.append(f"p{percent} {ms(added)}")
        limits.append(f"p{percent} up to {ms(valid_to)} valid, up to {ms(suspect_to)} suspect")
    status = max(statuses, key=SEVERITY.index)
    meaning = (
        "Polls were sent when they were due, so the times are the server's."
        if status == "valid"
        else f"Polls were sent late by the generator itself, and the times contain that. {_advice(evidence)}"
    )
    return Check("lag", status, ", ".join(figures), "; ".join(limits), meaning, max(shares))


def _smallest_punctual_s(late: pl.DataFrame, percent: int) -> float:
    """The smaller of the endpoints' percentiles; 0 where none is supported."""
    timed = late.filter(pl.col("outcome").is_in(("ok", *UNANSWERED)))
    each = [
        percentiles(timed.filter(pl.col("endpoint") == name)["punctual_s"], (percent,))[0].value_s
        for name in endpoints(late)
    ]
    return min((value for value in each if value is not None), default=0.0)


def generator_cpu(evidence: Evidence) -> Check:
    """How much of the window the busiest generator's loop was running, or ready to run and kept waiting for a core.

    The loop is one thread, and whatever share of the time it cannot be idle is its load r. In front of a
    loop with r = 0.80 four polls wait on average, with 0.95 nineteen (M/M/1: r / (1 - r)): from there on
    the loop's own queue is what is measured, also where lag does not show it, since a device that is
    always behind has no due time left to be late for. Seen with httpx-stock at 1,100 polls/s, lag p50
    0.01 ms: 0.58 cores used and 0.41 waited for on a machine that others used too, and an answer after
    580 ms that took the server 0.1 ms.

    Seen: at most 0.41 in 5 honest runs (0.24 used, 0.17 waited for), 0.53 beside 1.5 cores of others. 1.00 where httpx's own
    client was asked for twice what it carries, and where one generator had 12,000 devices.

    Source: Hyperfoil calls a run invalid when less than 20 % of a generator's CPU is idle.
    """
    name = "generator_cpu"
    waits = {item["instance"]: float(item.get("cpu_wait_ratio") or 0.0) for item in evidence.instances}
    loads = [(used + waits.get(number, 0.0), used) for number, used in evidence.costs.generator_cores.items()]
    if not loads:
        return not_applicable(name, "There are no samples of what the generators used.")
    load, used = max(loads)
    status = graded(load, 0.8, 0.95)
    meaning = (
        "The generator had time to spare."
        if status == "valid"
        else f"The generator had hardly any time to spare, so answers waited for it. {_advice(evidence)}"
    )
    figure = f"{used:.2f} cores used, {load - used:.2f} waited for"
    return Check(name, status, figure, "sum up to 0.80 valid, up to 0.95 suspect", meaning, load / 0.8)


def generator_stall(evidence: Evidence) -> Check:
    """Longest time for which a generator's loop did not come round.

    A stall of 100 ms makes one device in five late, at an interval of 500 ms; one of 400 ms nearly
    all of them. A generator that was stopped for half a second must not pass.

    Seen: at most 19 ms in 5 honest runs, and 89 ms beside 1.5 cores of others with up to 26 % stolen. 486 ms where it was
    stopped for 500 ms; 175 to 362 ms with httpx's own client at twice what it carries, 709 ms with 12,000 devices, 107 ms
    with a busy loop on the generator's core.

    Source: Hyperfoil calls a run invalid when its watchdog is more than 100 ms late.
    """
    name = "generator_stall"
    stalls = [float(item["longest_stall_s"]) for item in evidence.instances if "longest_stall_s" in item]
    if not stalls:
        return not_applicable(name, "The generators left no word of it.")
    status = graded(max(stalls), 0.1, 0.4)
    meaning = (
        "The generator never stood still for long."
        if status == "valid"
        else "The generator once stood still, and all polls due then were late. Look for what else the machine "
        "did (a suspended process, a laptop asleep, swapping), and measure again."
    )
    return Check(name, status, ms(max(stalls)), "up to 100 ms valid, up to 400 ms suspect", meaning, max(stalls) / 0.1)


def generator_errors(evidence: Evidence) -> Check:
    """Polls that failed by the generator's fault, rows it could not write, and generators that broke.

    Up to 0.1 % of such polls leave the percentiles where they are; a lost row leaves a hole that
    nothing can fill.

    Seen: none in 5 honest runs; a generator broken where it was killed.
    """
    faults = int((evidence.polls["outcome"] == "generator_error").sum())
    lost = sum(int(item.get("lost_rows", 0)) for item in evidence.instances)
    errors = [str(item["error"]) for item in evidence.instances if item.get("error")]
    share = faults / max(1, len(evidence.polls))
    status: Status = "invalid" if lost or errors else "valid" if not faults else graded(share, 0.0, 0.001)
    meaning = (
        "The generators worked to the end."
        if status == "valid"
        else f"{_said(errors, evidence)}. {_remedy(evidence)}, and measure again."
    )
    figure = f"{faults:,} polls, {lost:,} rows lost, {len(errors)} generators broken"
    return Check("generator_errors", status, figure, "none valid, up to 0.1 % of polls suspect", meaning)


def _said(errors: list[str], evidence: Evidence) -> str:
    faults = [str(item["first_fault"]) for item in evidence.instances if item.get("first_fault")]
    first = f" (the first with {faults[0]})" if faults else ""
    said = "; ".join(error.rstrip(".") for error in errors) or f"some polls failed on this side, not at the server{first}"
    return said[:1].upper() + said[1:]


def _remedy(evidence: Evidence) -> str:
    machine = "for what this machine ran out of (open files, ports, memory, disk)"
    transport = _transport(evidence)
    return f"Look at your transport {transport}, and {machine}" if transport else f"Look {machine}"


def _advice(evidence: Evidence) -> str:
    if transport := _transport(evidence):
        return f"Every poll goes through your transport {transport}, so this is what it costs too. {_LIGHTEN}"
    return _ADVICE.get(evidence.record.scenario.engine, _LIGHTEN)


def _transport(evidence: Evidence) -> str:
    """A user's own, that all polls went through; empty for none."""
    return str(evidence.record.facts.get("generator", {}).get("transport") or "")
