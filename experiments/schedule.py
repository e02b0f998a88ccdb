"""Which poll of which device is due when, for any number of endpoints: pure arithmetic, no clock and no I/O.

A device has one or more clocks. Endpoints with a *share* live together in rounds of one interval: the one with the largest
share (the first, if several have it) is polled in every round, each other one joins in the rounds that keep its exact
proportion to that one, and within a round the order of the endpoints holds. The first poll of a round is due by the schedule
alone, each following one when the poll before it ended. An endpoint with *every_s* has a clock of its own.

Everything is a closed form of (client, endpoint, k), k = 1, 2, 3 ... being the round on that endpoint's clock, so a plan is
the same however its devices are spread over generators, and can be made again from a record years later. The ratio of the
article, A : B, is two endpoints with shares.

All times are seconds; offsets count from the start of the measured window, so that warm-up rounds are due below zero.
Instants are whole ticks of `TICK_S`, the resolution of the record, so that a plan and its record agree to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

from experiments import chance, turns
from experiments.errors import ParameterError

Endpoint = str
"""The name of an endpoint."""
Phase = Literal["random", "spread", "together"]
Pacing = Literal["fixed", "after"]

TICK_S = 2.0**-22
"""Resolution of instants: 0.24 us. Finer bits are the clock's noise, and cost 8 of 20 bytes per poll on disk."""

TICKS_PER_S = 2.0**22
_floor = math.floor
_MOST_KNOWN = 1000
"""Rounds of a cycle that are written down."""
_CLOCK_PLACE = 1 << 32
"""Place of a clock's phase among the random figures of an endpoint: beyond any place of a template."""
_JITTER_PLACE = 2 << 32
"""Where its jitter begins."""


def on_tick(seconds: float) -> float:
    """The nearest whole tick."""
    return _floor(seconds * TICKS_PER_S + 0.5) * TICK_S


@dataclass(frozen=True)
class Timing:
    """How often one endpoint is polled; exactly one of `share` and `every_s` is set."""

    name: str
    """The endpoint, as the file calls it."""
    share: int | None = None
    """How often beside the other endpoints with a share, 0 for never."""
    every_s: float | None = None
    """Seconds between two polls, on a clock of its own."""
    told: bool = False
    """Whether its answers may say when the next round is due."""


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
    told: bool = False
    """Whether answers may say when its next round is due, so that nothing but the record knows when it was."""

    def polled(self, place: int) -> tuple[int, ...]:
        """The endpoints of a round, `place` being the round counted in the device's own cycle.

        An endpoint is polled where floor(place x joins / cycle) steps up: for 3 of 10 in places 4, 7, 10, 14 ...
        """
        # PERF: looked up, 0.1 us instead of 2; a device asks this in every round.
        known = self.pattern
        return known[place % len(known)] if known else self._polled(place)

    @cached_property
    def pattern(self) -> tuple[tuple[int, ...], ...]:
        """The endpoints of each place of a cycle; empty where a cycle is too long to be written down."""
        return tuple(map(self._polled, range(self.cycle_rounds))) if self.cycle_rounds <= _MOST_KNOWN else ()

    def _polled(self, place: int) -> tuple[int, ...]:
        cycle = self.cycle_rounds
        return tuple(
            endpoint
            for endpoint, joins in zip(self.endpoints, self.joins_per_cycle, strict=True)
            if place * joins // cycle > (place - 1) * joins // cycle
        )


@dataclass(frozen=True)
class Plan:
    """The polls of a whole swarm; see the module docstring for the words."""

    clients: int
    """Devices in the swarm, numbered 0 .. clients - 1."""
    interval_s: float
    """Length of a round of the endpoints with a share."""
    timings: tuple[Timing, ...]
    """All endpoints, in the file's order; dicts, as JSON has them, are taken for what they say."""
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
    systems: int = 1
    """How many servers are polled: the devices are divided evenly among them; see `turns`."""
    halves: bool = False
    """Whether each server has a turn of its own within the shortest interval; else all are polled at any time."""
    piece_rounds: int = 0
    """With several servers: shortest intervals in a piece of time, over which they are compared."""

    def __post_init__(self) -> None:
        timings = tuple(one if isinstance(one, Timing) else Timing(**one) for one in self.timings)
        object.__setattr__(self, "timings", timings)
        shortest = self.shortest_s
        if self.halves:
            self._check_turns()
        if self.jitter_s > shortest:
            raise ParameterError(
                f"jitter_ms={self.jitter_s * 1000:g} is longer than the shortest interval, {shortest * 1000:g} ms: rounds "
                "would overtake each other; make it shorter."
            )

    def _check_turns(self) -> None:
        turn_s = self.shortest_s / self.systems
        whole = all((clock.interval_s / self.shortest_s).is_integer() for clock in self.clocks)
        why = (
            "a round's due time depends on how the one before went"
            if not all(map(self.follows_the_clock, self.clocks))
            else f"the intervals of its endpoints are no whole multiples of the shortest, {self.shortest_s * 1000:g} ms"
            if not whole
            else f"jitter_ms={self.jitter_s * 1000:g} is longer than a turn, {turn_s * 1000:g} ms"
            if self.jitter_s > turn_s
            else ""
        )
        if why:
            raise ParameterError(f"beside_split='halves' gives each server its turn, but {why}: set beside_split='mixed'.")

    @classmethod
    def of_ratio(
        cls,
        clients: int,
        interval_s: float,
        status_weight: int,
        bulk_weight: int,
        phase: Phase,
        pacing: Pacing,
        seed: int,
        warmup_s: float,
        window_s: float,
    ) -> Self:
        """The article's plan: `status` is polled `status_weight` times for every `bulk_weight` polls of `bulk`."""
        timings = (Timing("status", status_weight), Timing("bulk", bulk_weight))
        return cls(clients, interval_s, timings, phase, pacing, seed, warmup_s, window_s)

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """The names of all endpoints, in the file's order."""
        return tuple(one.name for one in self.timings)

    @property
    def ever_polled(self) -> tuple[str, ...]:
        """The endpoints that are polled at all: a share may be 0."""
        return tuple(name for name, rate in self.rates.items() if rate)

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks of a device, by the first endpoint on each in the file's order."""
        shares = [(place, one.share) for place, one in enumerate(self.timings) if one.share]
        told = any(one.told for one in self.timings if one.share)
        own = [
            Clock((place,), one.every_s, (1,), 1, one.name, one.told)
            for place, one in enumerate(self.timings)
            if one.every_s is not None
        ]
        return tuple(sorted([*_of_shares(shares, self.interval_s, told), *own], key=lambda clock: clock.endpoints))

    @cached_property
    def shortest_s(self) -> float:
        """The shortest interval of all clocks."""
        return min(clock.interval_s for clock in self.clocks)

    def clock_of(self, endpoint: str) -> Clock:
        """The clock on which an endpoint is polled.

        Raises:
            KeyError: it is never polled.
        """
        place = self.endpoints.index(endpoint)
        try:
            return next(clock for clock in self.clocks if place in clock.endpoints)
        except StopIteration:
            raise KeyError(endpoint) from None

    def follows_the_clock(self, clock: Clock) -> bool:
        """Whether the plan alone says when the rounds on a clock are due; else each depends on how the one before went."""
        return self.pacing == "fixed" and not clock.told

    def offset(self, client: int, clock: Clock) -> float:
        """Seconds in [0, interval) by which this device's rounds on a clock start after the swarm's.

        With turns, as if its server always had the first one.
        """
        stands = self._stands(client, clock)
        if not self.halves:
            return stands * clock.interval_s
        turn, within = divmod(stands * round(clock.interval_s / self.shortest_s), 1.0)
        return (turn + within / self.systems) * self.shortest_s

    def _stands(self, client: int, clock: Clock) -> float:
        """Where in [0, 1) of an interval a device stands; with turns, all devices of a group stand alike in theirs."""
        if self.phase == "together":
            return 0.0
        client = turns.group_of(client, self.systems) if self.halves else client
        if self.phase == "spread":
            return client / self.clients
        if clock.key is None:
            return chance.unit(chance.device_state(self.seed, 2 * client))
        return chance.unit(chance.endpoint_state(self.seed, client, clock.key, _CLOCK_PLACE))

    def cycle_start(self, client: int, clock: Clock) -> int:
        """Rounds in [0, cycle_rounds) that this device's cycle is ahead of the swarm's; alike for all devices of a group,
        so that in each round all servers are asked the same.
        """
        if self.phase == "together" or clock.key is not None:
            return 0
        if self.phase == "spread":
            return client // self.systems % clock.cycle_rounds
        client = turns.group_of(client, self.systems)
        return int(chance.unit(chance.device_state(self.seed, 2 * client + 1)) * clock.cycle_rounds)

    def first_due(self, client: int, clock: Clock) -> float:
        """When round 1 of this device on a clock is due (<= 0 with warm-up, unless the interval is longer than that)."""
        return self.offset(client, clock) + self._joined(client) - self.warmup_s

    def _joined(self, client: int) -> float:
        """Seconds after the swarm's start at which a device joins; whole intervals where servers have turns."""
        joined = client / self.clients * self.ramp_up_s if self.ramp_up_s else 0.0
        return joined // self.shortest_s * self.shortest_s if self.halves else joined

    @property
    def shifts(self) -> bool:
        """Whether rounds are later than their clocks have them; by `late`."""
        return self.halves or bool(self.jitter_s)

    def late(self, client: int, clock: Clock, round_: int) -> float:
        """By how many seconds a round is later than its clock has it: its server's turn, and jitter."""
        turn_s = self._turn_s(client, clock, round_) if self.halves else 0.0
        if not self.jitter_s:
            return turn_s
        state = self.jitter_state(client, clock)
        return turn_s + self.jitter_s * chance.unit((state + round_ * chance.STEP) & chance.MASK)

    def jitter_state(self, client: int, clock: Clock) -> int:
        """Where the figures of a device's jitter on a clock begin: that of round k stands k steps further."""
        return chance.endpoint_state(self.seed, client, clock.key or "", _JITTER_PLACE)

    def _turn_s(self, client: int, clock: Clock, round_: int) -> float:
        """When in the shortest interval the turn of a device's server begins, in the piece to which a round belongs."""
        a_round = round(clock.interval_s / self.shortest_s)
        piece = ((round_ - 1) * a_round + self.intervals_ahead(client, clock)) // self.piece_rounds
        return self.turn_s(piece, self.system(client))

    def intervals_ahead(self, client: int, clock: Clock) -> int:
        """Shortest intervals from the start of the first piece to this device's round 1 on a clock."""
        a_round = round(clock.interval_s / self.shortest_s)
        joined = round(self._joined(client) / self.shortest_s)
        ahead = int(self._stands(client, clock) * a_round) if a_round > 1 else 0
        return ahead + joined - self._warm_rounds

    def turn_s(self, piece: int, system: int) -> float:
        """When in the shortest interval the turn of a server begins, in a piece."""
        return turns.turn_of(self.seed, piece, system, self.systems) * self.shortest_s / self.systems

    def system(self, client: int) -> int:
        """The server that a device polls, from 0."""
        return turns.system_of(self.seed, client, self.systems) if self.systems > 1 else 0

    @property
    def system_of_each(self) -> list[int]:
        """The same of all devices; empty with one server."""
        return [self.system(client) for client in range(self.clients)] if self.systems > 1 else []

    @cached_property
    def _warm_rounds(self) -> int:
        """Shortest intervals that begin before the window."""
        return math.ceil(self.warmup_s / self.shortest_s - 1e-9)

    def borders(self, until_s: float) -> list[float]:
        """Where pieces begin and end, within the window's part before `until_s`; empty with one server.

        A piece begins with an interval, which may be a little after the window does.
        """
        if self.systems < 2:
            return []
        first_s = self._warm_rounds * self.shortest_s - self.warmup_s
        count = math.floor((until_s - first_s) / (self.piece_rounds * self.shortest_s) + 1e-9)
        return [on_tick(first_s + number * self.piece_rounds * self.shortest_s) for number in range(count + 1)]

    def due(self, client: int, clock: Clock, round_: int) -> float:
        """When a round is due under `fixed` pacing: first_due + (round - 1) x interval + jitter, in whole ticks."""
        late = self.late(client, clock, round_)
        return on_tick(self.first_due(client, clock) + (round_ - 1) * clock.interval_s + late)

    def polled(self, client: int, clock: Clock, round_: int) -> tuple[int, ...]:
        """The endpoints that a device polls in a round, by their place in the file, in that order."""
        return clock.polled(round_ + self.cycle_start(client, clock))

    def named(self, client: int, clock: Clock, round_: int) -> tuple[str, ...]:
        """The same by their names."""
        return tuple(self.endpoints[place] for place in self.polled(client, clock, round_))

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

    @cached_property
    def rates(self) -> dict[str, float]:
        """Polls a second that the swarm asks for in the long run, by endpoint; 0 for one that is never polled."""
        rates = dict.fromkeys(self.endpoints, 0.0)
        for clock in self.clocks:
            for endpoint, joins in zip(clock.endpoints, clock.joins_per_cycle, strict=True):
                rates[self.endpoints[endpoint]] = self.clients / clock.interval_s * (joins / clock.cycle_rounds)
        return rates

    @property
    def polls_per_s(self) -> float:
        """Polls a second that the swarm asks for in the long run, all endpoints together."""
        return math.fsum(self.rates.values())

    def shard(self, index: int, count: int) -> range:
        """The devices of generator `index` of `count`: every count-th one, so that phases stay evenly mixed."""
        return range(index, self.clients, count)


def _of_shares(shares: Sequence[tuple[int, int]], interval_s: float, told: bool) -> list[Clock]:
    """The clock of the endpoints with a share, if there are any."""
    if not shares:
        return []
    divisor = math.gcd(*(share for _, share in shares))
    joins = tuple(share // divisor for _, share in shares)
    return [Clock(tuple(place for place, _ in shares), interval_s, joins, max(joins), None, told)]
