"""A server whose answers are known beforehand: what an instrument must report of it can be worked out from the schedule.

    python -m server.known_answer --program stall --port 8000

Plays one of `programs` on a real socket of this machine, with nothing but asyncio in between, so that each byte leaves
about 0.1 ms of its instant. `/health` is always answered rightly and at once, and so are the two pages until both
have been asked, as often as a lab likes, and then `/health` again: what comes next is the load, and the program begins.
One process: a program has one clock.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
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

from server.known_answer.alarms import Alarms
from server.known_answer.encoder import Script, head, script
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

    def __init__(self, program: Program, settings: Settings, port: int) -> None:
        self.program = program
        self.served = 0
        """Requests for `/hello`, verification included."""
        self.connections: set[Connection] = set()
        self.alarms = Alarms()
        self._sizes = {b"/hello?page=1": settings.status_bytes, b"/hello?page=200": settings.bulk_bytes}
        answers = {RIGHT, program.usual, program.other, *(episode.answer for episode in program.episodes)}
        self._scripts = {(answer, size): script(answer, size) for answer in answers for size in {*self._sizes.values()}}
        self._port = port
        self._server: asyncio.Server | None = None
        self._unverified = {*self._sizes}
        self._verified = False
        self._begun_at: float | None = None
        self._held = 0

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

    def script_for(self, target: bytes, nth: int, now: float) -> tuple[Script, float] | None:
        """What to play for the `nth` request for `/hello` of a connection, and from when on; None for an unknown page."""
        size_bytes = self._sizes.get(target)
        if size_bytes is None:
            return None
        self.served += 1
        if self._begun_at is None:
            if not self._verified:
                self._unverified.discard(target)
                return self._scripts[RIGHT, size_bytes], now
            self._begun_at = now
            self._announce(now)
        at_s = now - self._begun_at
        return self._scripts[self.program.answer(nth, at_s), size_bytes], now + self._held_s(at_s)

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
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._asked = 0
        self._keep = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection has an asyncio.Transport
        self._stage.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._stage.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            asked = bytes(self._received[:end])
            del self._received[: end + 4]
            self._keep = b"\r\nconnection: close" not in asked.lower()
            self._answer(asked.partition(b" ")[2].partition(b" ")[0], now)

    def end(self, how: str = "close") -> None:
        """Closes the connection, or resets it."""
        if self._transport is None:
            return
        if how == "reset":
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()

    def _answer(self, target: bytes, now: float) -> None:
        if target == b"/health":
            self._say(self._stage.health(), 200)
            return
        found = self._stage.script_for(target, self._asked + 1, now)
        if found is None:
            self._say(b"There are /hello?page=1, /hello?page=200 and /health.\n", 404)
            return
        self._asked += 1
        self._play(*found, now)

    def _say(self, text: bytes, status: int) -> None:
        self._write(head(status, "application/json" if status == 200 else "text/plain", len(text)) + text)
        if not self._keep:
            self.end()

    def _play(self, what: Script, begin: float, now: float) -> None:
        """Writes each piece at its instant, then does with the connection what is to be done."""
        for after_s, piece in what.pieces:
            self._at(begin + after_s, lambda piece=piece: self._write(piece), now)  # type: ignore[misc]
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

    def _write(self, piece: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(piece)


async def serve(program: Program, settings: Settings, port: int) -> None:
    """Plays the program until SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    stage = Stage(program, settings, port)
    await stage.listen()
    # What is alive now stays alive; a collection of garbage that looks at it would hold answers up.
    gc.collect()
    gc.freeze()
    await told.wait()
    stage.shut()


def main() -> int:
    """The program of this module; see its docstring."""
    parser = argparse.ArgumentParser(prog="python -m server.known_answer", description="A server with known answers.")
    parser.add_argument("--program", choices=PROGRAMS, required=True)
    parser.add_argument("--port", type=int, required=True, help=f"on {_HOST}")
    parser.add_argument("--workers", type=int, choices=(1,), default=1, help="a program has one clock")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # Each device holds a connection; some systems do not grant their own limit.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(serve(PROGRAMS[options.program], Settings.from_environment(os.environ), options.port))
        except OSError as error:
            sys.stderr.write(f"Cannot listen on port {options.port} of {_HOST}: {error.strerror}.\n")
            return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which adds less to an answer's time than asyncio's own; None for that where it is missing."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
