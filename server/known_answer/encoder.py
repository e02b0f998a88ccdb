"""An answer of a program -> the very bytes, and when each piece of them leaves."""

from __future__ import annotations

from dataclasses import dataclass

from server.known_answer.programs import Answer
from server.payloads import body

_REASONS = {200: "OK", 204: "No Content", 404: "Not Found", 503: "Service Unavailable"}

_NO_CONTENT = 204
"""By RFC 9110 its head has no Content-Length, and no body follows."""


@dataclass(frozen=True)
class Script:
    """An answer, ready to be played. Times are seconds from the request."""

    pieces: tuple[tuple[float, bytes], ...]
    """(when to write, what)."""
    cut: str
    """How the connection ends after it: `close`, `reset`, or empty for not at all."""
    whole: bool
    """Whether it is all that its head promises."""
    status: int
    """HTTP status."""
    took_s: float
    """When it is over, the end of a cut connection included."""


def script(answer: Answer, size_bytes: int, *, old: bool = False) -> Script:
    """Makes an answer of a page whose right body has `size_bytes` bytes.

    Args:
        old: for a client that asks by HTTP/1.0 and would keep its connection: it must be told that it may, and takes no
            chunks, so that such an answer goes on until its connection ends.
    """
    right = body(size_bytes)
    content = {"right": right, "short": right[:-1], "altered": right[:-1] + b"!"}[answer.body]
    if answer.status == _NO_CONTENT:
        content = b""
    to_the_end = answer.chunked and old
    length = None if answer.chunked else len(content)
    connection = "close" if answer.last == "said" else "keep-alive" if old and not (to_the_end or answer.last) else ""
    first = head(answer.status, "text/plain; charset=utf-8", length, connection=connection, chunked=not old)
    if answer.cut:
        content = content[: len(content) // 2]
    pieces = _divided(content, answer.pieces)
    if answer.chunked and not old:
        pieces = _chunks(pieces)
    pieces = [first + pieces[0], *pieces[1:]]
    if not answer.over_s:
        pieces = [b"".join(pieces)]
    apart_s = answer.over_s / max(1, len(pieces) - 1)
    timed = ((answer.delay_s + number * apart_s, piece) for number, piece in enumerate(pieces))
    end = answer.cut or ("close" if answer.last or to_the_end else "")
    return Script(tuple(timed), end, not answer.cut, answer.status, answer.took_s)


def head(status: int, kind: str, length: int | None, *, connection: str = "", chunked: bool = True) -> bytes:
    """The head of an answer; without a length its body comes in chunks, if it may, and a 204 has none."""
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}"]
    if status != _NO_CONTENT:
        lines.append(f"Content-Type: {kind}")
        lines += [f"Content-Length: {length}"] if length is not None else ["Transfer-Encoding: chunked"] * chunked
    if connection:
        lines.append(f"Connection: {connection}")
    return "\r\n".join([*lines, "", ""]).encode()


def _divided(content: bytes, count: int) -> list[bytes]:
    """At most `count` pieces of nearly equal length, together the whole; one empty piece of nothing."""
    step = -(-len(content) // count) or 1
    return [content[start : start + step] for start in range(0, len(content), step)] or [b""]


def _chunks(pieces: list[bytes]) -> list[bytes]:
    """Each piece as a chunk, the last one followed by the end of the body."""
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece] or [b""]
    return [*chunks[:-1], chunks[-1] + b"0\r\n\r\n"]
