"""The loop of the fast engine, compiled: sends what is due, takes plain answers, keeps their rows.

`step` goes on until there is something that it leaves to Python, says what (see `arrays`), and goes on from there when it
is called again. It knows kept connections, requests whose bytes never change, and answers that are plain and right by their
status and length; all else it hands over with what has come so far, and the general path goes on from there.
"""

from __future__ import annotations

import math
from functools import cache

import numba
import numpy as np
from numba import types

from experiments.measure.engines.device import CHECKSUM_EVERY
from experiments.measure.engines.epoll.arrays import (
    ALWAYS_FAST,
    ANSWER,
    ASK,
    ASKING,
    BEAT,
    CLOCK,
    CLOSE,
    DEVICE,
    EVENT,
    EVENT_FD,
    EVENT_WORDS,
    EVENTS_AT_ONCE,
    FAULT,
    GENERAL,
    IDLE,
    JOIN,
    KIND,
    LOST,
    NOTHING,
    POLL,
    READING,
    ROW,
    ROWS,
    SCRATCH_BYTES,
    SENDING,
    SENDS_AT_ONCE,
    SENT,
    SHARED,
    STIRRED,
    SURPLUS,
    TRACK,
    TRASH_BYTES,
    TURN,
    UNLESS_COMPARED,
    WAITING,
    Record,
    Records,
)  # fmt: skip
from experiments.measure.engines.epoll.compiling import compiled, inlined, make, one_at_a_time
from experiments.measure.engines.epoll.course import begin, by_the_clock, go_on, pop, push, skip
from experiments.measure.engines.epoll.head import plain_head
from experiments.measure.engines.epoll.libc import (
    EAGAIN,
    EINTR,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_TRUNC,
    clock,
    error_number,
    recv,
    send,
    wait,
)  # fmt: skip
from experiments.record.schema import Outcome

_OK, _BUSY, _LATE = int(Outcome.OK), int(Outcome.UNSENT_BUSY), int(Outcome.UNSENT_LATE)
_MOST_BYTES = 2**32 - 1


@inlined
def note(
    s: Record, d: Record, rows: Records, ready: float, sent: float, done: float, first_byte_s: float, connect_s: float,
    status: int, body_bytes: int, outcome: int, decoded_bytes: float,
) -> None:  # fmt: skip
    """The row of a poll; there is room for it."""
    start_at = s["start_at"]
    row = rows[s["rows"]]
    s["rows"] += 1
    row["client"] = d["client"]
    row["round"] = d["round"]
    row["endpoint"] = d["endpoint"]
    row["due"] = d["due"] - start_at
    row["ready"] = ready - start_at
    row["sent"] = sent - start_at
    row["done"] = done - start_at
    row["connect_s"] = connect_s
    row["status"] = status
    row["bytes"] = min(body_bytes, _MOST_BYTES)
    row["outcome"] = outcome
    row["first_byte_s"] = first_byte_s
    row["tls_s"] = math.nan
    row["decoded_bytes"] = decoded_bytes


@inlined
def finish(
    s: Record, d: Record, place: int, own: Records, clocks: Records, joins: Records, heap: Records, rows: Records,
    tally: Records, done: float, connect_s: float, outcome: int, decoded_bytes: float, wait_s: float,
) -> None:  # fmt: skip
    """The poll of a device has ended: keeps its row, and says when the next one is due.

    Args:
        d: `sent`, `first_byte` (0 if none came), `status` and `bytes` are set.
        own: its tracks.
    """
    due, free_at, sent = d["due"], d["free_at"], d["sent"]
    ready = due if due > free_at else free_at
    first_byte_s = d["first_byte"] - sent if d["first_byte"] != 0.0 else math.nan
    note(s, d, rows, ready, sent, done, first_byte_s, connect_s, d["status"], d["bytes"], outcome, decoded_bytes)
    if d["first_due"] >= s["start_at"]:
        tally[outcome] += 1
    go_on(s, d, own, clocks, joins, done, wait_s)
    d["state"] = IDLE
    s["in_flight"] -= 1
    if not s["closed"] or (d["place"] > 0 and not s["over"]):
        due = d["due"]
        push(s, heap, due if due > done else done, place)


@compiled
def ended(
    shared: Records, devices: Records, place: int, tracks: Records, clocks: Records, joins: Records, heap: Records,
    rows: Records, tally: Records, done: float, connect_s: float, outcome: int, decoded_bytes: float, wait_s: float,
) -> None:  # fmt: skip
    """A poll that was Python's has ended, see `finish`; there is room for its row."""
    own = tracks[place]
    finish(shared[0], devices[place], place, own, clocks, joins, heap, rows, tally, done, connect_s, outcome,
           decoded_bytes, wait_s)  # fmt: skip


@compiled
def give_up(
    shared: Records, devices: Records, place: int, tracks: Records, clocks: Records, joins: Records, rows: Records,
    tally: Records,
) -> int:  # fmt: skip
    """As `Device.give_up` for all devices from `place` on; the one for whose rows there was no room, or their number."""
    s = shared[0]
    for one in range(place, len(devices)):
        if not give_one_up(s, devices[one], tracks[one], clocks, joins, rows, tally):
            return one
    return len(devices)


@inlined
def give_one_up(
    s: Record, d: Record, own: Records, clocks: Records, joins: Records, rows: Records, tally: Records
) -> bool:
    """Whether there was room for all rows of a device; else it goes on where it was."""
    start_at, close_at = s["start_at"], s["close_at"]
    for k in range(len(own)):
        t = own[k]
        while start_at + t["round_due"] < close_at:
            if s["rows"] == len(rows):
                return False
            due = start_at + t["round_due"]
            outcome = _BUSY if due < d["free_at"] or d["free_at"] >= close_at else _LATE
            d["round"] = t["round"]
            d["endpoint"] = t["endpoint"]
            d["due"] = due
            note(s, d, rows, math.nan, math.nan, close_at, math.nan, 0.0, 0, 0, outcome, math.nan)
            if due >= start_at:
                tally[outcome] += 1
            if skip(t, clocks, joins, k):
                continue
            if not clocks[k]["planned"]:
                t["round_due"] = math.inf  # Nobody knows when it would have ended, so no later round was ever due.
                break
            begin(t, clocks, joins, k, by_the_clock(s, t, clocks[k]))
    return True


@inlined
def ask(s: Record, d: Record, asks: Records) -> int:
    """Asks what is due of a device; the reason to hand it over, if there is one."""
    a = asks[d["endpoint"]]
    s["in_flight"] += 1
    d["remaining"] = -1
    compares = d["round"] == 1 or (d["round"] + d["client"]) % CHECKSUM_EVERY == 0
    if d["fd"] < 0 or not (a["fast"] == ALWAYS_FAST or (a["fast"] == UNLESS_COMPARED and not compares)):
        d["state"] = GENERAL
        return POLL
    s["attempts"] += 1
    d["state"] = ASKING
    d["sent"] = clock(s)
    taken = send(d["fd"], a["at"], a["size"], MSG_NOSIGNAL | MSG_DONTWAIT)
    if taken == a["size"]:
        return NOTHING
    s["size"] = taken if taken >= 0 else -error_number()
    d["state"] = GENERAL
    return SENT


@inlined
def came(s: Record, size: int) -> bool:
    """Whether anything was read; else `size` says why the connection is lost, or is -EAGAIN."""
    s["size"] = size if size >= 0 else -error_number()
    return size > 0


@inlined
def hear_head(s: Record, d: Record, kind: Record, scratch: Records, head: Records) -> int:
    """Reads the beginning of an answer; NOTHING if more is to come, BEAT if not, else the reason to hand it over."""
    size = recv(d["fd"], s["scratch_at"], SCRATCH_BYTES, MSG_DONTWAIT)
    if not came(s, size):
        return NOTHING if s["size"] == -EAGAIN else LOST
    d["first_byte"] = clock(s)
    body = plain_head(s, scratch, size)
    if body < 0 or body < kind["low"] or body > kind["high"] or not kind["right"][s["status"]]:
        return ANSWER
    got = size - s["head"]
    if got > body or (got < body and s["head"] > len(head)):
        return ANSWER
    d["status"] = s["status"]
    d["bytes"] = got
    if got == body:
        return BEAT
    d["remaining"] = body - got
    d["head"] = s["head"]
    for i in range(s["head"]):
        head[i] = scratch[i]
    return NOTHING


@inlined
def hear_body(s: Record, d: Record) -> int:
    """Counts more of a body and throws it away; as `hear_head`."""
    remaining = d["remaining"]
    # One more than is to come, to notice a surplus.
    size = recv(d["fd"], s["trash_at"], min(remaining + 1, TRASH_BYTES), MSG_DONTWAIT | MSG_TRUNC)
    if not came(s, size):
        return NOTHING if s["size"] == -EAGAIN else LOST
    if size > remaining:
        return SURPLUS
    d["bytes"] += size
    d["remaining"] = remaining - size
    return BEAT if size == remaining else NOTHING


@compiled
def step(
    shared: Records, devices: Records, tracks: Records, clocks: Records, joins: Records, asks: Records, kinds: Records,
    heap: Records, rows: Records, tally: Records, events: Records, owners: Records, scratch: Records, heads: Records,
) -> int:  # fmt: skip
    """Goes on until there is something for Python to do: the reason, see `arrays`.

    Args:
        tracks: by device and clock.
        asks: by device and endpoint.
        kinds: what the `kind` of an ask stands for.
        owners: of each file the device whose connection it is, or -1.
        heads: room for the head of an answer, by device.
    """
    s = shared[0]
    while True:
        if s["phase"] == TURN:
            now = clock(s)
            if now >= s["next_beat"]:
                return BEAT
            if now >= s["close_at"] and (not s["closed"] or (s["in_flight"] == 0 and s["waiting"] == 0)):
                return CLOSE
            s["now"] = now
            s["sends"] = 0
            s["phase"] = SENDING
        if s["phase"] == SENDING:
            while s["sends"] < SENDS_AT_ONCE and s["waiting"] > 0 and heap[0]["ready"] <= s["now"]:
                s["sends"] += 1
                place = pop(s, heap)
                reason = ask(s, devices[place], asks[place])
                if reason != NOTHING:
                    s["device"] = place
                    return reason
            found = wait(s, time_left(s, heap), EVENTS_AT_ONCE)
            s["phase"] = READING
            s["event"] = 0
            s["events"] = max(0, found)
            if found < 0 and found != -EINTR:
                s["size"] = found
                return FAULT
        while s["event"] < s["events"]:
            if s["rows"] == len(rows):
                return ROWS
            at = s["event"] * EVENT_WORDS
            s["event"] += 1
            place = owners[np.int32(events[at + EVENT_FD])]
            if place < 0:
                continue  # Closed earlier in the same batch of events.
            s["device"] = place
            d = devices[place]
            if d["state"] == GENERAL:
                s["size"] = events[at]
                return EVENT
            if d["state"] == IDLE:
                return STIRRED
            if d["remaining"] < 0:
                reason = hear_head(s, d, kinds[asks[place, d["endpoint"]]["kind"]], scratch, heads[place])
            else:
                reason = hear_body(s, d)
            if reason == BEAT:
                finish(s, d, place, tracks[place], clocks, joins, heap, rows, tally, clock(s), 0.0, _OK, math.nan, math.nan)
            elif reason != NOTHING:
                d["state"] = GENERAL
                return reason
        s["phase"] = TURN


@inlined
def time_left(s: Record, heap: Records) -> float:
    """Seconds until the next thing that is due by the clock."""
    until = s["next_beat"]
    if not s["closed"]:
        until = min(until, s["close_at"])
    if s["waiting"] > 0:
        ready = heap[0]["ready"]
        if ready <= s["now"]:
            return 0.0
        until = min(until, ready)
    return float(max(0.0, until - clock(s)))


@cache
def prepare() -> bool:
    """Compiles all that Python calls here, or finds what was made earlier; whether it was new."""
    s, d, track, clocks, joins, asks, kinds, heap, rows = (
        numba.from_dtype(one) for one in (SHARED, DEVICE, TRACK, CLOCK, JOIN, ASK, KIND, WAITING, ROW)
    )
    whole, byte, word, real = types.int64, types.uint8, types.uint32, types.float64
    devices, course = d[::1], (track[:, ::1], clocks[::1], joins[::1])
    kept = (rows[::1], whole[::1])
    with one_at_a_time():
        new = [
            make(ended, (s[::1], devices, whole, *course, heap[::1], *kept, real, real, whole, real, real)),
            make(give_up, (s[::1], devices, whole, *course, *kept)),
            make(
                step,
                (s[::1], devices, *course, asks[:, ::1], kinds[::1], heap[::1], *kept, word[::1], whole[::1], byte[::1],
                 byte[:, ::1]),
            ),
        ]  # fmt: skip
    return any(new)
