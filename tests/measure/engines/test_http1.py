"""Answers without a socket: when the connection may be asked again, wherever the bytes are cut."""

import pytest

from experiments.measure.engines.http1 import AnswerReader, heads

KEPT = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
]
CLOSED = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
]
UNTIL_THE_END = [b"HTTP/1.1 200 OK\r\n\r\nabc", b"HTTP/1.1 503 Service Unavailable\r\n\r\nno"]


def read_in_cuts(wire: bytes, cuts: tuple[int, ...], reader: AnswerReader) -> bool:
    """Feeds an answer in pieces; whether it is complete after the last of them, and not before."""
    reader.expect(checksum=False)
    complete = False
    for start, end in zip((0, *cuts), (*cuts, len(wire)), strict=True):
        assert not complete
        complete = reader.feed(wire[start:end])
    return complete


def all_cuts(wire: bytes) -> list[tuple[int, ...]]:
    """In one piece, in two at every place, and byte by byte."""
    return [(), *((at,) for at in range(1, len(wire))), tuple(range(1, len(wire)))]


@pytest.fixture(autouse=True)
def _no_head_is_known() -> None:
    heads.KNOWN.clear()


@pytest.mark.parametrize("wire", KEPT)
def test_a_connection_is_kept_wherever_an_answer_is_cut(wire: bytes) -> None:
    """Two answers in a row with every cut: whole, and the connection may be asked again."""
    for cuts in all_cuts(wire):
        reader = AnswerReader(lambda: 1.0, keep_bodies=False)
        for _ in range(2):
            assert read_in_cuts(wire, cuts, reader)
            assert (reader.reusable, reader.closing) == (True, False), cuts


@pytest.mark.parametrize("wire", CLOSED)
def test_a_server_that_says_close_is_believed_wherever_an_answer_is_cut(wire: bytes) -> None:
    """The answer is whole, and the connection is not asked again."""
    for cuts in all_cuts(wire):
        reader = AnswerReader(lambda: 1.0, keep_bodies=False)
        assert read_in_cuts(wire, cuts, reader)
        assert (reader.reusable, reader.closing) == (False, True), cuts


@pytest.mark.parametrize("wire", UNTIL_THE_END)
def test_an_answer_without_length_ends_with_the_connection_wherever_it_is_cut(wire: bytes) -> None:
    """It is whole when the connection ends, and that was the server's way to end it."""
    for cuts in all_cuts(wire):
        reader = AnswerReader(lambda: 1.0, keep_bodies=False)
        assert not read_in_cuts(wire, cuts, reader)
        reader.end()
        assert reader.answer.complete
        assert (reader.reusable, reader.closing) == (False, True)


def test_bytes_beyond_an_answer_are_no_word_of_the_servers_to_close() -> None:
    """The connection is given up by this side."""
    reader = AnswerReader(lambda: 1.0, keep_bodies=False)
    reader.expect(checksum=False)
    assert reader.feed(KEPT[1] + b"x")
    assert (reader.reusable, reader.closing) == (False, False)
