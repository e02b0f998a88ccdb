"""Servers that misbehave, as scripts for `tests.support.scripted_server`, and what a poll of each must come to."""

import gzip
from typing import NamedTuple

from experiments.record.schema import Outcome
from tests.support.scripted_server import Step, answer

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_BODY = b"x" * 100


class Nasty(NamedTuple):
    """One way to misbehave."""

    name: str
    script: list[Step]
    lean: Outcome
    """What becomes of it over our transport."""
    stock: Outcome
    """What becomes of it over httpx's own, which reads more into an answer."""


def _nasty(name: str, *script: Step, lean: Outcome, stock: Outcome | None = None) -> Nasty:
    return Nasty(name, list(script), lean, lean if stock is None else stock)


def _ok(headers: bytes = b"", body: bytes = _BODY) -> bytes:
    return answer(body, headers=headers)


def _redirect(location: bytes) -> bytes:
    return answer(_BODY, status="302 Found", headers=b"Location: " + location + b"\r\n")


_OKAY, _HTTP, _WRONG, _BROKEN = Outcome.OK, Outcome.HTTP_ERROR, Outcome.WRONG_BODY, Outcome.PROTOCOL_ERROR
_CLOSED, _RESET, _TIMEOUT = Outcome.CLOSED, Outcome.RESET, Outcome.READ_TIMEOUT

NASTIES = (
    _nasty("nothing", "close", lean=_CLOSED),
    _nasty("reset", "reset", lean=_RESET),
    _nasty("silence", 0.5, lean=_TIMEOUT),
    _nasty("half a status line, then closed", b"HTTP/1.", "close", lean=_CLOSED),
    _nasty("half a head, then closed", _OK + b"Content-Le", "close", lean=_CLOSED),
    _nasty("half a head, then silence", _OK + b"Content-Le", 0.5, lean=_TIMEOUT),
    _nasty("half a body, then closed", _OK + b"Content-Length: 100\r\n\r\nabc", "close", lean=_CLOSED),
    _nasty("half a body, then reset", _OK + b"Content-Length: 100\r\n\r\nabc", 0.02, "reset", lean=_RESET),
    _nasty("half a chunk, then closed", _CHUNKED + b"64\r\nabc", "close", lean=_CLOSED),
    _nasty("half a chunk size, then closed", _CHUNKED + b"6", "close", lean=_CLOSED),
    _nasty("half a trailer, then closed", _CHUNKED + b"0\r\nX-T: 1", "close", lean=_CLOSED),
    _nasty("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", 0.5, lean=_BROKEN, stock=_TIMEOUT),
    _nasty("TLS", b"\x15\x03\x01\x00\x02\x02\x46", "close", lean=_BROKEN),
    _nasty("NUL in a header", _ok(b"X: a\x00b\r\n"), lean=_BROKEN),
    _nasty("header without a name", _ok(b": x\r\n"), lean=_BROKEN),
    _nasty("header without a colon", _ok(b"hello\r\n"), lean=_BROKEN),
    _nasty("length in words", _OK + b"Content-Length: many\r\n\r\n", lean=_BROKEN),
    _nasty("negative length", _OK + b"Content-Length: -1\r\n\r\n", lean=_BROKEN),
    _nasty("two lengths", _ok(b"Content-Length: 7\r\n"), lean=_BROKEN),
    _nasty("chunk size in words", _CHUNKED + b"many\r\n", lean=_BROKEN),
    _nasty("huge chunk size", _CHUNKED + b"f" * 40 + b"\r\n", lean=_BROKEN),
    _nasty("switched protocols", b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", lean=_BROKEN),
    _nasty("status 999", answer(_BODY, status="999 Far out"), lean=_HTTP),
    _nasty("status 000", answer(_BODY, status="000 Nothing"), lean=_HTTP, stock=_BROKEN),
    _nasty("404 that is a script", answer(b"<script>alert(1)</script>", status="404 <b>"), lean=_HTTP),
    _nasty("redirected elsewhere", _redirect(b"http://192.0.2.1/"), lean=_HTTP),
    _nasty("redirected to nonsense", _redirect(b"http://[::1/\xff"), lean=_HTTP, stock=_BROKEN),
    _nasty("redirected to a port beyond all", _redirect(b"http://a:99999999/"), lean=_HTTP),
    _nasty("redirected to no host", _redirect(b"javascript:alert(1)"), lean=_HTTP, stock=_BROKEN),
    _nasty("redirected to a long one", _redirect(b"http://" + b"a" * 70_000), lean=_BROKEN),
    _nasty("redirected to no name", _redirect(b"http://xn--/"), lean=_HTTP, stock=_BROKEN),
    _nasty("redirected with a snowman", _redirect(b"/\r\nSet-Cookie: a=\xe2\x98\x83"), lean=_HTTP, stock=_BROKEN),
    _nasty("redirected to snowmen", _redirect(b"http://" + "\u2603\u200d.".encode() * 30), lean=_HTTP, stock=_BROKEN),
    _nasty("body that is no gzip", _ok(b"Content-Encoding: gzip\r\n"), lean=_OKAY, stock=_OKAY),
    _nasty("body that is no zlib", _ok(b"Content-Encoding: deflate\r\n"), lean=_OKAY, stock=_OKAY),
    _nasty("half a gzip", _ok(b"Content-Encoding: gzip\r\n", gzip.compress(_BODY * 9)[:-5]), lean=_WRONG, stock=_WRONG),
    _nasty("unknown encoding", _ok(b"Content-Encoding: \xff<script>\r\n"), lean=_OKAY),
    _nasty("twenty encodings", _ok(b"Content-Encoding: " + b"gzip," * 20 + b"\r\n"), lean=_OKAY, stock=_OKAY),
    _nasty("unknown charset", _ok(b"Content-Type: text/html; charset=\xff\r\n"), lean=_OKAY),
    _nasty("cookies of nonsense", _ok(b"Set-Cookie: \xff=;;;=; expires=\xe9; domain=..; max-age=1e999\r\n" * 5), lean=_OKAY),
    _nasty("cookie of an impossible date", _ok(b"Set-Cookie: a=b; expires=Thu, 99-Foo-99999 99:99:99 GMT\r\n"), lean=_OKAY),
    _nasty("keep-alive of nonsense", _ok(b"Keep-Alive: timeout=-1e9\r\n"), lean=_OKAY),
    _nasty("answer and more", _ok() + b"HTT", lean=_OKAY),
    _nasty("two answers", _ok() + _ok(), lean=_OKAY),
    _nasty("wrong length", _ok(body=b"x" * 99), lean=_WRONG),
)  # fmt: skip
