"""A device's course, compiled: the same closed form, to the last bit, as `agenda.Track` and `device.Device` have it.

Tests walk both beside each other. A device has one entry in the heap while it is idle and has a poll to come.
"""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np

from experiments import turns
from experiments.chance import STEP
from experiments.measure.engines.epoll.arrays import Record, Records
from experiments.measure.engines.epoll.compiling import inlined
from experiments.schedule import TICK_S, TICKS_PER_S

_STEP, _FIRST, _SECOND = np.uint64(STEP), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_11, _27, _30, _31 = (np.uint64(count) for count in (11, 27, 30, 31))
_UNIT = 2.0**-53
_TURN, _PLACE = np.uint64(crc32(turns.TURN.encode())), np.uint64(turns.PLACE)


@inlined
def on_tick(seconds: float) -> float:
    """As `schedule.on_tick`."""
    return math.floor(seconds * TICKS_PER_S + 0.5) * TICK_S


@inlined
def bits(state: np.uint64) -> np.uint64:
    """As `chance.bits`."""
    z = state + _STEP
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@inlined
def unit(state: np.uint64) -> float:
    """As `chance.unit`."""
    return np.float64(bits(state) >> _11) * _UNIT


@inlined
def turn_of(s: Record, piece: int, system: int) -> int:
    """As `turns.turn_of`."""
    systems = s["systems"]
    block = piece // systems
    state = bits(s["turns"] + np.uint64(block - s["first_block"]) * _STEP)
    state = bits(bits(state + _TURN) + _PLACE)
    return (system + piece - block * systems + int(unit(state) * systems)) % systems  # type: ignore[no-any-return]


@inlined
def joined(clocks: Records, joins: Records, k: int, place: int, after: int) -> int:
    """The first `JOIN` behind `after` that is polled in that place of the cycle of clock `k`; -1 if there is none."""
    cycle = clocks[k]["cycle"]
    for at in range(after + 1, clocks[k]["end"]):
        count = joins[at]["joins"]
        if place * count // cycle > (place - 1) * count // cycle:
            return at
    return -1


@inlined
def by_the_clock(s: Record, t: Record, clock: Record) -> float:
    """When the round after this one is due."""
    late = 0.0
    if s["halves"]:
        piece = (t["round"] * clock["shortest"] + t["begins"]) // s["piece_rounds"]
        late = turn_of(s, piece, t["system"]) * s["shortest_s"] / s["systems"]
    if s["jitter_s"] != 0.0:
        late = late + s["jitter_s"] * unit(t["chance"] + np.uint64(t["round"] + 1) * _STEP)
    return on_tick(t["first_due"] + t["round"] * clock["interval_s"] + late)


@inlined
def begin(t: Record, clocks: Records, joins: Records, k: int, due: float) -> None:
    """The next round is due then."""
    t["round"] += 1
    t["due"] = due
    t["round_due"] = due
    t["place"] = 0
    t["wait_s"] = math.nan
    t["at"] = joined(clocks, joins, k, t["round"] + t["ahead"], clocks[k]["begin"] - 1)
    t["endpoint"] = joins[t["at"]]["endpoint"]


@inlined
def skip(t: Record, clocks: Records, joins: Records, k: int) -> bool:
    """Goes on to the next poll of this round, due when its round was; False if there is none."""
    at = joined(clocks, joins, k, t["round"] + t["ahead"], t["at"])
    if at < 0:
        return False
    t["place"] += 1
    t["at"] = at
    t["endpoint"] = joins[at]["endpoint"]
    t["due"] = t["round_due"]
    return True


@inlined
def track_ended(s: Record, t: Record, clocks: Records, joins: Records, k: int, done_s: float, wait_s: float) -> None:
    """As `Track.ended`; `wait_s` is NaN where the answer did not say so."""
    if not math.isnan(wait_s):
        t["wait_s"] = wait_s
    clock = clocks[k]
    if skip(t, clocks, joins, k):
        t["due"] = done_s
    elif not math.isnan(t["wait_s"]):
        due = on_tick(done_s + t["wait_s"])
        t["first_due"] += due - by_the_clock(s, t, clock)
        begin(t, clocks, joins, k, due)
    elif s["fixed"]:
        begin(t, clocks, joins, k, by_the_clock(s, t, clock))
    else:
        begin(t, clocks, joins, k, on_tick(done_s + clock["interval_s"]))


@inlined
def go_on(s: Record, d: Record, own: Records, clocks: Records, joins: Records, done: float, wait_s: float) -> None:
    """The poll that was due has ended at that instant: what is next, as `Device.ended` and `Agenda.ended` have it.

    Args:
        own: the device's tracks, one a clock.
    """
    k = d["track"]
    start_at = s["start_at"]
    track_ended(s, own[k], clocks, joins, k, done - start_at, wait_s)
    if len(own) > 1 and own[k]["place"] == 0:
        k = 0
        for other in range(1, len(own)):
            due, best = own[other]["due"], own[k]["due"]
            if due < best or (due == best and own[other]["endpoint"] < own[k]["endpoint"]):
                k = other
        d["track"] = k
    t = own[k]
    d["round"] = t["round"]
    d["endpoint"] = t["endpoint"]
    d["place"] = t["place"]
    d["first_due"] = start_at + t["round_due"]
    d["due"] = done if t["place"] else start_at + t["due"]
    d["free_at"] = done


# The heap of those that wait.


@inlined
def before(a: Record, b: Record) -> bool:
    """Whether one is ready first; of two at once the lower number."""
    return a["ready"] < b["ready"] or (a["ready"] == b["ready"] and a["device"] < b["device"])  # type: ignore[no-any-return]


@inlined
def push(s: Record, heap: Records, ready: float, device: int) -> None:
    """Adds a device."""
    place = s["waiting"]
    s["waiting"] = place + 1
    while place > 0:
        above = heap[(place - 1) >> 1]
        if above["ready"] < ready or (above["ready"] == ready and above["device"] < device):
            break
        heap[place]["ready"] = above["ready"]
        heap[place]["device"] = above["device"]
        place = (place - 1) >> 1
    heap[place]["ready"] = ready
    heap[place]["device"] = device


@inlined
def pop(s: Record, heap: Records) -> int:
    """Takes the device that is ready first."""
    first = heap[0]["device"]
    count = s["waiting"] - 1
    s["waiting"] = count
    last = heap[count]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        if below + 1 < count and before(heap[below + 1], heap[below]):
            below += 1
        if not before(heap[below], last):
            break
        heap[place]["ready"] = heap[below]["ready"]
        heap[place]["device"] = heap[below]["device"]
        place = below
    heap[place]["ready"] = last["ready"]
    heap[place]["device"] = last["device"]
    return first  # type: ignore[no-any-return]
