"""What the server with known answers does, written down beforehand: data, and what the data mean.

A program is played by `server` on a real socket, and by whoever works out what an instrument that asks that server must
report. Both take it from here, so that neither can be right by its own reading.

Program time begins with the first poll of the load: the first `/hello` after both pages and then `/health` were asked, as a
lab does before its load. That poll is due at an instant which a plan knows, so program times are offsets of the plan. All
times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

CUT_PAUSE_S = 0.002
"""From the last byte of a cut answer to the end of its connection, so that the bytes are there before the end is."""

RELEASE_GAP_S = 0.002
"""Between two polls that a stall held back, when it is over. All at once they would queue in the generator, for longer than
a calibration may be wrong; and devices that wait an interval after each answer would stay in step from then on."""

_NEVER_CLOSED_S = 86_400.0
"""What a catalogue says of a server that closes no idle connection: as long as the longest interval."""

_System = TypeVar("_System")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is answered. Without arguments: rightly and at once."""

    delay_s: float = 0.0
    """From the request to the first byte; infinite for never."""
    status: int = 200
    """HTTP status."""
    body: Literal["right", "short", "altered"] = "right"
    """`short`: one byte less, and the head says so. `altered`: of the right length, but its last byte is another."""
    chunked: bool = False
    """Whether the body comes in chunks, one a piece, instead of with a Content-Length."""
    pieces: int = 1
    """In how many pieces the body is written; the head goes with the first."""
    over_s: float = 0.0
    """From the first piece to the last, at equal distances."""
    cut: Literal["", "close", "reset"] = ""
    """After half of the body the connection is closed, or reset."""
    last: Literal["", "said", "unsaid"] = ""
    """The connection is closed after it, and the head says so (`Connection: close`) or does not."""

    @property
    def took_s(self) -> float:
        """From the request to the end of the answer, or of the connection."""
        return self.delay_s + self.over_s + (CUT_PAUSE_S if self.cut else 0.0)


RIGHT = Answer()


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A time in which the server behaves in another way."""

    kind: Literal["stall", "answer", "refuse"]
    """`stall`: what is asked is held until the end, then released in the order of its arrival, every `RELEASE_GAP_S`.
    `answer`: `answer` instead of the usual. `refuse`: all connections are closed, and nobody listens."""
    start_s: float
    """In program time."""
    lasting_s: float
    """Infinite for ever."""
    answer: Answer = RIGHT
    """What an `answer` episode answers."""

    @property
    def end_s(self) -> float:
        """First instant after it, in program time."""
        return self.start_s + self.lasting_s


@dataclass(frozen=True, kw_only=True)
class Program:
    """All that a server will do."""

    name: str
    """The system's name, without `known-`."""
    title: str
    """What people read."""
    usual: Answer = RIGHT
    """What a request gets if nothing else is said."""
    every: int = 0
    """Each so-many-th request for `/hello` on a connection gets `other`; 0 for none. With keep-alive a connection is a
    device, so a device's every so-many-th poll."""
    of_all: bool = False
    """`every` counts the requests of all connections together, for clients that connect anew as they please."""
    other: Answer = RIGHT
    episodes: tuple[Episode, ...] = ()
    """In the order of time, without overlap."""
    idle_close_s: float | None = None
    """A connection on which nothing is asked for so long after an answer is closed; None for never."""
    most_connections: int = 0
    """So many are served; what others ask waits until one of these ends. 0 for no limit."""

    def episode(self, at_s: float) -> Episode | None:
        """What goes on at an instant of program time."""
        return next((one for one in self.episodes if one.start_s <= at_s < one.end_s), None)

    def answer(self, nth: int, at_s: float) -> Answer:
        """What a request gets.

        Args:
            nth: its number among those for `/hello` on its connection, or among all of the load, from 1.
            at_s: when it came, in program time.
        """
        episode = self.episode(at_s)
        if episode is not None and episode.kind == "answer":
            return episode.answer
        return self.other if self.every and nth % self.every == 0 else self.usual


# Episodes lie early, so that devices which wait an interval after each answer have not drifted far from the plan when one
# begins, and an odd number of eighths of a second after the start: for devices that poll together, every half or quarter of
# a second, this is the middle between two rounds. 7, 8 and 5 have no factor in common with the 11 polls of a 10:1 cycle,
# so that both endpoints are hit.
_ALL = (
    Program(name="constant", title="every answer after 20 ms", usual=Answer(delay_s=0.02)),
    Program(
        name="two-delays",
        title="7 of 8 answers after 5 ms, the others after 60 ms",
        usual=Answer(delay_s=0.005),
        every=8,
        other=Answer(delay_s=0.06),
    ),
    Program(
        name="stall",
        title="a full stall of 1 s",
        episodes=(Episode(kind="stall", start_s=1.125, lasting_s=1.0),),
    ),
    Program(
        name="stall-past-end",
        title="a stall that outlasts the run",
        episodes=(Episode(kind="stall", start_s=1.125, lasting_s=math.inf),),
    ),
    Program(
        name="bursts-503",
        title="503 for a quarter of a second, twice",
        episodes=tuple(
            Episode(kind="answer", start_s=start_s, lasting_s=0.25, answer=Answer(status=503)) for start_s in (1.125, 1.625)
        ),
    ),
    Program(name="half-503", title="every other answer 503", every=2, other=Answer(status=503)),
    Program(name="resets", title="every 7th answer reset in the middle", every=7, other=Answer(cut="reset")),
    Program(name="truncated", title="every 7th answer closed in the middle", every=7, other=Answer(cut="close")),
    Program(name="wrong-length", title="every 5th answer a byte short", every=5, other=Answer(body="short")),
    Program(name="wrong-bytes", title="every answer with one wrong byte", usual=Answer(body="altered")),
    Program(name="chunked", title="every answer in four chunks", usual=Answer(chunked=True, pieces=4)),
    Program(name="trickle", title="every answer in nine pieces over 80 ms", usual=Answer(pieces=9, over_s=0.08)),
    Program(name="idle-close", title="connections closed after 30 ms without a request", idle_close_s=0.03),
    Program(
        name="refused",
        title="connections refused for half a second",
        episodes=(Episode(kind="refuse", start_s=1.125, lasting_s=0.5),),
    ),
    Program(name="silent", title="no answer at all", usual=Answer(delay_s=math.inf)),
)

PROGRAMS: Mapping[str, Program] = {program.name: program for program in _ALL}
"""Name -> program."""

PREFIX = "known-"
"""Before a program's name in the catalogue."""


def systems(system: Callable[..., _System]) -> tuple[_System, ...]:
    """The entries of the catalogue, one a program.

    Args:
        system: the catalogue's class of entries; it is handed in, since the catalogue knows this module.
    """
    command = ("{python}", "-m", "server.known_answer", "--port", "{port}", "--workers", "{workers}", "--program")
    return tuple(
        system(
            name=PREFIX + program.name,
            title=f"Known answers: {program.title}",
            template=(*command, program.name),
            needs=("uvloop",),
            loop="uvloop",
            http_parser="its own",
            keep_alive_s=program.idle_close_s or _NEVER_CLOSED_S,
        )
        for program in PROGRAMS.values()
    )
