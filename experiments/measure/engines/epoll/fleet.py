"""The devices of a shard as arrays: what each asks, and where it stands in its course.

A plan and pollers in, arrays for the compiled loop out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from experiments import chance
from experiments.agenda import Agenda
from experiments.measure.engines.device import Course
from experiments.measure.engines.epoll.arrays import (
    ALWAYS_FAST,
    ASK,
    CLOCK,
    DEVICE,
    JOIN,
    KIND,
    NEVER_FAST,
    STATUSES,
    TRACK,
    UNLESS_COMPARED,
    WAITING,
    Record,
    Records,
    address,
)  # fmt: skip
from experiments.record.schema import Outcome
from experiments.schedule import Plan
from experiments.target.answers.checks import Checks
from experiments.target.poller import Poller

_HEAD_BYTES = 512
"""What is kept at first of a head whose body has not come yet."""
_MOST = 2**62


class Fleet:
    """The arrays of `loop.step`; places are those of `clients`.

    Args:
        clients: numbers of the devices.
        pollers: what each asks, by endpoint.
    """

    def __init__(self, course: Course, clients: range, pollers: Sequence[tuple[Poller, ...]]) -> None:
        self.pollers = pollers
        plan, count = course.plan, len(clients)
        self.clocks, self.joins = _clocks(plan)
        self.devices = np.zeros(count, DEVICE)
        self.tracks = np.zeros((count, len(plan.clocks)), TRACK)
        self._begin(course, clients)
        self.asks = np.zeros((count, len(plan.endpoints)), ASK)
        self._ask()
        self.heap = np.zeros(count, WAITING)
        self.heads = np.empty((count, _HEAD_BYTES), "u1")
        self.tally = np.zeros(len(Outcome), "i8")

    def tell(self, shared: Record, course: Course) -> None:
        """Says what all devices share of the plan, and that each waits for its first poll."""
        plan = course.plan
        shared["start_at"], shared["close_at"] = course.start_at, course.close_at
        shared["fixed"], shared["jitter_s"] = plan.pacing == "fixed", plan.jitter_s
        if plan.halves:
            shared["halves"], shared["systems"], shared["piece_rounds"] = 1, plan.systems, plan.piece_rounds
            shared["shortest_s"] = plan.shortest_s
            # Before the first round of all, so that no number of a block is below zero.
            shared["first_block"] = first = int(self.tracks["begins"].min()) // plan.piece_rounds // plan.systems
            shared["turns"] = chance.device_state(plan.seed, first)
        self.wait(shared, np.arange(len(self.devices)))

    def wait(self, shared: Record, places: Records) -> None:
        """Makes these devices, which are idle, the ones that wait for their next poll; no other does."""
        idle = self.devices[places]
        ready = np.maximum(idle["due"], idle["free_at"])
        order = np.lexsort((places, ready))  # What is in order is a heap.
        shared["waiting"] = len(places)
        self.heap["ready"][: len(places)] = ready[order]
        self.heap["device"][: len(places)] = places[order]

    def look_again(self, place: int, endpoint: int) -> None:
        """A poll of this endpoint has ended, from which its device may have learned what a right answer is."""
        ask = self.asks[place, endpoint]
        if ask["fast"] == NEVER_FAST:
            ask["fast"] = _fast(self.pollers[place][endpoint])

    def widen(self, head_bytes: int) -> None:
        """Makes room for heads of that length."""
        if head_bytes > (before := self.heads.shape[1]):
            wider = np.empty((len(self.heads), 1 << (head_bytes - 1).bit_length()), "u1")
            wider[:, :before] = self.heads
            self.heads = wider

    def _begin(self, course: Course, clients: range) -> None:
        """Puts each device where `Agenda` has it before its first poll."""
        plan = course.plan
        for device, tracks, client in zip(self.devices, self.tracks, clients, strict=True):
            agenda = Agenda(plan, client)
            for t, track, begin in zip(tracks, agenda.tracks, self.clocks["begin"], strict=True):
                clock = track.clock
                t["first_due"], t["ahead"] = plan.first_due(client, clock), plan.cycle_start(client, clock)
                t["round"], t["endpoint"] = track.round, track.endpoint
                t["at"] = begin + clock.endpoints.index(track.endpoint)
                t["due"] = t["round_due"] = track.due
                t["wait_s"] = math.nan
                t["chance"] = plan.jitter_state(client, clock) if plan.jitter_s else 0
                if plan.halves:
                    t["system"], t["begins"] = plan.system(client), plan.intervals_ahead(client, clock)
            now = agenda.now
            device["client"], device["track"] = client, agenda.tracks.index(now)
            device["round"], device["endpoint"] = now.round, now.endpoint
            device["due"] = device["first_due"] = course.start_at + now.due
        self.devices["free_at"] = -math.inf
        self.devices["fd"] = -1

    def _ask(self) -> None:
        """What is sent, one copy for all who send the same."""
        known: dict[bytes, int] = {}
        kinds: dict[Checks, int] = {}
        length = 0
        for asks, pollers in zip(self.asks, self.pollers, strict=True):
            for endpoint, poller in enumerate(pollers):
                ask = asks[endpoint]
                wire = poller.always or b""
                if wire not in known:
                    known[wire] = length
                    length += len(wire)
                ask["at"], ask["size"], ask["fast"] = known[wire], len(wire), _fast(poller)
                ask["kind"] = kinds.setdefault(poller.kind.checks, len(kinds))
        self._wires = np.frombuffer(b"".join(known), "u1")
        self.asks["at"] += np.uint64(address(self._wires))
        self.kinds = np.zeros(max(1, len(kinds)), KIND)
        for kind, checks in zip(self.kinds, kinds, strict=False):
            statuses, low, high = checks.plain or (frozenset(), 0, 0)
            kind["low"], kind["high"] = math.ceil(low), _MOST if high == math.inf else math.floor(high)
            kind["right"][[status for status in statuses if 0 <= status < STATUSES]] = 1


def _fast(poller: Poller) -> int:
    if poller.always is None or poller.plain is None:
        return NEVER_FAST
    return UNLESS_COMPARED if poller.looks(compare=True) else ALWAYS_FAST


def _clocks(plan: Plan) -> tuple[Records, Records]:
    """The clocks of a plan, and their endpoints one after the other."""
    clocks, joins = np.zeros(len(plan.clocks), CLOCK), np.zeros(sum(len(one.endpoints) for one in plan.clocks), JOIN)
    ends = [*accumulate(len(one.endpoints) for one in plan.clocks)]
    for record, clock, end in zip(clocks, plan.clocks, ends, strict=True):
        begin = end - len(clock.endpoints)
        record["begin"], record["end"] = begin, end
        record["interval_s"], record["cycle"] = clock.interval_s, clock.cycle_rounds
        record["planned"] = plan.follows_the_clock(clock)
        record["shortest"] = round(clock.interval_s / plan.shortest_s)
        joins["endpoint"][begin:end], joins["joins"][begin:end] = clock.endpoints, clock.joins_per_cycle
    return clocks, joins
