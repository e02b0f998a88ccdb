"""An answer of a program -> the very bytes, and when each piece of them leaves."""

from __future__ import annotations

from dataclasses import dataclass

from server.known_answer.programs import Answer
from server.payloads import body

_REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


@dataclass(frozen=True)
class Script:
    """An answer, ready to be played. Times are seconds from the request."""

    pieces: tuple[tuple[float, bytes], ...]
    """(when to write, what)."""
    cut: str
    """How the connection ends after it: `close`, `reset`, or empty for not at all."""
    took_s: float
    """When it is over, the end of a cut connection included."""


def script(answer: Answer, size_bytes: int) -> Script:
    """Makes an answer of a page whose right body has `size_bytes` bytes."""
    right = body(size_bytes)
    content = {"right": right, "short": right[:-1], "altered": right[:-1] + b"!"}[answer.body]
    first = head(answer.status, "text/plain; charset=utf-8", None if answer.chunked else len(content))
    if answer.cut:
        content = content[: len(content) // 2]
    pieces = _chunks(_divided(content, answer.pieces)) if answer.chunked else _divided(content, answer.pieces)
    pieces = [first + pieces[0], *pieces[1:]]
    if not answer.over_s:
        pieces = [b"".join(pieces)]
    apart_s = answer.over_s / max(1, len(pieces) - 1)
    timed = ((answer.delay_s + number * apart_s, piece) for number, piece in enumerate(pieces))
    return Script(tuple(timed), answer.cut, answer.took_s)


def head(status: int, kind: str, length: int | None) -> bytes:
    """The head of an answer; without a length its body comes in chunks."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n".encode()


def _divided(content: bytes, count: int) -> list[bytes]:
    """At most `count` pieces of nearly equal length, together the whole; one empty piece of nothing."""
    step = -(-len(content) // count) or 1
    return [content[start : start + step] for start in range(0, len(content), step)] or [b""]


def _chunks(pieces: list[bytes]) -> list[bytes]:
    """Each piece as a chunk, the last one followed by the end of the body."""
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece] or [b""]
    return [*chunks[:-1], chunks[-1] + b"0\r\n\r\n"]
