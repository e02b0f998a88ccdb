"""Heads that the compiled loop takes for plain are plain, and mean what httptools says that they mean."""

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from experiments.measure.engines.epoll.arrays import SHARED
from experiments.measure.engines.epoll.head import plain_head
from experiments.measure.engines.http1 import AnswerReader
from tests.hostile.wire import FAMILIES, MOST_CHOICES, Choices


@numba.njit
def parse(shared: np.ndarray, scratch: np.ndarray) -> int:
    """What the loop makes of these bytes."""
    return plain_head(shared[0], scratch, len(scratch))  # type: ignore[no-any-return]


def parsed(wire: bytes) -> tuple[int, int, int] | None:
    """Status, length of the head and of the body; None where it is not plain."""
    shared = np.zeros(1, SHARED)
    body = int(parse(shared, np.frombuffer(wire, "u1") if wire else np.zeros(0, "u1")))
    return None if body < 0 else (int(shared[0]["status"]), int(shared[0]["head"]), body)


def by_httptools(wire: bytes, head: int, body: int) -> tuple[int, int, bool, bool]:
    """Status, bytes of body, whether that is the whole answer, and whether the connection is kept."""
    reader = AnswerReader(lambda: 1.0, keep_bodies=False)
    reader._new_heads = 99  # So that nothing is known of heads: httptools reads all of it.
    complete = reader.feed(wire[:head] + b"x" * min(body, 1000))
    return reader.answer.status, reader.answer.body_bytes, complete, reader.reusable


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_head_is_what_httptools_says(family: str) -> None:
    """Of any bytes at all: the same status, the same length, and a connection that is kept."""
    plain = 0

    def examine(data: bytes) -> None:
        nonlocal plain
        wire = FAMILIES[family](Choices(data))
        if (found := parsed(wire)) is not None:
            plain += 1
            status, head, body = found
            whole = body <= 1000
            assert by_httptools(wire, head, body) == (status, min(body, 1000), whole, True), wire

    options = settings(max_examples=1500, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    seed(1)(options(given(st.binary(min_size=8, max_size=MOST_CHOICES))(examine)))()
    assert plain > 0 or family in ("noise", "soup")


SERVERS = {
    "uvicorn": b"HTTP/1.1 200 OK\r\ndate: Sat, 28 Nov 2026 16:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: 100\r\n\r\n",
    "nginx": b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 204800\r\nConnection: keep-alive\r\nETag: \"5f-a\"\r\nAccept-Ranges: bytes\r\n\r\n",
    "no reason": b"HTTP/1.1 503 \r\ncontent-length:0\r\n\r\n",
    "latin": b"HTTP/1.1 404 Nicht da \xe4\r\nX-Empty:\r\nCONTENT-LENGTH:\t9999999999\r\nconnection: Keep-Alive\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("wire", SERVERS.values(), ids=list(SERVERS))
def test_what_servers_send_is_plain(wire: bytes) -> None:
    """The loop does not leave everyday answers to the general path."""
    found = parsed(wire + b"body")
    assert found is not None
    assert found[1] == len(wire)
    assert parsed(wire[:-1]) is None
    assert parsed(wire[:-2]) is None


UNUSUAL = {
    "HTTP/1.0": SERVERS["uvicorn"].replace(b"1.1", b"1.0"),
    "a lone LF": SERVERS["uvicorn"].replace(b"OK\r\n", b"OK\n"),
    "no length": b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
    "a length with a space behind it": b"HTTP/1.1 200 OK\r\nContent-Length: 5 \r\n\r\n",
    "a long length": b"HTTP/1.1 200 OK\r\nContent-Length: 00000000005\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "closing": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
    "a list of options": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n\r\n",
    "a proxy's closing": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nProxy-Connection: close\r\n\r\n",
    "an upgrade": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nUpgrade: h2c\r\n\r\n",
    "a trailer": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTrailer: x\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "a nul": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 5\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n",
    "too long": b"HTTP/1.1 200 OK\r\nX: " + b"v" * 5000 + b"\r\nContent-Length: 5\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("wire", UNUSUAL.values(), ids=list(UNUSUAL))
def test_whatever_is_unusual_is_left_to_the_general_path(wire: bytes) -> None:
    """What ends, frames or doubts an answer otherwise is not for the loop to judge."""
    assert parsed(wire + b"hello") is None
