"""One device asks before the load, as all devices will: what is not right is said, and refused."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from experiments.errors import GeneratorError, ServerContractError
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.precheck import Precheck
from experiments.scenario import Scenario
from experiments.target import loading
from experiments.target.tried import Tried
from tests.support.certificates import Authority
from tests.support.scripted_server import Step, answer, scripted

TARGET = """
headers: {{Authorization: "Bearer {{env.TOKEN}}"}}
{more}
endpoints:
  status:
    request: GET /status?device={{index}}
    expect: {{status: 200, bytes: 20..40, json: {{next_poll_ms: 3000}}}}
  config:
    request: GET /config
    every_s: 9
    expect: {{status: [200, 304]}}
"""
RIGHT = answer(b'{"next_poll_ms": 3000}', headers=b"Set-Cookie: a=b\r\n")
CONFIG = answer(b"fine")


def check(folder: Path, monkeypatch: pytest.MonkeyPatch, *, transport: str = "", more: str = "", **asked: Any) -> Precheck:
    """What one device asks of that target."""
    monkeypatch.setenv("TOKEN", "s3cret-token")
    text = TARGET.format(more=more)
    return Precheck(loading.read(text, folder / "mine.yaml"), Scenario(clients=3, **asked).parts.load, transport)


def tried(check: Precheck, *scripts: Sequence[Step], **served: Any) -> tuple[Tried, list[bytes]]:
    """What came of asking a server that answers so, and what it was asked."""

    async def main() -> tuple[Tried, list[bytes]]:
        async with scripted(*scripts, **served) as server:
            return await check.round(server.url, ("127.0.0.1", server.port)), server.requests

    return asyncio.run(main())


def test_each_endpoint_is_asked_once_as_the_first_device_will(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one connection, with its own values; what is shown has no secret, and the steps that took time have it."""
    came, requests = tried(check(tmp_path, monkeypatch), [RIGHT], [CONFIG])
    assert [one.splitlines()[0] for one in requests] == [b"GET /status?device=0 HTTP/1.1", b"GET /config HTTP/1.1"]
    assert b"Bearer s3cret-token" in requests[0]
    assert came.right
    status, config = came.exchanges
    assert ("Authorization", "Bearer ***") in status.request.headers
    assert status.answer is not None
    assert ("Set-Cookie", "***") in status.answer.headers
    assert (status.answer.status, status.answer.wire_bytes, status.answer.body) == (200, 22, '{"next_poll_ms": 3000}')
    assert (status.times_ms["dns"], status.times_ms["tls"], config.times_ms["connect"]) == (None, 0.0, 0.0)
    assert None not in (status.times_ms["connect"], status.times_ms["first_byte"], status.times_ms["last_byte"])


@pytest.mark.parametrize(
    ("first", "failure", "says"),
    [
        ([answer(b"no", status="401 No")], "status", r"status: status: expected status 200; came 401 with the body no"),
        ([answer(b'{"next_poll_ms": 3000, "x": "123456789012345"}')], "bytes", "expected 20..40 bytes on the wire; came 46"),
        ([answer(b'{"next_poll_ms": 10.5}')], "json.next_poll_ms", r"next_poll_ms: .*3000; came .*10\.5"),
        (["close"], "no answer", "status: there was no answer"),
        ([b"SSH-2.0-x\r\n\r\n"], "no answer", "status: there was no answer"),
    ],
    ids=["status", "bytes", "json", "closed", "no HTTP"],
)
def test_an_answer_that_is_not_right_is_explained_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: list[Step], failure: str, says: str
) -> None:
    """In the words of the target's expectations; the other endpoint is asked all the same."""
    asked = check(tmp_path, monkeypatch)
    came, _ = tried(asked, first, [CONFIG])
    assert [one.failure for one in came.exchanges] == [failure, None]
    with pytest.raises(ServerContractError, match=says) as refused:
        asked.refuse(came)
    assert "s3cret-token" not in str(refused.value)


def test_a_server_that_is_silent_is_left_after_the_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the load; then the next endpoint is asked."""
    came, _ = tried(check(tmp_path, monkeypatch, timeout_s=0.05), [3600.0])
    assert [one.explanation for one in came.exchanges] == ["there was no answer: not within 0.05 s."] * 2


def test_a_secret_that_comes_back_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An echo of the token stands neither in the body nor in the sentence on it."""
    came, _ = tried(check(tmp_path, monkeypatch), [answer(b"who is s3cret-token?", status="403 No")], [CONFIG])
    assert "s3cret-token" not in repr(came)
    assert "who is ***?" in repr(came)


def test_tls_is_checked_as_the_load_will(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the target's CA file; a server whose certificate nobody trusts is refused with the reason."""
    authority = Authority(tmp_path)
    server = authority.server("127.0.0.1")
    trusting = check(tmp_path, monkeypatch, more=f"url: https://127.0.0.1\ntls: {{ca: {authority.file.name}}}")
    came, _ = tried(trusting, [RIGHT], [CONFIG], tls=server)
    assert came.right
    assert (came.exchanges[0].times_ms["tls"] or 0) > 0
    came, _ = tried(check(tmp_path, monkeypatch, more="url: https://127.0.0.1"), [RIGHT], [CONFIG], tls=server)
    assert "certificate verify failed" in came.exchanges[0].explanation


MADE_FOR: list[int] = []


class Own(LeanTransport):
    """A user's transport that says who made it, and cannot be closed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Made"] = "by me"
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        await super().aclose()
        raise ValueError("stuck")


def numbered(device: int) -> httpx.AsyncBaseTransport:
    MADE_FOR.append(device)
    return Own()


def broken() -> httpx.AsyncBaseTransport:
    raise KeyError("certificate")


def test_a_transport_of_the_users_is_what_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made for the first device, whose number it is told; what it adds to a request is sent."""
    MADE_FOR.clear()
    came, requests = tried(check(tmp_path, monkeypatch, transport=f"{__name__}:numbered"), [RIGHT], [CONFIG])
    assert came.right
    assert MADE_FOR == [0]
    assert all(b"X-Made: by me" in one for one in requests)


def test_a_transport_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked."""
    with pytest.raises(GeneratorError, match="broken' failed when it was called for device 0"):
        tried(check(tmp_path, monkeypatch, transport=f"{__name__}:broken"), [RIGHT])


@pytest.mark.parametrize(
    ("more", "first", "reason"),
    [
        ("ready: /up", answer(b""), None),
        ("ready: {path: /up, status: [204, 404]}", answer(b"", status="404 No"), None),
        ("ready: /up", answer(b"", status="503 No"), "GET /up was answered 503, not 200"),
        ("", RIGHT, None),
        ("", answer(b"", status="503 No"), "status: status: expected status 200; came 503 with an empty body."),
    ],
)
def test_ready_is_what_the_target_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, first: bytes, reason: str | None
) -> None:
    """A path and its statuses, or else that the first endpoint answers rightly; one question each."""
    asked = check(tmp_path, monkeypatch, more=more)

    async def main() -> tuple[str | None, int]:
        async with scripted([first]) as server:
            return await asked.ready(server.url, ("127.0.0.1", server.port)), len(server.requests)

    assert asyncio.run(main()) == (reason, 1)
