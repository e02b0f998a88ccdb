"""What the compiled loop works on: flat arrays of records, and nothing else. Their fields, and the numbers in them.

Integers are 64 bits wide where size does not matter, so that no arithmetic changes its type.
"""

from __future__ import annotations

import platform
import select
from typing import Any

import numpy as np

Record = Any
"""One record of an array."""
Records = Any
"""An array of records."""

IDLE, ASKING, GENERAL = 0, 1, 2
"""States of a device: waits for its next poll; the loop waits for its answer; its poll is the general path's."""

NOTHING, BEAT, CLOSE, ROWS, POLL, SENT, ANSWER, LOST, SURPLUS, STIRRED, EVENT, FAULT = range(12)
"""Why `step` returns. BEAT: a beat is due. CLOSE: the window closes, or all is done. ROWS: there is no room for rows. FAULT:
waiting failed with the error -size. All others hand `device` over: POLL, what is due, to be asked; SENT, only `size` bytes
of the request were taken (or none, and the error is -size); ANSWER, `size` bytes came that are not all plain; LOST, the
connection ended (size 0) or broke (error -size); SURPLUS, `size` bytes came, more than the answer has; STIRRED, its
connection did while it was idle; EVENT, the events `size` while its poll was handed over already."""

TURN, SENDING, READING = range(3)
"""Where `step` goes on when it is called again."""

NEVER_FAST, UNLESS_COMPARED, ALWAYS_FAST = range(3)
"""Which polls of a device's endpoint are the loop's."""

SCRATCH_BYTES = 8192
"""Room for a head and a small body."""
TRASH_BYTES = 1 << 20
"""Most of a body that is thrown away at once. MSG_TRUNC has the kernel do it, so that no memory is touched."""
MOST_HEAD_BYTES = 4096
"""A longer head is not the loop's."""
EVENTS_AT_ONCE = 64
"""Most events that are handled before what is due meanwhile is sent."""
SENDS_AT_ONCE = 16
"""Most polls that are sent before answers are read. A poll that is sent late shows as lag; an answer that is read late
would pass for the server's, so it must not wait for a whole wave of polls to be sent."""
STATUSES = 600

PACKED = platform.machine() == "x86_64"
EVENT_WORDS = 3 if PACKED else 4
"""Size of an `epoll_event` in words of 32 bits: x86-64 packs it. Source: include/uapi/linux/eventpoll.h."""
EVENT_FD = 1 if PACKED else 2
"""Which of them is the file."""


def record(**fields: str) -> np.dtype[Any]:
    """A dtype of these fields."""
    return np.dtype(list(fields.items()), align=True)


def _of(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


DEVICE = record(
    **_of("i8", "client fd state track round endpoint place remaining bytes status head rests closed_by_server"),
    **_of("f8", "due first_due free_at sent first_byte"),
)
"""A device, and where its poll stands. `track`: the clock that its next poll is on; `round` to `first_due` are copied from
there. `remaining`: bytes of body still to come, -1 until the head is complete; `head`: length of the head that is kept."""

TRACK = record(
    **_of("i8", "ahead round place at endpoint system begins"),
    **_of("f8", "first_due wait_s due round_due"),
    chance="u8",
)
"""Where a device stands on one clock, as `agenda.Track` has it. `at`: place of `endpoint` among the clock's `JOIN`s;
`wait_s`: NaN where no answer said when to poll next; `chance`: where its jitter begins; `system` and `begins`: whose turn
and when, as `Plan.system` and `Plan.intervals_ahead` say."""

CLOCK = record(interval_s="f8", cycle="i8", begin="i8", end="i8", planned="i8", shortest="i8")
"""A clock: its endpoints are the `JOIN`s from `begin` to before `end`. `planned`: whether the plan alone says when rounds
are due; `shortest`: how many of the shortest intervals one of its own lasts."""

JOIN = record(endpoint="i8", joins="i8")
"""In how many rounds of its clock's cycle an endpoint is polled."""

ASK = record(at="u8", size="i8", fast="i8", kind="i8")
"""What a device sends for an endpoint: address and length of the bytes, which of these polls are the loop's, and the `KIND`
of a right answer."""

KIND = np.dtype([("low", "i8"), ("high", "i8"), ("right", "u1", (STATUSES,))], align=True)
"""When a plain answer is right: least and most bytes, and whether each status is."""

WAITING = record(ready="f8", device="i8")
"""One entry of the heap: when a device is ready to send its next poll."""

SHARED = record(
    **_of("f8", "start_at close_at next_beat jitter_s shortest_s now"),
    **_of("i8", "halves systems piece_rounds first_block"),
    **_of("i8", "fixed closed over in_flight attempts waiting rows phase sends event events device size head status"),
    **_of("i8", "epoll pwait2 now_s now_ns wait_s wait_ns pollfd"),
    **_of("u8", "now_at wait_at pollfd_at events_at scratch_at trash_at turns"),
)
"""What all devices share: times and switches of the plan, counts, where `step` stands and what it hands over, room for what
the kernel writes, and addresses."""

ROW = np.dtype(
    [("client", "u4"), ("round", "u4"), ("endpoint", "u1"), ("due", "f8"), ("ready", "f8"), ("sent", "f8"), ("done", "f8"),
     ("connect_s", "f4"), ("status", "u2"), ("bytes", "u4"), ("outcome", "u1"), ("first_byte_s", "f4"), ("tls_s", "f4"),
     ("decoded_bytes", "f8")], align=True,
)  # fmt: skip
"""A row as `schema.REQUESTS` has it, in its order, without the failed check."""


def address(array: Records, field: str = "") -> int:
    """Where an array begins in memory, or a field of its first record."""
    offset = array.dtype.fields[field][1] if field else 0
    return int(array.ctypes.data) + int(offset)


class Room:
    """What the loop writes into besides: what it reads of sockets, and the kernel's events."""

    def __init__(self) -> None:
        self.scratch = np.zeros(SCRATCH_BYTES, "u1")
        self.trash = np.empty(TRASH_BYTES, "u1")
        """Never touched."""
        self.events = np.zeros(EVENTS_AT_ONCE * EVENT_WORDS, "u4")

    def shared(self, epoll: int) -> Records:
        """An array of the one record of `SHARED`, as it is before the start."""
        made = np.zeros(1, SHARED)
        one = made[0]
        one["epoll"], one["pwait2"], one["next_beat"] = epoll, 1, -np.inf
        one["pollfd"] = epoll | select.POLLIN << 32  # A struct pollfd; low bytes go first on all machines of numba's.
        one["now_at"], one["wait_at"], one["pollfd_at"] = (address(made, name) for name in ("now_s", "wait_s", "pollfd"))
        one["events_at"], one["scratch_at"], one["trash_at"] = map(address, (self.events, self.scratch, self.trash))
        return made
