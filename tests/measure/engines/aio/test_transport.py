"""The lean transport against a server that misbehaves on purpose, byte for byte."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest

from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import ConnectionClosed, ConnectionReset, ProtocolViolation
from experiments.measure.servers.ports import free_port
from experiments.record.schema import Outcome
from tests.support.scripted_server import Step, answer, scripted

T = TypeVar("T")

BODY = b"0123456789" * 10
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(coroutine, 10))


async def ask(*scripts: list[Step], polls: int = 1, **options: Any) -> list[httpx.Response | Exception]:
    """What `polls` requests in a row on one transport come to."""
    results: list[httpx.Response | Exception] = []
    async with scripted(*scripts) as server, LeanTransport(**options) as transport:
        for _ in range(polls):
            try:
                response = await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
                await response.aread()
                results.append(response)
            except httpx.TransportError as error:
                results.append(error)
    return results


def content(result: httpx.Response | Exception) -> bytes:
    assert isinstance(result, httpx.Response)
    return result.content


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (answer(BODY), BODY),
        (answer(b""), b""),
        (CHUNKED, b"hello world"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(BODY), BODY),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer(BODY), BODY),
        (b"HTTP/1.1 200\r\ncontent-length:3\r\n\r\nabc", b"abc"),
    ],
    ids=["length", "empty", "chunked", "204", "304", "100", "two 1xx", "no reason"],
)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_an_answer_may_come_in_any_number_of_pieces(wire: bytes, body: bytes, piece: int) -> None:
    """However an answer is framed and cut, the same body comes out, and the connection serves the next request."""
    pieces: list[Step] = []
    for start in range(0, len(wire), piece):
        pieces += [wire[start : start + piece], 0.0]
    first, second = run(ask(pieces, [answer(b"next")], polls=2))
    assert content(first) == body
    assert content(second) == b"next"


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_head_may_come_before_its_body_and_say_that_the_connection_ends(keep_alive: bool) -> None:
    """The body is waited for, and only then the connection is given up."""
    wire = answer(BODY, headers=b"Connection: close\r\n")
    pieces: list[Step] = [wire[: -len(BODY)], 0.01, BODY, "close"]
    first, second = run(ask(pieces, pieces, polls=2, keep_alive=keep_alive))
    assert content(first) == content(second) == BODY


def test_an_answer_may_end_with_the_connection() -> None:
    """Without a length and without chunks the end of the connection is the end of the body."""
    (response,) = run(ask([b"HTTP/1.1 200 OK\r\n\r\nall of", 0.01, b" it", "close"]))
    assert content(response) == b"all of it"


@pytest.mark.parametrize(
    ("script", "kind", "outcome"),
    [
        (["close"], ConnectionClosed, Outcome.CLOSED),
        ([b"HTTP/1.1 200 OK\r\nContent-Le", "close"], ConnectionClosed, Outcome.CLOSED),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "close"], ConnectionClosed, Outcome.CLOSED),
        ([CHUNKED[:-12], "close"], ConnectionClosed, Outcome.CLOSED),
        (["reset"], ConnectionReset, Outcome.RESET),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 0.02, "reset"], ConnectionReset, Outcome.RESET),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], ProtocolViolation, Outcome.PROTOCOL_ERROR),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], ProtocolViolation, Outcome.PROTOCOL_ERROR),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], ProtocolViolation,
         Outcome.PROTOCOL_ERROR),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000], ProtocolViolation, Outcome.PROTOCOL_ERROR),
    ],
    ids=["nothing", "half a head", "half a body", "half of chunks", "reset", "late reset", "garbage", "bad length",
         "upgrade", "endless head"],
)  # fmt: skip
def test_a_broken_answer_has_its_reason(script: list[Step], kind: type[Exception], outcome: Outcome) -> None:
    """Each way to break an answer on a fresh connection ends as its own error, and as its own outcome."""
    (error,) = run(ask(script))
    assert isinstance(error, kind)
    assert outcome_of(error) is outcome


def test_nobody_listening_is_refused() -> None:
    """A closed port is told apart from other failures to connect."""

    async def connect() -> None:
        async with LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", f"http://127.0.0.1:{free_port()}/"))

    with pytest.raises(httpx.ConnectError) as caught:
        run(connect())
    assert outcome_of(caught.value) is Outcome.CONNECT_REFUSED


def test_a_connection_is_kept_and_counted() -> None:
    """Ten requests are ten attempts over one connection."""

    async def poll() -> tuple[int, int, int]:
        async with scripted([answer(BODY)]) as server, LeanTransport() as transport:
            for _ in range(10):
                await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return server.connections, transport.connects, transport.attempts

    assert run(poll()) == (1, 1, 10)


def test_without_keep_alive_each_request_has_its_connection() -> None:
    """`keep_alive=False` closes after each answer, even when the server would keep the connection."""

    async def poll() -> tuple[int, int, float]:
        async with scripted([answer(BODY)]) as server, LeanTransport(keep_alive=False) as transport:
            for _ in range(3):
                await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return server.connections, transport.reconnects, transport.connect_s

    connections, reconnects, connect_s = run(poll())
    assert (connections, reconnects) == (3, 0)
    assert connect_s > 0


def test_a_server_that_says_close_is_asked_on_a_new_connection() -> None:
    """`Connection: close` ends the connection without a failure and without a reconnect being counted."""

    async def poll() -> tuple[int, int]:
        closing = [answer(BODY, headers=b"Connection: close\r\n"), "close"]
        async with scripted(closing) as server, LeanTransport() as transport:
            for _ in range(2):
                await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return server.connections, transport.reconnects

    assert run(poll()) == (2, 0)


def test_a_connection_closed_while_idle_is_opened_again() -> None:
    """The server may close an idle connection: recorded, and no failure."""

    async def poll() -> tuple[int, int, int]:
        async with scripted([answer(BODY)]) as server, LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            server.close_connections()
            await asyncio.sleep(0.05)
            await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return server.connections, transport.reconnects, transport.retries

    assert run(poll()) == (2, 1, 0)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_get_that_met_a_closing_connection_is_asked_again_once(end: str) -> None:
    """On a reused connection that ends without a byte, HTTP permits one more try."""

    async def poll() -> tuple[int, int, bytes]:
        async with scripted([answer(b"1")], [end], [answer(b"2")]) as server, LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            response = await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return transport.retries, transport.attempts, await response.aread()

    assert run(poll()) == (1, 3, b"2")


@pytest.mark.parametrize(
    ("method", "script"), [("POST", ["close"]), ("GET", [b"HTTP/1.1 200 OK\r\n", "close"]), ("GET", ["close"])]
)
def test_what_must_not_be_asked_again_fails(method: str, script: list[Step]) -> None:
    """A POST, a GET that had begun to be answered, and a second closing in a row are failures."""

    async def poll() -> None:
        async with scripted([answer(b"1")], script) as server, LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            await transport.handle_async_request(httpx.Request(method, server.url + "/"))

    with pytest.raises(ConnectionClosed):
        run(poll())


def test_bytes_that_nobody_asked_for_spoil_the_connection() -> None:
    """A second answer to one request is never taken for the answer to the next."""
    first, second = run(ask([answer(b"one") + answer(b"surplus")], [answer(b"two")], polls=2))
    assert content(first) == b"one"
    assert content(second) == b"two"


def test_giving_up_on_an_answer_spoils_the_connection() -> None:
    """After a timeout the late answer must not meet the next request."""

    async def poll() -> bytes:
        async with scripted([0.2, answer(b"late")], [answer(b"next")]) as server, LeanTransport() as transport:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            response = await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            return await response.aread()

    assert run(poll()) == b"next"


def test_bodies_are_counted_and_compared_without_being_held() -> None:
    """`discard_bodies` leaves their length and CRC-32, and no byte of them."""
    import zlib

    async def poll() -> tuple[int, int, bytes, list[bytes]]:
        scripts = [answer(BODY[:50])], [answer(BODY)]
        async with scripted(*scripts) as server, LeanTransport(discard_bodies=True) as transport:
            await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            transport.checksum_wanted = True
            response = await transport.handle_async_request(httpx.Request("GET", server.url + "/"))
            held = transport.answer.body
            return transport.answer.body_bytes, transport.answer.checksum, await response.aread(), held

    assert run(poll()) == (100, zlib.crc32(BODY), b"", [])


def test_it_serves_any_httpx_client() -> None:
    """The transport is an ordinary httpx transport: status, headers, JSON and a posted body work as usual."""

    async def poll() -> tuple[int, str, object, bytes]:
        wire = answer(b'{"a": 1}', status="201 Created", headers=b"Content-Type: application/json\r\n")
        async with scripted([wire]) as server, httpx.AsyncClient(transport=LeanTransport()) as client:
            response = await client.post(server.url + "/x?y=1", content=b"")
            return response.status_code, response.headers["content-type"], response.json(), server.requests[0]

    status, kind, content, request = run(poll())
    assert (status, kind, content) == (201, "application/json", {"a": 1})
    assert request.startswith(b"POST /x?y=1 HTTP/1.1\r\n")


def test_another_protocol_is_refused_in_words() -> None:
    """The lean transport speaks http and https, and says so."""

    async def poll() -> None:
        async with LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", "ftp://127.0.0.1/"))

    with pytest.raises(httpx.UnsupportedProtocol, match="speaks http and https, not 'ftp'"):
        run(poll())
