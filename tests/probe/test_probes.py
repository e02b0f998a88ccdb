"""Each probe against a small server that has the very habit, and against one that has none."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from experiments.errors import ParameterError
from experiments.probe import page, probes, probing
from experiments.probe.__main__ import main
from experiments.probe.probing import Probed
from experiments.probe.wire import Place

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass(frozen=True)
class Habits:
    """What is wrong with a server."""

    most_requests: int = 10**9
    most_connections: int = 10**9
    in_two: bool = False
    late_s: float = 0.0
    body_after_head: bool = False
    chunks: bool = False
    unsaid: bool = False
    status: int = 200
    whole_address: int = 200
    drops_halves: bool = False
    strict: bool = False
    idle_s: float = 30.0


@contextmanager
def serving(habits: Habits) -> Iterator[Place]:
    """A server with these habits on a free port."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        threading.Thread(target=accept, args=(listener, habits), daemon=True).start()
        yield Place("127.0.0.1", listener.getsockname()[1], "/x")


def accept(listener: socket.socket, habits: Habits) -> None:
    """Each connection has a thread; those beyond the most are left alone."""
    held = []
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            held.append(connection)
            if len(held) <= habits.most_connections:
                threading.Thread(target=converse, args=(connection, habits), daemon=True).start()


def converse(connection: socket.socket, habits: Habits) -> None:
    """Answers one request after the other."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(habits.idle_s)
    came = b""
    with connection, suppress(OSError):
        for number in range(1, habits.most_requests + 1):
            while b"\r\n\r\n" not in came:
                piece = connection.recv(65_536)
                if not piece:
                    return
                came += piece
            head, _, came = came.partition(b"\r\n\r\n")
            length = int((re.findall(rb"Content-Length: (\d+)", head) or [b"0"])[0])
            came = came[length:]
            came = came if habits.strict else came.lstrip(b"\r\n")
            answer(connection, head, habits, last=number == habits.most_requests)
            if came.startswith(b"\r\n") or (b"HTTP/1.0" in head and not habits.unsaid):
                return


def answer(connection: socket.socket, head: bytes, habits: Habits, *, last: bool) -> None:
    """One answer, with whatever is wrong."""
    said = GOOD.replace(b"200", b"%d" % habits.status)
    if head.split(b" ")[1].startswith(b"http://") and habits.whole_address != 200:
        said = said.replace(b"200 OK", b"%d X" % habits.whole_address)
    if head.startswith(b"HEAD") and not habits.body_after_head:
        said = said.removesuffix(b"hello")
    if b"HTTP/1.0" in head and habits.chunks:
        said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    if last:
        said = said.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    if habits.drops_halves:
        connection.settimeout(0.2)
        with suppress(TimeoutError):
            if connection.recv(1) == b"":
                return
    first, end, rest = said.partition(b"\r\n\r\n") if habits.in_two else (said, b"", b"")
    connection.sendall(first + end)
    if habits.late_s or rest:
        time.sleep(habits.late_s or 0.01)
    if rest:
        connection.sendall(rest)


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer connections, requests and seconds than a real probe takes."""
    for name, value in {"CONNECTIONS": 30, "REQUESTS": 40, "_IDLE_S": 0.4}.items():
        monkeypatch.setattr(probes, name, value)


CASES = {
    "segments of a small answer": ("1", Habits(in_two=True), "2", False),
    "held up on a kept connection": ("no", Habits(in_two=True, late_s=0.045), "ms", True),
    "connections at a time": ("30 or more", Habits(most_connections=10), "10", True),
    "requests per connection": ("40 or more", Habits(most_requests=12), "12", True),
    "kept while idle": ("0 s or more", Habits(idle_s=0.1), "less than 0 s", True),
    "HTTP/1.0, keep-alive": ("closed", Habits(chunks=True), "chunks", True),
    "HEAD": ("200", Habits(body_after_head=True), "200 with a body", True),
    "whole address": ("200", Habits(whole_address=404), "404", True),
    "half-closed": ("answered", Habits(drops_halves=True), "dropped", False),
    "line after a POST": ("goes on", Habits(strict=True), "closes", False),
}
"""Probe -> what is said of a good server, the habit, what is said of that, and whether it is a trap."""


@pytest.mark.parametrize("name", CASES)
def test_a_habit_is_seen_and_a_good_server_has_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trap is a sentence; what merely differs between servers is none."""
    said, habits, said_of_habit, trap = CASES[name]
    with serving(Habits()) as place:
        fact = probes.PROBES[name](place)
        assert (fact.says, fact.trap) == (said, "")
    monkeypatch.setattr("experiments.probe.wire._QUIET_S", 0.5)
    with serving(habits) as place:
        fact = probes.PROBES[name](place)
        assert fact.says.endswith(said_of_habit)
        assert bool(fact.trap) == trap


def test_a_connection_of_an_old_version_that_is_kept_without_a_word_is_a_trap() -> None:
    """The device waits for an end that does not come."""
    with serving(Habits(unsaid=True)) as place:
        assert probes.old_version(place).trap.startswith("It keeps connections of HTTP/1.0 without saying so")


def test_a_running_server_is_probed_by_its_url_and_left_running() -> None:
    """Every probe tells something, and the server still answers."""
    with serving(Habits()) as place:
        found = probing.probe_url(f"http://127.0.0.1:{place.port}/x")
        assert found.facts.keys() == probes.PROBES.keys()
        assert probes.pieces(place).says == "1"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("https://127.0.0.1/", "without TLS"),
        ("http://127.0.0.1:9/", "nothing answers at"),
        ("falcom", "did you mean 'falcon'?"),
        ("known-stall-x", "is no system of the catalogue"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_one_sentence(
    asked: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what to give instead."""
    assert main([asked]) == 2
    assert sentence in capsys.readouterr().err


def test_an_url_that_does_not_answer_200_is_refused() -> None:
    """What is asked for must be right before anything is concluded from it."""
    with serving(Habits(status=404)) as place, pytest.raises(ParameterError, match="answers 404"):
        probing.probe_url(f"http://127.0.0.1:{place.port}/x")


def test_the_page_has_a_row_per_server_and_its_traps_in_words() -> None:
    """A server that could not be probed has a row too."""
    fact = probes.Fact("100", "It answers at most 100 connections at a time; further devices wait.")
    found = [Probed("one", ("x 1.0",), {"connections at a time": fact}), Probed("two", (), {}, "it ended with code 1")]
    made = page.page(found)
    assert "| `one` | 100* |" in made
    assert "| `two` | could not be probed |" in made
    assert f"- `one`: {fact.trap}" in made
    assert "- `two`: it ended with code 1" in made
    assert "- `one`: x 1.0" in made
    assert "could not be probed: it ended with code 1" in page.text(found[1])
