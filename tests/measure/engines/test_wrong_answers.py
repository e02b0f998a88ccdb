"""What is kept of wrong answers: counts by status, the first of each kind, no credential, and a bound for all of it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from experiments.measure.engines.masking import FIRST_BYTES, body_text, headers_text
from experiments.measure.engines.wrong_answers import MOST_KINDS, WrongAnswers
from experiments.record.schema import Outcome
from tests.measure.engines.aio.test_swarm import GOOD, measure, plan, sent_of
from tests.support.scripted_server import answer

SECRETS = ("s3cr3t", "hunter2")
HEADERS = [
    (b"Set-Cookie", b"sid=s3cr3t; HttpOnly"),
    (b"Cookie", b"s3cr3t"),
    (b"Authorization", b"Bearer s3cr3t"),
    (b"X-Api-Key", b"s3cr3t"),
    (b"X-Auth-Token", b"s3cr3t"),
    (b"X-Amz-Security-Token", b"s3cr3t"),
    (b"WWW-Authenticate", b'Digest nonce="s3cr3t"'),
    (b"Location", b"http://me:hunter2@there/?access_token=s3cr3t&page=1"),
    (b"X-Debug", b"asked with Bearer s3cr3t.hunter2"),
    (b"Retry-After", b"120"),
]


def test_credentials_in_headers_are_masked() -> None:
    """By the header's name, or by what its value says; what helps to find the fault stays."""
    kept = headers_text(HEADERS)
    assert [name for name, _ in kept] == [name.decode() for name, _ in HEADERS]
    assert not [value for _, value in kept for secret in SECRETS if secret in value]
    assert ["Retry-After", "120"] in kept
    assert ["Location", "http://(masked)@there/?access_token=(masked)&page=1"] in kept


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "denied", "access_token": "s3cr3t", "page": 1}',
        b'{"password":"hunter2 s3cr3t", "page": 1}',
        b"{'api_key': 's3cr3t', 'page': 1}",
        b"secret=s3cr3t&page=1",
        b"Authorization: Bearer s3cr3t\npage",
        b"postgres://lab:hunter2@db/page",
        b'{"session-id": "s3cr3t',
        b"jwt eyJhbGciOiJIUzI1NiJ9.s3cr3t.hunter2 page",
    ],
)
def test_credentials_in_bodies_are_masked(body: bytes) -> None:
    """Passwords and tokens are replaced, one that is cut off in the middle included."""
    kept = body_text(body)
    assert "(masked)" in kept
    assert not [secret for secret in SECRETS if secret in kept]
    assert ("page" in kept) == (b"page" in body)


def test_what_is_kept_is_printable_and_bounded() -> None:
    """Control characters and other bytes are escapes; a server can send what it likes, but not fill the record."""
    assert body_text(b"no\r\n\x1b[31mroom\xff") == "no\\r\\n\\x1b[31mroom\\xff"
    assert body_text("zu viele Geräte \u202e".encode()) == "zu viele Geräte \\u202e"
    wrong = WrongAnswers(("status", "bulk"))
    headers = [(b"h%d" % number, b"\x00" * 5000) for number in range(500)]
    for number in range(2000):
        for endpoint in (0, 1):
            wrong.note(endpoint, Outcome.HTTP_ERROR, 400 + number % 200, headers, b"\x00" * 5000, due_s=0.0)
    assert len(wrong.first()) == 2 * MOST_KINDS
    assert len(json.dumps(wrong.first())) < 2 * MOST_KINDS * 20_000
    assert len(wrong.codes()) <= 10


def test_the_first_of_a_kind_stays_unless_another_shows_more() -> None:
    """Bytes of most bodies are thrown away: an answer that was looked at takes the place of one that was not, once."""
    wrong = WrongAnswers(("status", "bulk"))
    for number, body in enumerate([b"", b"seen", b"later"]):
        wrong.note(0, Outcome.WRONG_BODY, 200, [], body, due_s=float(number))
    assert [(one["due_s"], one["first_bytes"]) for one in wrong.first()] == [(1.0, "seen")]


def test_right_codes_are_counted_and_what_is_ours_is_not_kept() -> None:
    """Half an answer in a run that was interrupted says nothing of the server."""
    wrong = WrongAnswers(("status", "bulk"))
    for status in (429, 503, 503):
        wrong.note(0, Outcome.HTTP_ERROR, status, [], b"", due_s=0.0)
    wrong.note(1, Outcome.INTERRUPTED, 200, [], b"half", due_s=0.0)
    wrong.note(1, Outcome.CLOSED, 503, [], b"half", due_s=0.0)
    assert wrong.codes() == {"503": 2, "429": 1}
    assert [(one["endpoint"], one["outcome"]) for one in wrong.first()] == [
        ("status", "http_error"),
        ("status", "http_error"),
        ("bulk", "closed"),
    ]


BUSY = answer(b'{"why": "full"}', status="503 Service Unavailable", headers=b"Retry-After: 7\r\nSet-Cookie: sid=s3cr3t\r\n")
SLOWED = answer(b"", status="429 Too Many Requests")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock", "threads"])
def test_every_engine_keeps_the_first_wrong_answers(tmp_path: Path, engine: str) -> None:
    """In one piece or several, with a length or in chunks; counts are those of the rows."""
    chunked = b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
    scripts = [GOOD] * 6 + [[BUSY[:80], 0.01, BUSY[80:], "close"], [SLOWED, "close"], [chunked, "close"]] * 9 + [GOOD]
    rows, facts = measure(tmp_path, scripts, plan(warmup_s=0.0), engine, keep_alive=False)
    codes = sent_of(rows).filter(pl.col("outcome") == "http_error")["status"].value_counts()
    first: dict[int, dict[str, Any]] = {one["status"]: one for one in facts["first_wrong_answers"]}
    assert set(first) == set(codes["status"]) == {429, 500, 503}
    assert first[503]["first_bytes"] == '{"why": "full"}'
    assert ["Set-Cookie", "(masked)"] in [[name.title(), value] for name, value in first[503]["headers"]]
    assert ["Retry-After", "7"] in [[name.title(), value] for name, value in first[503]["headers"]]
    assert (first[500]["first_bytes"], first[429]["first_bytes"]) == ("no", "")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock", "threads"])
def test_a_page_instead_of_the_answer_is_kept(tmp_path: Path, engine: str) -> None:
    """Status 200 and other bytes, such as a page of a proxy: the first of them are in the record."""
    page = b"<html>Please log in" + b"." * 2000
    _, facts = measure(tmp_path, [[answer(page)]], plan(warmup_s=0.0), engine)
    (kept,) = facts["first_wrong_answers"]
    assert (kept["outcome"], kept["status"]) == ("wrong_body", 200)
    assert kept["first_bytes"] == page[:FIRST_BYTES].decode()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["httpx", "epoll", "httpx-stock", "threads"])
def test_right_answers_and_those_of_the_warm_up_leave_nothing(tmp_path: Path, engine: str) -> None:
    """Errors before the measured window, and good polls within it, are not kept as examples."""
    _, facts = measure(tmp_path, [[BUSY]] * 3 + [GOOD], plan(warmup_s=0.5, interval_s=0.3, phase="together"), engine)
    assert facts["totals"]["ok"] > 0
    assert facts["first_wrong_answers"] == []
