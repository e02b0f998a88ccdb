"""Scenario and program -> every figure that a run must report, and how exactly it is known.

The schedule is played through as if nothing took time, and again with what a real machine adds at most. Counts that come
out alike each time are exact; one that does not has a poll within that margin of a boundary of the program or of the
window, and is known as a range. `with_exact_counts` looks for phases that leave such margins free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from experiments.analyse import latency
from experiments.errors import ParameterError
from experiments.record.schema import ENDPOINTS, UNSENT
from experiments.scenario import OWN_ENGINES, Scenario
from experiments.studies.calibrate.known_answers.replay import Delays, Poll, Replay, table
from server.catalogue import programs

PERCENTS = (50.0, 90.0, 95.0, 99.0)

QUIET = Delays(lag_s=0.003, network_s=0.001, clock_s=0.003, noticed_s=0.021)
"""Most that a quiet machine adds to our own connections: 0.3 to 0.9 ms per poll, seen over 60 runs on two cores."""

STOCK = Delays(lag_s=0.01, network_s=0.004, clock_s=0.05, noticed_s=0.021)
"""The same for other transports. httpx's own takes 1.3 to 3 ms per poll with 32 devices, and 24 to 33 ms for the first of
all, during which it loads a part of itself."""

LOADED = Delays(lag_s=0.02, network_s=0.006, clock_s=0.03, noticed_s=0.06)
"""Most that a machine adds which has other things to do, as those that run tests have."""

_ALWAYS = ("planned", "sent", "ok", "failed")
"""Counts of an endpoint that are shown even where they are 0."""

_LEAST_BODY_BYTES = 2
"""Shorter ones cannot be cut, shortened and altered."""


@dataclass(frozen=True)
class Figure:
    """One figure of a run."""

    name: str
    """Such as `status planned`, `bulk failed: reset`, `status response p95`."""
    unit: Literal["", "ms"]
    """Empty for counts."""
    value: float | None
    """With nothing late; None where a percentile is not supported."""
    low: float | None
    """Least and most with what a real machine adds; equal to `value` where that changes nothing."""
    high: float | None


@dataclass(frozen=True)
class Expected:
    """All that is known of a run beforehand."""

    scenario: Scenario
    program: programs.Program
    figures: tuple[Figure, ...]
    polls: pl.DataFrame = field(repr=False)
    """Each poll of the measured window with nothing late; see `replay.table`."""

    @property
    def inexact(self) -> tuple[Figure, ...]:
        """Counts that are only known as a range."""
        return tuple(figure for figure in self.figures if not figure.unit and figure.low != figure.high)


def expect(scenario: Scenario, program: programs.Program, most: Delays | None = None) -> Expected:
    """Works out what a run of this scenario against this program must report.

    Args:
        most: what machine and engine add at most; None for a quiet machine and the scenario's engine.

    Raises:
        ParameterError: the scenario cannot be asked of a server with known answers.
    """
    most = _checked(scenario, most)
    ideal = Replay(scenario, program)
    polls = ideal.run()
    frame = table(polls)
    counts = _counts(ideal, polls)
    others = [Replay(scenario, program, delays) for delays in _send_delays(most)]
    ranges = [counts, *(_counts(other, other.run()) for other in others)]
    names = sorted({name for one in ranges for name in one}, key=_in_order)
    figures = [Figure(name, "", counts[name], *_bounds([one[name] for one in ranges])) for name in names]
    # Only how soon a timeout is noticed is a matter of chance, and of more than a percentile may be wrong.
    times = [_times(frame), *(_times(table(Replay(scenario, program, one).run())) for one in _noticing(most))]
    figures += [Figure(name, "ms", value, *_bounds([one[name] for one in times])) for name, value in times[0].items()]
    return Expected(scenario, program, tuple(figures), frame)


def with_exact_counts(
    scenario: Scenario, program: programs.Program, most: Delays | None = None, tries: int = 2000
) -> Scenario:
    """The same scenario with random phases that leave every boundary free, so that all counts are exact.

    Args:
        most: as for `expect`; less of it, fewer devices or fewer rounds make such phases likelier.
        tries: how many seeds are tried, from the scenario's own on.

    Raises:
        ParameterError: none of them does.
    """
    most = _checked(scenario, most)
    for seed in range(scenario.seed, scenario.seed + tries):
        tried = scenario.model_copy(update={"phase": "random", "seed": seed})
        # Counts alone could be equal by chance, where one poll is caught by a boundary and another one set free.
        ends = _ends(Replay(tried, program))
        if all(_ends(Replay(tried, program, delays)) == ends for delays in _send_delays(most)):
            return tried
    raise ParameterError(
        f"no seed from {scenario.seed} to {scenario.seed + tries - 1} makes all counts of the program {program.name} exact; "
        "ask for fewer clients, a longer interval or a shorter window."
    )


def _checked(scenario: Scenario, most: Delays | None) -> Delays:
    """What is added at most, of a scenario that can be asked."""
    if min(scenario.status_bytes, scenario.bulk_bytes) < _LEAST_BODY_BYTES:
        raise ParameterError(
            f"status_bytes={scenario.status_bytes}, bulk_bytes={scenario.bulk_bytes}: known answers need bodies of at least "
            f"{_LEAST_BODY_BYTES} bytes, which can be cut, shortened and altered."
        )
    if scenario.workers != 1:
        raise ParameterError(f"workers={scenario.workers}: a server with known answers has one clock, so one worker.")
    return most or (QUIET if scenario.engine in OWN_ENGINES else STOCK)


def _send_delays(most: Delays) -> tuple[Delays, ...]:
    """This and that being late; what is likeliest to change something comes first."""
    at_once, late = _noticing(most)
    slow = replace(late, network_s=most.network_s)
    return (
        most,
        replace(slow, lag_s=most.lag_s),
        replace(at_once, clock_s=most.clock_s),
        slow,
        replace(slow, network_s=most.network_s / 2, lag_s=most.lag_s / 2),
        replace(at_once, clock_s=most.clock_s / 2),
        replace(at_once, network_s=most.network_s / 4),
        at_once,
    )


def _noticing(most: Delays) -> tuple[Delays, Delays]:
    """Timeouts noticed at once, and as late as can be."""
    return Delays(noticed_s=0.0), Delays(noticed_s=most.noticed_s)


def _ends(replay: Replay) -> tuple[object, ...]:
    """How each poll of the measured window ends, and the generator's counters."""
    polls = replay.run()
    ends = {(poll.client, poll.round, poll.endpoint, poll.outcome) for poll in polls if poll.first_due_s >= 0}
    return ends, replay.connects, replay.checksums


def _counts(replay: Replay, polls: list[Poll]) -> Counter[str]:
    """Counts of the measured window by endpoint, and of the generator's counters from the start of the warm-up on."""
    found = Counter((poll.endpoint, poll.outcome.label) for poll in polls if poll.first_due_s >= 0)
    counts = Counter({"connects": replay.connects, "checksums": replay.checksums})
    counts.update({f"{endpoint} {what}": 0 for endpoint, _ in found for what in _ALWAYS})
    for (endpoint, outcome), number in found.items():
        counts[f"{endpoint} planned"] += number
        if outcome in UNSENT:
            counts[f"{endpoint} {outcome}"] += number
            continue
        counts[f"{endpoint} sent"] += number
        if outcome == "ok":
            counts[f"{endpoint} ok"] += number
        else:
            counts[f"{endpoint} failed"] += number
            counts[f"{endpoint} failed: {outcome}"] += number
    return counts


def _in_order(name: str) -> tuple[int, int, str]:
    """A before B before the rest; planned, sent and ok before what went wrong."""
    endpoint, _, what = name.partition(" ")
    place = ENDPOINTS.index(endpoint) if endpoint in ENDPOINTS else len(ENDPOINTS)
    return place, _ALWAYS.index(what) if what in _ALWAYS else len(_ALWAYS), name


def _times(polls: pl.DataFrame) -> Mapping[str, float | None]:
    """Percentiles in ms, of the same polls and by the same rule as in a summary."""
    return {
        f"{endpoint} {kind} p{percentile.percent:g}": None if percentile.value_s is None else 1000 * percentile.value_s
        for endpoint in ENDPOINTS
        for kind in ("response", "latency")
        for percentile in latency.percentiles(latency.population(polls, endpoint, kind), PERCENTS)
    }


def _bounds(values: list[int] | list[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (None, None)
