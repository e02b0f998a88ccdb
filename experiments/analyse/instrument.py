"""What a poll costs a load generator: rows of single measurements in, medians with their range and ratios out.

Few rounds give few figures: the median, and the lowest and highest beside it. Ratios are taken within a round, since
machines drift. Knows neither who was measured nor how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One contender under one load in one round. What only the lab's own record tells is None for the others."""

    round: int
    load: str
    target: str
    contender: str
    cpu_us_per_poll: float
    """User + system of the generator's process tree in the window, divided by the polls that were answered in it."""
    polls_per_s: float
    """Answered."""
    failed: int
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None
    response_p50_ms: float | None = None
    """Of endpoint A."""
    unsent_late_pct: float | None = None
    verdict: str | None = None
    disturbed_by: str | None = None
    """Causes outside the lab that the verdict names; empty on a quiet machine."""
    run_id: str | None = None
    asked_per_s: float | None = None
    """Polls that it was told to make; None where it knows no rate."""
    machine_per_s: float | None = None
    """Steps of a loop that is always the same, by the second of processor time, just before."""
    core_free: float | None = None
    """Share of the time for which that loop had a core."""


_RATE = 0.05
"""Share by which a rate may be missed: a poll costs less in a crowd, so costs at other rates are not compared."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a device costs in memory."""

    engine: str
    few: int
    many: int
    few_rss_bytes: int
    many_rss_bytes: int

    @property
    def bytes_per_device(self) -> float:
        """Growth of resident memory per device."""
        return (self.many_rss_bytes - self.few_rss_bytes) / (self.many - self.few)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One generator process with so many devices."""

    engine: str
    clients: int
    polls_per_s: float
    lag_p50_ms: float | None
    lag_p99_ms: float | None
    """Null: so few polls were sent that there is none."""
    unsent: int
    failed: int
    cpu_us_per_poll: float
    held: bool


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    """With its unit; or why it is not there."""
    wanted: str = ""
    met: bool | None = None
    """None where nothing was measured, or nothing is wanted."""


@dataclass(frozen=True)
class Spread:
    """Some rounds of one figure."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Compared:
    """All rounds of one contender under one load."""

    load: str
    target: str
    contender: str
    rounds: int
    cpu_us_per_poll: Spread
    polls_per_s: float
    """Median."""
    lag_p50_ms: float | None
    """Median of the rounds, as the next; None where nobody knows."""
    lag_p99_ms: float | None
    failed: int
    """Of all rounds."""
    times: Spread | None = None
    """How many times as much CPU per poll as one of the lab's engines took in the same round; None beside itself."""
    asked_per_s: float | None = None
    """Polls that it was told to make."""

    @property
    def keeps_rate(self) -> bool:
        """Whether it made about as many polls as it was told to, or was told no rate."""
        return keeps_rate(self.polls_per_s, self.asked_per_s)


@dataclass(frozen=True)
class Speed:
    """How fast the machine was in one round."""

    round: int
    of_fastest: float
    """Median of its turns, as a share of the fastest turn of all rounds."""
    core_free: float
    """Median share of the time for which a loop that wanted a core had one."""


def keeps_rate(polls_per_s: float, asked_per_s: float | None) -> bool:
    """Whether as many polls were answered as were asked for, within 5 %."""
    return asked_per_s is None or abs(polls_per_s / asked_per_s - 1) <= _RATE


def speeds(costs: Iterable[Cost]) -> list[Speed]:
    """By round; rounds in which nobody looked are left out."""
    known = [cost for cost in costs if cost.machine_per_s is not None]
    fastest = max((cost.machine_per_s or 0.0 for cost in known), default=0.0)
    rounds = sorted({cost.round for cost in known})
    return [
        Speed(
            number,
            (middle(cost.machine_per_s for cost in known if cost.round == number) or 0.0) / fastest,
            middle(cost.core_free for cost in known if cost.round == number) or 0.0,
        )
        for number in rounds
    ]


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median and range of what is known; None of nothing."""
    known = [value for value in values if value is not None]
    return Spread(median(known), min(known), max(known)) if known else None


def middle(values: Iterable[float | None]) -> float | None:
    """The median of what is known."""
    found = spread(values)
    return found.median if found else None


def compare(costs: Iterable[Cost], beside: str = "") -> list[Compared]:
    """Every contender under every load, cheapest first within a load; loads in the order in which they first come.

    Args:
        beside: the contender that all others are held against; empty for none.
    """
    groups: dict[tuple[str, str], dict[str, list[Cost]]] = {}
    for cost in costs:
        groups.setdefault((cost.load, cost.target), {}).setdefault(cost.contender, []).append(cost)
    return [
        one
        for contenders in groups.values()
        for one in sorted(
            (_compared(some, contenders.get(beside, ()) if name != beside else ()) for name, some in contenders.items()),
            key=lambda one: one.cpu_us_per_poll.median,
        )
    ]


def _compared(costs: Sequence[Cost], beside: Sequence[Cost]) -> Compared:
    first = costs[0]
    cpu = spread(cost.cpu_us_per_poll for cost in costs)
    assert cpu is not None
    return Compared(
        load=first.load,
        target=first.target,
        contender=first.contender,
        rounds=len(costs),
        cpu_us_per_poll=cpu,
        polls_per_s=median(cost.polls_per_s for cost in costs),
        lag_p50_ms=middle(cost.lag_p50_ms for cost in costs),
        lag_p99_ms=middle(cost.lag_p99_ms for cost in costs),
        failed=sum(cost.failed for cost in costs),
        times=cost_ratio(beside, costs),
        asked_per_s=first.asked_per_s,
    )


def cost_ratio(ours: Iterable[Cost], theirs: Iterable[Cost]) -> Spread | None:
    """How many times as much CPU per poll `theirs` took as `ours`, by the round; rounds without both are left out."""
    per_round = {cost.round: cost.cpu_us_per_poll for cost in ours}
    return spread(cost.cpu_us_per_poll / per_round[cost.round] for cost in theirs if per_round.get(cost.round))
