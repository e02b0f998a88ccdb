"""Which poll of which device is due when, for any number of endpoints: pure arithmetic, no clock and no I/O.

A device has one or more clocks. Endpoints with a *share* live together in rounds of one interval, as in
`experiments.schedule`: the one with the largest share (the first of the file, if several have it) is polled in every round,
each other one joins in the rounds that keep its exact proportion to that one, and within a round the file's order holds. The
first poll of a round is due by the schedule alone, each following one when the poll before it ended. An endpoint with
*every_s* has a clock of its own. Everything is a closed form of (client, endpoint, k), k = 1, 2, 3 ... being the round on
that endpoint's clock; two endpoints with shares give exactly the plan of `experiments.schedule`.

Times are seconds from the start of the measured window, in whole ticks; warm-up polls are due below zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from experiments.errors import ParameterError
from experiments.target import chance

Phase = Literal["random", "spread", "together"]
Pacing = Literal["fixed", "after"]

TICK_S = 2.0**-22
"""Resolution of instants, that of the record."""

_TICKS_PER_S = 2.0**22
_CLOCK_PLACE = 1 << 32
"""Place of a clock's phase among the random figures of an endpoint: beyond any place of a template."""
_JITTER_PLACE = 2 << 32
"""Where its jitter begins."""


def on_tick(seconds: float) -> float:
    """The nearest whole tick."""
    return math.floor(seconds * _TICKS_PER_S + 0.5) * TICK_S


@dataclass(frozen=True)
class Timing:
    """How often one endpoint is polled; exactly one of `share` and `every_s` is set."""

    name: str
    """The endpoint, as the file calls it."""
    share: int | None = None
    """How often beside the other endpoints with a share, 0 for never."""
    every_s: float | None = None
    """Seconds between two polls, on a clock of its own."""


@dataclass(frozen=True)
class Clock:
    """One clock of all devices: when its rounds are due, and which endpoints each of them polls."""

    endpoints: tuple[int, ...]
    """The endpoints on it, by their place in the file, in the file's order."""
    interval_s: float
    """Seconds between two rounds."""
    joins_per_cycle: tuple[int, ...]
    """For each endpoint: in how many rounds of a cycle it is polled."""
    cycle_rounds: int
    """Rounds after which the pattern of endpoints repeats."""
    key: str | None
    """What names it among the clocks of a device, for its phase; None for the clock of the shares."""

    def polled(self, place: int) -> tuple[int, ...]:
        """The endpoints of a round, `place` being the round counted in the device's own cycle.

        An endpoint is polled where floor(place x joins / cycle) steps up: for 3 of 10 in places 4, 7, 10, 14 ...
        """
        cycle = self.cycle_rounds
        return tuple(
            endpoint
            for endpoint, joins in zip(self.endpoints, self.joins_per_cycle, strict=True)
            if place * joins // cycle > (place - 1) * joins // cycle
        )


@dataclass(frozen=True)
class Clocks:
    """The polls of a whole swarm; see the module docstring for the words."""

    timings: tuple[Timing, ...]
    """All endpoints, in the file's order."""
    clients: int
    """Devices in the swarm, numbered 0 .. clients - 1."""
    interval_s: float
    """Length of a round of the endpoints with a share."""
    phase: Phase
    """Where a device stands within each clock's interval, and within its cycle of shares."""
    pacing: Pacing
    """`fixed`: rounds are due by the clock. `after`: an interval after the end of the round before."""
    seed: int
    """Chooses the random phases."""
    warmup_s: float
    """How long before the measured window round 1 begins."""
    window_s: float
    """Length of the measured window."""
    ramp_up_s: float = 0.0
    """Seconds over which the devices join, one after the other."""
    jitter_s: float = 0.0
    """Seconds by which a round is later than its clock has it, at most; at random, at most the shortest interval."""

    def __post_init__(self) -> None:
        shortest = min(clock.interval_s for clock in self.clocks)
        if self.jitter_s > shortest:
            raise ParameterError(
                f"jitter_ms={self.jitter_s * 1000:g} is longer than the shortest interval, {shortest * 1000:g} ms: rounds "
                "would overtake each other; make it shorter."
            )

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks of a device, by the first endpoint on each in the file's order."""
        shares = [(place, one.share) for place, one in enumerate(self.timings) if one.share]
        own = [
            Clock((place,), one.every_s, (1,), 1, one.name)
            for place, one in enumerate(self.timings)
            if one.every_s is not None
        ]
        return tuple(sorted([*_of_shares(shares, self.interval_s), *own], key=lambda clock: clock.endpoints))

    def offset(self, client: int, clock: Clock) -> float:
        """Seconds in [0, interval) by which this device's rounds on a clock start after the swarm's."""
        if self.phase == "together":
            return 0.0
        if self.phase == "spread":
            return client / self.clients * clock.interval_s
        if clock.key is None:
            return chance.unit(chance.device_state(self.seed, 2 * client)) * clock.interval_s
        return chance.unit(chance.endpoint_state(self.seed, client, clock.key, _CLOCK_PLACE)) * clock.interval_s

    def cycle_start(self, client: int, clock: Clock) -> int:
        """Rounds in [0, cycle_rounds) that this device's cycle is ahead of the swarm's."""
        if self.phase == "together" or clock.key is not None:
            return 0
        if self.phase == "spread":
            return client % clock.cycle_rounds
        return int(chance.unit(chance.device_state(self.seed, 2 * client + 1)) * clock.cycle_rounds)

    def first_due(self, client: int, clock: Clock) -> float:
        """When round 1 of this device on a clock is due (<= 0 with warm-up, unless the interval is longer than that)."""
        joined = client / self.clients * self.ramp_up_s if self.ramp_up_s else 0.0
        return self.offset(client, clock) + joined - self.warmup_s

    def late(self, client: int, clock: Clock, round_: int) -> float:
        """By how many seconds a round is later than its clock has it: jitter."""
        if not self.jitter_s:
            return 0.0
        state = chance.endpoint_state(self.seed, client, clock.key or "", _JITTER_PLACE)
        return self.jitter_s * chance.unit((state + round_ * chance.STEP) & chance.MASK)

    def due(self, client: int, clock: Clock, round_: int) -> float:
        """When a round is due under `fixed` pacing: first_due + (round - 1) x interval + jitter, in whole ticks."""
        late = self.late(client, clock, round_)
        return on_tick(self.first_due(client, clock) + (round_ - 1) * clock.interval_s + late)

    def polled(self, client: int, clock: Clock, round_: int) -> tuple[int, ...]:
        """The endpoints that a device polls in a round, by their place in the file, in that order."""
        return clock.polled(round_ + self.cycle_start(client, clock))

    def rounds_before(self, client: int, clock: Clock, offset_s: float) -> int:
        """How many rounds of this device on a clock are due before `offset_s`, under `fixed` pacing."""
        count = max(0, math.ceil((offset_s - self.first_due(client, clock)) / clock.interval_s))
        # The division may round across a boundary that `due` itself does not cross; `due` decides.
        while count > 0 and self.due(client, clock, count) >= offset_s:
            count -= 1
        while self.due(client, clock, count + 1) < offset_s:
            count += 1
        return count

    def measured_rounds(self, client: int, clock: Clock, until_s: float | None = None) -> range:
        """The rounds on a clock that belong to the measured window, or to its part before `until_s`."""
        end = self.window_s if until_s is None else until_s
        return range(self.rounds_before(client, clock, 0.0) + 1, self.rounds_before(client, clock, end) + 1)

    def planned(self, client: int, until_s: float | None = None) -> dict[str, int]:
        """How many polls of each endpoint this device has in the measured window, under `fixed` pacing."""
        counts = {one.name: 0 for one in self.timings}
        for clock in self.clocks:
            rounds = self.measured_rounds(client, clock, until_s)
            ahead, cycle = self.cycle_start(client, clock), clock.cycle_rounds
            for endpoint, joins in zip(clock.endpoints, clock.joins_per_cycle, strict=True):
                polled = (rounds.stop - 1 + ahead) * joins // cycle - (rounds.start - 1 + ahead) * joins // cycle
                counts[self.timings[endpoint].name] = polled
        return counts

    @property
    def polls_per_s(self) -> float:
        """Polls a second that the swarm asks for in the long run, all endpoints together."""
        return self.clients * math.fsum(
            sum(clock.joins_per_cycle) / clock.cycle_rounds / clock.interval_s for clock in self.clocks
        )

    def schedule(self, client: int) -> Iterator[tuple[float, int, int]]:
        """(due, endpoint, k) of a device whose polls take no time, in the order in which it makes them; without end."""
        agenda = Agenda(self, client)
        while True:
            yield agenda.due, agenda.endpoint, agenda.round
            agenda.ended(agenda.due)


class Agenda:
    """What one device does next, without I/O and without a clock: the earliest due, and of several the file's first."""

    __slots__ = ("_fixed", "_now", "_tracks")

    def __init__(self, clocks: Clocks, client: int) -> None:
        self._fixed = clocks.pacing == "fixed"
        self._tracks = [_Track(clocks, clock, client) for clock in clocks.clocks]
        self._now = min(self._tracks, key=_order)

    @property
    def due(self) -> float:
        """When the next poll is due, in seconds from the start of the measured window."""
        return self._now.due

    @property
    def round_due(self) -> float:
        """When the first poll of its round was due; the window that it belongs to is decided by this."""
        return self._now.round_due

    @property
    def endpoint(self) -> int:
        """The endpoint of the next poll, by its place in the file."""
        return self._now.polled[self._now.place]

    @property
    def round(self) -> int:
        """Its round on its endpoint's clock, from 1."""
        return self._now.round

    def ended(self, done_s: float, *, wait_s: float | None = None) -> None:
        """The poll that was due has ended, well or badly: goes on to the next one.

        Args:
            done_s: when it ended, in seconds from the start of the measured window.
            wait_s: what the answer said of when to poll next; the round after is then due so long after the end.
        """
        self._now.ended(done_s, wait_s, self._fixed)
        if len(self._tracks) > 1:
            self._now = min(self._tracks, key=_order)


class _Track:
    """Where a device stands on one clock."""

    __slots__ = (
        *("_ahead", "_client", "_clock", "_clocks", "_first_due", "_wait_s"),
        *("due", "place", "polled", "round", "round_due"),
    )

    def __init__(self, clocks: Clocks, clock: Clock, client: int) -> None:
        self._clock, self._clocks, self._client = clock, clocks, client
        self._first_due = clocks.first_due(client, clock)
        self._ahead = clocks.cycle_start(client, clock)
        self._wait_s: float | None = None
        self.round = self.place = 0
        self.due = self.round_due = 0.0
        self.polled: tuple[int, ...] = ()
        self._begin(self._due())

    def ended(self, done_s: float, wait_s: float | None, fixed: bool) -> None:
        if wait_s is not None:
            self._wait_s = wait_s
        self.place += 1
        if self.place < len(self.polled):
            self.due = done_s
        elif self._wait_s is not None:
            self._begin(on_tick(done_s + self._wait_s))
        elif fixed:
            self._begin(self._due())
        else:
            self._begin(on_tick(done_s + self._clock.interval_s))

    def _due(self) -> float:
        """When the round after this one is due by the clock; the closed form of `Clocks.due`."""
        late = self._clocks.late(self._client, self._clock, self.round + 1) if self._clocks.jitter_s else 0.0
        return on_tick(self._first_due + self.round * self._clock.interval_s + late)

    def _begin(self, due: float) -> None:
        self.round += 1
        self.due = self.round_due = due
        self.place = 0
        self._wait_s = None
        self.polled = self._clock.polled(self.round + self._ahead)


def _order(track: _Track) -> tuple[float, int]:
    return track.due, track.polled[track.place]


def _of_shares(shares: Sequence[tuple[int, int]], interval_s: float) -> list[Clock]:
    """The clock of the endpoints with a share, if there are any."""
    if not shares:
        return []
    divisor = math.gcd(*(share for _, share in shares))
    joins = tuple(share // divisor for _, share in shares)
    return [Clock(tuple(place for place, _ in shares), interval_s, joins, max(joins), None)]
