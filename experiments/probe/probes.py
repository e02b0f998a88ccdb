"""The probes: each asks one thing of a place and tells one fact. All are bounded, together some twenty seconds a server."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from experiments.measure.host import network
from experiments.probe.wire import Place, ask, connected, read, segments

CONNECTIONS = 1_100
"""More than the usual limits of 100, 1,000 and 1,024."""
REQUESTS = 1_100
_LONG_HEAD_BYTES = 20_000
_IDLE_S = 6.0
"""Longer than the 2 and 5 s after which servers close idle connections by default."""
_HELD_UP_S = 0.035
"""Linux puts an acknowledgement off for 40 ms; a sender that waits for it is as late."""
_POLLS = 20


@dataclass(frozen=True)
class Fact:
    """What a probe found."""

    says: str
    """A few words, for a table."""
    trap: str = ""
    """A sentence, where it spoils a measurement or leaves devices unanswered."""


def pieces(place: Place) -> Fact:
    """Segments that a small answer takes, head and body: two of them are two wake-ups of a client."""
    with connected(place) as connection:
        ask(connection, place.request())
        before = segments(connection)
        ask(connection, place.request())
        after = segments(connection)
    return Fact("not told" if before is None or after is None else f"{after - before}")


def held_up(place: Place) -> Fact:
    """Whether answers on a kept connection wait for an acknowledgement, as where TCP_NODELAY is missing."""
    took = []
    with connected(place) as connection:
        for _ in range(_POLLS):
            begun = time.perf_counter()
            if ask(connection, place.request()).closed:
                return Fact("closes each connection", "It closes a connection after one answer.")
            took.append(time.perf_counter() - begun)
    # The first few acknowledgements of a connection are sent at once; a machine that is busy is not late each time.
    least_s = min(took[_POLLS // 4 :])
    if least_s < _HELD_UP_S:
        return Fact("no")
    shown = f"{1000 * statistics.median(took):.0f} ms"
    return Fact(shown, f"Its answers on a kept connection take {shown}: their second part waits for an acknowledgement.")


def waiting(place: Place) -> Fact:
    """How many connections may wait to be accepted, as the kernel has it."""
    found = network.backlog({place.host}, place.port)
    if found is None:
        return Fact("not seen")
    few = f"Devices that connect together beyond its backlog of {found} wait a second or more." if found < 500 else ""
    return Fact(f"{found:,}", few)


def held(place: Place) -> Fact:
    """How many connections are answered while all of them are open."""
    with ExitStack() as stack:
        for number in range(CONNECTIONS):
            answered = False
            with suppress(OSError):
                connection = stack.enter_context(connected(place))
                answered = ask(connection, place.request()).status is not None
            if not answered:
                return Fact(f"{number:,}", f"It answers at most {number:,} connections at a time; further devices wait.")
    return Fact(f"{CONNECTIONS:,} or more")


def asked_often(place: Place) -> Fact:
    """After how many requests a connection is closed."""
    request = place.request()
    with connected(place) as connection:
        for number in range(1, REQUESTS + 1):
            answer = ask(connection, request)
            if answer.closed or answer.says("connection", "close"):
                return Fact(
                    f"{number:,}", f"It closes a connection after {number:,} requests, so that devices connect anew."
                )
    return Fact(f"{REQUESTS:,} or more")


def left_idle(place: Place) -> Fact:
    """Whether a connection that was idle for a while is still served."""
    with connected(place) as connection:
        ask(connection, place.request())
        time.sleep(_IDLE_S)
        if ask(connection, place.request()).status is not None:
            return Fact(f"{_IDLE_S:.0f} s or more")
    shown = f"{_IDLE_S:.0f} s"
    return Fact(f"less than {shown}", f"It closes connections that are idle for {shown}, as they are between slow polls.")


def old_version(place: Place) -> Fact:
    """What HTTP/1.0 with keep-alive gets, as old modems and small libraries ask."""
    request = place.request("Connection: keep-alive", version="1.0")
    with connected(place) as connection:
        answer = ask(connection, request)
        kept = not answer.closed and ask(connection, request).status is not None
    if answer.says("transfer-encoding", "chunked"):
        return Fact("chunks", "It answers HTTP/1.0 in chunks, whose sizes such a device takes for content.")
    if kept and not answer.says("connection", "keep-alive"):
        return Fact("kept, unsaid", "It keeps connections of HTTP/1.0 without saying so; such a device waits for their end.")
    return Fact("kept" if kept else "closed")


def head_only(place: Place) -> Fact:
    """What HEAD gets; a body after it would be taken for the next answer."""
    with connected(place) as connection:
        answer = ask(connection, place.request(method="HEAD"), bodiless=True)
    if answer.more and answer.status is not None and answer.status < 400:
        return Fact(f"{answer.status} with a body", "It sends a body after HEAD, which a client takes for the next answer.")
    return Fact(f"{answer.status}")


def whole_address(place: Place) -> Fact:
    """What a request with the whole address gets (RFC 9112, 3.2.2), as devices behind a proxy send it."""
    with connected(place) as connection:
        status = ask(connection, place.request(target=f"http://{place.host}:{place.port}{place.path}")).status
    wrong = f"It answers {status} to a request with the whole address, as devices behind a proxy send it."
    return Fact(f"{status}", "" if status == 200 else wrong)


def long_head(place: Place) -> Fact:
    """The status of a request with a head of 20,000 bytes, as with large cookies or tokens."""
    with connected(place) as connection:
        status = ask(connection, place.request("X-Long: " + "a" * _LONG_HEAD_BYTES)).status
    return Fact("closed" if status is None else f"{status}")


def half_closed(place: Place) -> Fact:
    """Whether a device that has ended its sending half gets its answer."""
    with connected(place) as connection:
        connection.sendall(place.request())
        connection.shutdown(socket.SHUT_WR)
        return Fact("answered" if read(connection).status else "dropped")


def stray_line(place: Place) -> Fact:
    """Whether the connection survives an empty line after a body (RFC 9112, 2.2), as old clients send it."""
    with connected(place) as connection:
        request = place.request("Content-Length: 2", method="POST", body=b"{}\r\n")
        return Fact("goes on" if _goes_on(connection, request, place.request()) else "closes")


def _goes_on(connection: socket.socket, first: bytes, second: bytes) -> bool:
    return not ask(connection, first).closed and ask(connection, second).status == 200


PROBES: dict[str, Callable[[Place], Fact]] = {
    "segments of a small answer": pieces,
    "held up on a kept connection": held_up,
    "backlog": waiting,
    "connections at a time": held,
    "requests per connection": asked_often,
    "kept while idle": left_idle,
    "HTTP/1.0, keep-alive": old_version,
    "HEAD": head_only,
    "whole address": whole_address,
    "head of 20,000 bytes": long_head,
    "half-closed": half_closed,
    "line after a POST": stray_line,
}
"""What it is called in the table -> the probe."""
