"""The compiled course of a device is that of every other engine's, to the last bit."""

import math
import time
from random import Random

import numba
import numpy as np
import pytest

from experiments.measure.engines.device import Course, Device
from experiments.measure.engines.epoll import loop
from experiments.measure.engines.epoll.arrays import Room
from experiments.measure.engines.epoll.course import pop
from experiments.measure.engines.epoll.fleet import Fleet
from experiments.measure.engines.epoll.rows import FlatRows
from experiments.measure.engines.judge import Judgement
from experiments.record.rows import RowBuffer
from experiments.record.schema import Outcome
from experiments.schedule import Plan, Timing

SHARES = (Timing("a", 7), Timing("b", 3), Timing("c", 2))
CLOCKS = (*SHARES, Timing("d", every_s=0.37), Timing("e", every_s=1.1))
TOLD = (Timing("a", 3), Timing("b", 1), Timing("f", every_s=0.5, told=True))


def plans() -> list[Plan]:
    """Every way in which rounds come to be due."""
    some = [
        Plan(5, 0.3, timings, phase, pacing, seed, 0.7, 6.0, ramp_up_s=ramp_up_s, jitter_s=jitter_s)
        for seed, (timings, phase, pacing, ramp_up_s, jitter_s) in enumerate(
            [
                (SHARES, "random", "fixed", 0.0, 0.0),
                (SHARES, "spread", "after", 0.0, 0.0),
                (CLOCKS, "together", "fixed", 0.0, 0.0),
                (CLOCKS, "random", "after", 2.0, 0.0),
                (TOLD, "random", "fixed", 0.0, 0.0),
                (CLOCKS, "random", "fixed", 1.5, 0.25),
                (SHARES, "spread", "fixed", 0.0, 0.3),
                ((Timing("a", 999_983), Timing("b", 1)), "random", "fixed", 0.0, 0.0),
            ]
        )
    ]
    turns = [
        Plan(6, 0.3, SHARES, "random", "fixed", 8, 1.0, 6.0, systems=2, halves=True, piece_rounds=3),
        Plan(7, 0.25, (*SHARES, Timing("d", every_s=0.75)), "spread", "fixed", 9, 0.7, 6.0, 1.3, 0.05, systems=3,
             halves=True, piece_rounds=2),
        Plan(6, 0.3, SHARES, "random", "after", 10, 1.0, 6.0, systems=2, piece_rounds=3),
    ]  # fmt: skip
    return some + turns


@pytest.mark.parametrize("plan", plans(), ids=[str(one.seed) for one in plans()])
def test_both_walk_the_same_way(plan: Plan) -> None:
    """Rows, the next poll of each device and what was never sent are the same, however long answers take."""
    loop.prepare()
    start_at = time.monotonic() + 0.123456789
    told, flat = (Course(plan, start_at, RowBuffer(start_at)) for _ in range(2))
    devices = [Device(told, client, ()) for client in range(plan.clients)]
    room = Room()
    shared = room.shared(0)
    fleet = Fleet(flat, range(plan.clients), [()] * plan.clients)
    fleet.tell(shared[0], flat)
    rows = flat.rows = FlatRows(shared[0])
    shared[0]["in_flight"] = 10**6
    random = Random(plan.seed)
    for _ in range(400):
        held = fleet.heap[: shared[0]["waiting"]]
        soonest = held[np.lexsort((held["device"], held["ready"]))[0]]["device"]
        place = int(first(shared, fleet.heap))
        assert place == soonest
        device, record = devices[place], fleet.devices[place]
        assert (device.round, device.number, device.place) == (record["round"], record["endpoint"], record["place"])
        assert (device.due, device.first_due, device.free_at) == (record["due"], record["first_due"], record["free_at"])
        sent = max(device.due, device.free_at) + random.choice([0.0, 1e-4])
        done = sent + random.choice([1e-3, 0.05, 0.4, 1.3])
        outcome = random.choice(list(Outcome))
        wait_s = random.choice([None, None, 0.125, 0.7]) if plan.clocks[-1].told else None
        device.ended(sent, done, 0.0, 200, 5, Judgement(outcome, wait_s=wait_s), sent + 5e-4)
        record["sent"], record["first_byte"], record["status"], record["bytes"] = sent, sent + 5e-4, 200, 5
        end(shared, fleet, rows, place, done, int(outcome), math.nan if wait_s is None else wait_s)
    for device in devices:
        device.give_up()
    assert loop.give_up(
        shared, fleet.devices, 0, fleet.tracks, fleet.clocks, fleet.joins, rows.room, fleet.tally
    ) == len(devices)
    assert [int(one) for one in fleet.tally] == told.tally.by_outcome
    for ours, theirs in zip(rows.take(), told.rows.take(), strict=True):
        if isinstance(theirs, list):
            assert ours == theirs
        else:
            np.testing.assert_array_equal(ours, np.asarray(theirs))


@numba.njit
def first(shared: np.ndarray, heap: np.ndarray) -> int:
    """The device that is ready first, as the loop takes it from the heap."""
    return pop(shared[0], heap)  # type: ignore[no-any-return]


def end(shared: np.ndarray, fleet: Fleet, rows: FlatRows, place: int, done: float, outcome: int, wait_s: float) -> None:
    """Ends the poll of a device."""
    loop.ended(
        shared, fleet.devices, place, fleet.tracks, fleet.clocks, fleet.joins, fleet.heap, rows.room, fleet.tally, done, 0.0,
        outcome, math.nan, wait_s,
    )  # fmt: skip
