"""A server whose answers are known beforehand: what an instrument must report of it can be worked out from the schedule.

    python -m server.known_answer --program stall --port 8000

Plays one of `programs` on a real socket of this machine, with nothing but asyncio in between, so that each byte leaves
about 0.1 ms of its instant. `/health` is always answered rightly and at once, and so are the two pages until both
have been asked, as often as a lab likes, and then `/health` again: what comes next is the load, and the program begins.
With `--ledger FILE` it writes down at its end what it saw of each request of the load. One process: a program has one clock.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from server.known_answer.alarms import Alarms
from server.known_answer.encoder import Script, head, script
from server.known_answer.for_tools import FOR_TOOLS
from server.known_answer.ledger import Entry, Ledger
from server.known_answer.places import Places
from server.known_answer.programs import PROGRAMS, RELEASE_GAP_S, RIGHT, Program
from server.settings import Settings
from server.systems.model import BACKLOG

VERSION = "1"
"""Rises when a program plays differently."""

_HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: the operating system resets the connection instead of closing it."""


class Stage:
    """What all connections share: the program, its clock, and who listens."""

    def __init__(self, program: Program, settings: Settings, port: int, ledger: Ledger | None = None) -> None:
        self.program = program
        self.made = 0
        """Connections, since the start."""
        self.served = 0
        """Requests for `/hello`, verification included."""
        self.connections: set[Connection] = set()
        self.alarms = Alarms()
        self._sizes = {b"/hello?page=1": settings.status_bytes, b"/hello?page=200": settings.bulk_bytes}
        answers = {RIGHT, program.usual, program.other, *(episode.answer for episode in program.episodes)}
        asked = itertools.product(answers, {*self._sizes.values()}, (False, True))
        self._scripts = {(answer, size, old): script(answer, size, old=old) for answer, size, old in asked}
        self._port = port
        self._server: asyncio.Server | None = None
        self._unverified = {*self._sizes}
        self._verified = False
        self._begun_at: float | None = None
        self._held = 0
        self._asked = 0
        self.ledger = ledger
        self.places: Places[Connection] = Places(program.most_connections)

    async def listen(self) -> None:
        """Lets connections in."""
        listener = socket.create_server((_HOST, self._port), backlog=BACKLOG)
        # Once more, since a loop listens again on what listens already, and with 100 unless told.
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=listener, backlog=BACKLOG
        )

    def shut(self) -> None:
        """Lets no connection in, and ends those that there are."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.end()

    def script_for(self, target: bytes, nth: int, now: float, *, old: bool) -> tuple[Script, float] | None:
        """What to play for the `nth` request for `/hello` of a connection, and from when on; None for an unknown page.

        Args:
            old: it was asked by HTTP/1.0.
        """
        size_bytes = self._sizes.get(target)
        if size_bytes is None:
            return None
        self.served += 1
        if self._begun_at is None:
            if not self._verified:
                self._unverified.discard(target)
                return self._scripts[RIGHT, size_bytes, old], now
            self._begun_at = now
            if self.ledger is not None:
                self.ledger.begin(now)
            self._announce(now)
        at_s = now - self._begun_at
        self._asked += 1
        answer = self.program.answer(self._asked if self.program.of_all else nth, at_s)
        return self._scripts[answer, size_bytes, old], now + self._held_s(at_s)

    def _announce(self, now: float) -> None:
        """Sets the alarms for what happens without being asked, as the program begins."""
        for episode in self.program.episodes:
            if episode.kind == "refuse":
                self.alarms.at(now + episode.start_s, self.shut)
                self.alarms.at(now + episode.end_s, lambda: asyncio.ensure_future(self.listen()))

    def _held_s(self, at_s: float) -> float:
        """How long a stall holds a request back that came at `at_s`, in program time."""
        episode = self.program.episode(at_s)
        if episode is None or episode.kind != "stall":
            self._held = 0
            return 0.0
        self._held += 1
        return episode.end_s - at_s + (self._held - 1) * RELEASE_GAP_S

    def health(self) -> bytes:
        """What `/health` answers. Once it is asked after both pages, what comes next is the load."""
        self._verified = not self._unverified
        said = {"pid": os.getpid(), "framework": "known-answer", "version": VERSION, "served": self.served}
        return json.dumps(said).encode()


class Connection(asyncio.Protocol):
    """One device's connection; it asks one thing at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.made += 1
        self._number = stage.made
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._asked = 0
        self._keep = True
        self._old = False
        self._held: list[tuple[bytes, Entry | None]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection has an asyncio.Transport
        self._stage.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._stage.connections.discard(self)
        if served := self._stage.places.leave(self):
            served.take_up()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            asked = bytes(self._received[:end])
            del self._received[: end + 4]
            self._read_head(asked.lower())
            self._answer(asked.partition(b" ")[2].partition(b" ")[0], now)

    def _read_head(self, asked: bytes) -> None:
        """By HTTP/1.0 a connection ends after the answer unless the client would keep it; by HTTP/1.1 it is kept."""
        self._old = asked.partition(b"\r\n")[0].endswith(b"http/1.0")
        self._keep = b"\r\nconnection: keep-alive" in asked if self._old else b"\r\nconnection: close" not in asked

    def end(self, how: str = "close") -> None:
        """Closes the connection, or resets it."""
        if self._transport is None:
            return
        if how == "reset":
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()

    def take_up(self) -> None:
        """Answers what was asked while others were served."""
        held, self._held = self._held, []
        for target, entry in held:
            self._answer(target, time.monotonic(), entry)

    def _answer(self, target: bytes, now: float, entry: Entry | None = None) -> None:
        if target == b"/health":
            self._say(self._stage.health(), 200)
            return
        if not self._stage.places.take(self):
            self._held.append((target, self._note(now)))
            return
        found = self._stage.script_for(target, self._asked + 1, now, old=self._old and self._keep)
        if found is None:
            self._say(b"There are /hello?page=1, /hello?page=200 and /health.\n", 404)
            return
        self._asked += 1
        what, begin = found
        entry = entry or self._note(now)
        if entry is not None and self._stage.ledger is not None:
            self._stage.ledger.plan(entry, what.status, begin + what.pieces[-1][0], whole=what.whole)
        self._play(what, begin, now, entry)

    def _note(self, now: float) -> Entry | None:
        ledger = self._stage.ledger
        return None if ledger is None else ledger.note(self._number, now)

    def _say(self, text: bytes, status: int) -> None:
        self._write(head(status, "application/json" if status == 200 else "text/plain", len(text)) + text)
        if not self._keep:
            self.end()

    def _play(self, what: Script, begin: float, now: float, entry: Entry | None) -> None:
        """Writes each piece at its instant, then does with the connection what is to be done."""
        for left, (after_s, piece) in zip(reversed(range(len(what.pieces))), what.pieces, strict=True):
            self._at(begin + after_s, partial(self._piece, piece, entry, last=not left), now)
        if what.cut:
            self._at(begin + what.took_s, lambda: self.end(what.cut), now)
        elif not self._keep:
            self._at(begin + what.took_s, self.end, now)
        elif self._stage.program.idle_close_s is not None:
            asked = self._asked
            self._at(begin + what.took_s + self._stage.program.idle_close_s, lambda: self._end_if_idle(asked), now)

    def _at(self, when: float, act: Callable[[], None], now: float) -> None:
        if when <= now:
            act()
        elif when < float("inf"):
            self._stage.alarms.at(when, act)

    def _end_if_idle(self, asked: int) -> None:
        if self._asked == asked:
            self.end()

    def _piece(self, piece: bytes, entry: Entry | None, *, last: bool) -> None:
        if self._write(piece) and entry is not None and self._stage.ledger is not None:
            self._stage.ledger.wrote(entry, time.monotonic(), last=last)

    def _write(self, piece: bytes) -> bool:
        """Whether there was still somebody to write to."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(piece)
        return True


async def serve(program: Program, settings: Settings, port: int, ledger: Ledger | None = None) -> None:
    """Plays the program until SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    stage = Stage(program, settings, port, ledger)
    await stage.listen()
    # What is alive now stays alive; a collection of garbage that looks at it would hold answers up.
    gc.collect()
    gc.freeze()
    await told.wait()
    stage.shut()


def main() -> int:
    """The program of this module; see its docstring."""
    parser = argparse.ArgumentParser(prog="python -m server.known_answer", description="A server with known answers.")
    known = {**PROGRAMS, **FOR_TOOLS}
    parser.add_argument("--program", choices=known, required=True)
    parser.add_argument("--port", type=int, required=True, help=f"on {_HOST}")
    parser.add_argument("--workers", type=int, choices=(1,), default=1, help="a program has one clock")
    parser.add_argument("--ledger", type=Path, help="takes what was seen of each request of the load")
    options = parser.parse_args()
    ledger = Ledger() if options.ledger else None
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # Each device holds a connection; some systems do not grant their own limit.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            settings = Settings.from_environment(os.environ)
            runner.run(serve(known[options.program], settings, options.port, ledger))
        except OSError as error:
            sys.stderr.write(f"Cannot listen on port {options.port} of {_HOST}: {error.strerror}.\n")
            return 1
    if ledger is not None:
        ledger.write(options.ledger)
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which adds less to an answer's time than asyncio's own; None for that where it is missing."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
