"""Answers without end: each is a beginning, and what then comes over and over again."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import NamedTuple

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_MANY = 20_000
"""Bytes that are repeated come in pieces of about this length."""


class Flood(NamedTuple):
    """One answer without end."""

    begins: bytes
    goes_on: bytes
    bounded: bool
    """Whether it is refused as too long; the others are bodies, which may go on until the poll's time is over."""

    def pieces(self) -> Iterator[bytes]:
        """All of it, piece by piece."""
        piece = self.goes_on * max(1, _MANY // len(self.goes_on))
        return chain([self.begins], repeat(piece))


FLOODS = {
    "status line": Flood(b"HTTP/1.1 200 ", b"O", bounded=True),
    "blank lines": Flood(b"", b"\r\n", bounded=True),
    "header name": Flood(_OK, b"n", bounded=True),
    "header value": Flood(_OK + b"X: ", b"v", bounded=True),
    "headers": Flood(_OK, b"X: y\r\n", bounded=True),
    "empty headers": Flood(_OK, b"X:\r\n", bounded=True),
    "1xx": Flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", bounded=True),
    "1xx with headers": Flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", bounded=True),
    "chunk size": Flood(_CHUNKED, b"0", bounded=True),
    "chunk extension": Flood(_CHUNKED + b"5;", b"x", bounded=True),
    "chunk extension value": Flood(_CHUNKED + b"5;x=", b"y", bounded=True),
    "quoted chunk extension": Flood(_CHUNKED + b'5;x="', b"y", bounded=True),
    "trailer": Flood(_CHUNKED + b"0\r\n", b"X: y\r\n", bounded=True),
    "trailer name": Flood(_CHUNKED + b"0\r\n", b"n", bounded=True),
    "trailer value": Flood(_CHUNKED + b"5\r\nhello\r\n0\r\nX: ", b"v", bounded=True),
    "10 GB announced": Flood(_OK + b"Content-Length: 10000000000\r\n\r\n", b"b" * 1000, bounded=False),
    "chunks": Flood(_CHUNKED, b"3e8\r\n" + b"b" * 1000 + b"\r\n", bounded=False),
    "chunks of one byte": Flood(_CHUNKED, b"1\r\nb\r\n", bounded=False),
    "no length": Flood(_OK + b"\r\n", b"b" * 1000, bounded=False),
}
"""What has no end -> the answer."""
