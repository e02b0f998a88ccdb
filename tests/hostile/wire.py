"""What a server may send: right answers of every kind, damaged ones, pieces of answers in any order, and noise.

Everything is made from a handful of bytes, each of which makes one choice. Hypothesis draws and shrinks plain bytes several
times faster than nested strategies, and a million inputs take minutes instead of an hour.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\nX: \r\n\r\n",
)
HEADERS = (
    b"Server: x\r\n",
    b"Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
    b"X:\r\n",
    b"X-Long: " + b"v" * 300 + b"\r\n",
    b"Set-Cookie: a=b\r\n",
    b"Set-Cookie: c=d\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"x-latin: caf\xe9\r\n",
    b"Upgrade: h2c\r\n",
)
EXTENSIONS = (b"", b"", b"", b";a", b";a=b", b';a="b c"', b";a=b;c=d")
TRAILERS = (b"", b"", b"X-T: 1\r\n", b"X-T: 1\r\nY-T: 2\r\n", b"T:\r\n")
STATUSES = (200, 200, 200, 201, 206, 301, 404, 500, 503, 599, 204, 304)
FRAMINGS = ("length", "length", "chunked", "chunked", "close")

FRAGMENTS = (
    *INTERIM,
    *HEADERS,
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 \r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n",
    b"HTTP/1.1 101 \r\n",
    b"HTTP/1.1 150 X\r\n",
    b"HTTP/1.1 199\r\n",
    b"HTTP/1.1 000 X\r\n",
    b"HTTP/1.1 999 X\r\n",
    b"HTTP/1.1 2000 OK\r\n",
    b"HTTP/9.9 200 OK\r\n",
    b"HTTP/1.1 200 OK\n",
    b"RTSP/1.0 200 OK\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 6\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: -5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content-Length:\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: 10000000000\r\n",
    b"Content-Length : 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding:\r\n",
    b"transfer-encoding: CHUNKED \r\n",
    b"Content-Encoding: gzip\r\n",
    b" folded\r\n",
    b"no colon\r\n",
    b": no name\r\n",
    b"N\x00L: x\r\n",
    b"X: a\x00b\r\n",
    b"X: a\rb\r\n",
    b"\r\n",
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"hello",
    b"5\r\nhello\r\n",
    b"5;x=y\r\nhello\r\n",
    b"5\r\nhelloX",
    b"5\nhello\n",
    b"5 \r\nhello\r\n",
    b"0005\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"fffffffffffffffff\r\n",
    b"7fffffff\r\n",
    b"0\r\n\r\n",
    b"0\r\n\r\n",
    b"0\r\n",
    b"X-T: 1\r\n",
    b"HTTP/1.1",
    b"HTT",
)
ENOUGH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
SURPLUS = (b"", b"", b"", b"\r\n", b"HTT", b"HTTP/1.1 200 OK\r\nX: ", ENOUGH)
BEGUN = (
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
)
LENGTHS = (0, 1, 2, 9, 40, 300)
MOST_CHOICES = 40


class Choices:
    """Bytes that choose; when they are used up, the first of everything is chosen."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def number(self, below: int) -> int:
        """A whole number from 0 on."""
        return (next(self._data, 0) * 256 + next(self._data, 0)) % below if below > 256 else next(self._data, 0) % below

    def one(self, things: Sequence[T]) -> T:
        """One of these."""
        return things[self.number(len(things))]

    def some(self, things: Sequence[T], most: int) -> list[T]:
        """Up to so many of these."""
        return [self.one(things) for _ in range(self.number(most + 1))]

    def rest(self) -> bytes:
        """What has not chosen yet."""
        return bytes(self._data)


class Right(NamedTuple):
    """A right answer, and what it says."""

    wire: bytes
    status: int
    body: bytes
    framing: str


def right(choices: Choices) -> Right:
    """An answer that keeps every rule."""
    status = choices.one(STATUSES)
    framing = choices.one(FRAMINGS) if status not in (204, 304) else "none"
    body = _body(choices) if framing != "none" else b""
    interim = choices.some(INTERIM, 2)
    headers = choices.some(HEADERS, 4)
    head = b"HTTP/1.1 %d %s\r\n" % (status, choices.one((b"OK", b"", b"Not \xe9 Found")))
    if framing == "length":
        headers.append(b"Content-Length: %d\r\n" % len(body))
    if framing == "chunked":
        headers.append(b"Transfer-Encoding: chunked\r\n")
    framed = _chunked(choices, body) if framing == "chunked" else body
    return Right(b"".join([*interim, head, *headers, b"\r\n", framed]), status, body, framing)


def _body(choices: Choices) -> bytes:
    seed = bytes(choices.number(256) for _ in range(3))
    return (seed * 100)[: choices.one(LENGTHS)]


def _chunked(choices: Choices, body: bytes) -> bytes:
    """A body in chunks, with extensions and a trailer now and then."""
    extension = choices.one(EXTENSIONS)
    size = choices.one((1, 7, 64, 10_000))
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    chunks = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join([*chunks, b"0", extension, b"\r\n", choices.one(TRAILERS), b"\r\n"])


def damaged(choices: Choices) -> bytes:
    """A right answer, perhaps with something after it, of which bytes were lost, changed or put in."""
    damages = [(choices.number(2**16), choices.one(LENGTHS[:4]), choices.one(FRAGMENTS)) for _ in range(choices.number(3))]
    surplus, noise = choices.one(SURPLUS), choices.number(2)
    wire = right(choices).wire + surplus
    for place, lost, fragment in damages:
        at = place % (len(wire) + 1)
        wire = wire[:at] + (fragment[:1] if noise else fragment) + wire[at + lost :]
    return wire


def soup(choices: Choices) -> bytes:
    """Pieces of answers in any order; most begin like one."""
    return choices.one(BEGUN) + b"".join(choices.some(FRAGMENTS, 12))


def noise(choices: Choices) -> bytes:
    """Any bytes, perhaps after the beginning of an answer."""
    return choices.one(BEGUN) + choices.rest()


FAMILIES: dict[str, Callable[[Choices], bytes]] = {
    "right": lambda choices: right(choices).wire,
    "damaged": damaged,
    "soup": soup,
    "noise": noise,
}
"""Name -> what is made of some choices."""
