"""Which poll of which device is due when: pure arithmetic, no clock and no I/O.

A device lives in rounds 1, 2, 3 ... of one interval each. In every round it polls the endpoint that the ratio names more
often (the primary); the other one (the secondary) joins in the rounds that keep the exact proportion. Everything is a
closed form of (client, round), so a plan is the same however its devices are spread over generators, and can be made
again from a record's scenario years later.

All times are seconds; offsets count from the start of the measured window, so that warm-up rounds are due below zero.
Instants are whole ticks of `TICK_S`, the resolution of the record, so that a plan and its record agree to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Endpoint = Literal["status", "bulk"]
Phase = Literal["random", "spread", "together"]
Pacing = Literal["fixed", "after"]

TICK_S = 2.0**-22
"""Resolution of instants: 0.24 us. Finer bits are the clock's noise, and cost 8 of 20 bytes a poll on disk."""

TICKS_PER_S = 2.0**22
_floor = math.floor
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Plan:
    """The polls of a whole swarm; see the module docstring for the words."""

    clients: int
    """Devices in the swarm, numbered 0 .. clients - 1."""
    interval_s: float
    """Length of a round."""
    status_weight: int
    """How often A is polled for every `bulk_weight` polls of B; 0 for never."""
    bulk_weight: int
    phase: Phase
    """Where a device stands within the interval, and within its ratio cycle."""
    pacing: Pacing
    """`fixed`: rounds are due by the clock. `after`: an interval after the end of the round before."""
    seed: int
    """Chooses the random phases."""
    warmup_s: float
    """How long before the measured window round 1 begins."""
    window_s: float
    """Length of the measured window."""

    @cached_property
    def primary(self) -> Endpoint:
        """The endpoint polled in every round; A where both are equally frequent."""
        return "status" if self.status_weight >= self.bulk_weight else "bulk"

    @property
    def polled(self) -> tuple[Endpoint, ...]:
        """The endpoints that are polled at all, A before B."""
        weights: tuple[tuple[Endpoint, int], ...] = (("status", self.status_weight), ("bulk", self.bulk_weight))
        return tuple(endpoint for endpoint, weight in weights if weight)

    @cached_property
    def _weights(self) -> tuple[int, int]:
        """(secondary, primary) weights in lowest terms: the secondary joins `secondary` of `primary` rounds."""
        low, high = sorted((self.status_weight, self.bulk_weight))
        divisor = math.gcd(low, high)
        return low // divisor, high // divisor

    @property
    def cycle_rounds(self) -> int:
        """Rounds after which the pattern of endpoints repeats (10 for 10:1)."""
        return self._weights[1]

    @property
    def joins_per_cycle(self) -> int:
        """Rounds of a cycle in which the secondary endpoint joins (1 for 10:1)."""
        return self._weights[0]

    def offset(self, client: int) -> float:
        """Seconds in [0, interval_s) by which this device's rounds start after the swarm's."""
        if self.phase == "together":
            return 0.0
        if self.phase == "spread":
            return client / self.clients * self.interval_s
        return _unit_interval(self.seed, 2 * client) * self.interval_s

    def cycle_start(self, client: int) -> int:
        """Rounds in [0, cycle_rounds) that this device's ratio cycle is ahead of the swarm's."""
        if self.phase == "together":
            return 0
        if self.phase == "spread":
            return client % self.cycle_rounds
        return int(_unit_interval(self.seed, 2 * client + 1) * self.cycle_rounds)

    def first_due(self, client: int) -> float:
        """When round 1 of this device is due, in seconds from the start of the measured window (<= 0 with warm-up)."""
        return self.offset(client) - self.warmup_s

    def due(self, client: int, round_: int) -> float:
        """When `round_` is due under `fixed` pacing: first_due + (round - 1) x interval, in whole ticks."""
        return on_tick(self.first_due(client) + (round_ - 1) * self.interval_s)

    def joins(self, client: int, round_: int) -> bool:
        """Whether the secondary endpoint is polled in this round too.

        It joins when floor(r x low / high) steps up, r being the round counted in the device's own cycle: for 10:3 in
        rounds 4, 7, 10, 14 ...
        """
        low, high = self._weights
        place = round_ + self.cycle_start(client)
        return place * low // high > (place - 1) * low // high

    def endpoints(self, client: int, round_: int) -> tuple[Endpoint, ...]:
        """What the device polls in this round, in the order in which it polls: A before B."""
        return ("status", "bulk") if self.joins(client, round_) else (self.primary,)

    def rounds_before(self, client: int, offset_s: float) -> int:
        """How many rounds of this device are due before `offset_s`, under `fixed` pacing."""
        count = max(0, math.ceil((offset_s - self.first_due(client)) / self.interval_s))
        # The division may round across a boundary that `due` itself does not cross; `due` decides.
        while count > 0 and self.due(client, count) >= offset_s:
            count -= 1
        while self.due(client, count + 1) < offset_s:
            count += 1
        return count

    def measured_rounds(self, client: int, until_s: float | None = None) -> range:
        """The rounds that belong to the measured window (or to its part before `until_s`), under `fixed` pacing."""
        end = self.window_s if until_s is None else until_s
        return range(self.rounds_before(client, 0.0) + 1, self.rounds_before(client, end) + 1)

    def planned(self, client: int, until_s: float | None = None) -> dict[Endpoint, int]:
        """How many polls of each endpoint this device has in the measured window, under `fixed` pacing."""
        rounds = self.measured_rounds(client, until_s)
        low, high = self._weights
        ahead = self.cycle_start(client)
        joined = (rounds.stop - 1 + ahead) * low // high - (rounds.start - 1 + ahead) * low // high
        if self.primary == "status":
            return {"status": len(rounds), "bulk": joined}
        return {"status": joined, "bulk": len(rounds)}

    @property
    def polls_per_s(self) -> float:
        """Polls a second that the swarm asks for in the long run, both endpoints together."""
        return self.clients / self.interval_s * (1 + self.joins_per_cycle / self.cycle_rounds)

    def shard(self, index: int, count: int) -> range:
        """The devices of generator `index` of `count`: every count-th one, so that phases stay evenly mixed."""
        return range(index, self.clients, count)


def on_tick(seconds: float) -> float:
    """The nearest whole tick."""
    return _floor(seconds * TICKS_PER_S + 0.5) * TICK_S


def _unit_interval(seed: int, number: int) -> float:
    """A uniform figure in [0, 1) that depends on (seed, number) alone.

    Source: SplitMix64, Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    """
    z = (seed * 0xD1342543DE82EF95 + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53
