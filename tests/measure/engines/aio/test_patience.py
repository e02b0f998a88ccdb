"""The lean transport as an httpx client's own: bodies in pieces, timeouts, one request at a time, what a response tells."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest
import uvloop

from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.errors import outcome_of
from experiments.record.schema import Outcome
from tests.support.scripted_server import answer, scripted, serving

HERE = "127.0.0.1"
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on each loop that carries load."""

    def running(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(coroutine, 20))

    return running


async def pieces(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


async def posted(content: Any, headers: dict[str, str] | None = None) -> bytes:
    """What comes to a server of a POST, to the end that its head promises."""
    received = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = await reader.readuntil(b"0\r\n\r\n")
        else:
            body = await reader.readexactly(11)
        received.set_result(head + body)
        writer.write(answer(b"thanks"))
        await reader.read()

    async with serving(serve) as url, httpx.AsyncClient(transport=LeanTransport()) as client:
        assert (await client.post(url, content=content, headers=headers)).text == "thanks"
    text: bytes = await received
    return text


def test_a_body_from_an_iterator_is_sent_in_chunks(run: Run) -> None:
    """Each piece is one, an empty one is none, and the last chunk ends the body."""
    text = run(posted(pieces(b"hello", b"", b" world of chunks")))
    head, _, body = text.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert body == b"5\r\nhello\r\n10\r\n world of chunks\r\n0\r\n\r\n"


def test_a_body_from_an_iterator_of_known_length_is_sent_as_it_is(run: Run) -> None:
    """Its head says the length, so there are no chunks."""
    text = run(posted(pieces(b"hello", b" world"), {"Content-Length": "11"}))
    assert text.endswith(b"\r\n\r\nhello world")
    assert b"transfer-encoding" not in text.lower()


def test_a_request_in_pieces_is_not_asked_again(run: Run) -> None:
    """Some of them are gone when a reused connection ends, even if its method could be repeated."""

    async def poll() -> int:
        async with scripted([answer(b"1")], ["close"]) as server, LeanTransport() as transport:
            await transport.handle_async_request(httpx.Request("GET", server.url))
            with pytest.raises(httpx.TransportError):
                await transport.handle_async_request(httpx.Request("GET", server.url, content=pieces(b"a", b"b")))
            return transport.retries

    assert run(poll()) == 0


def test_a_server_may_answer_before_it_has_the_whole_request(run: Run) -> None:
    """The answer counts, the rest is not sent, and the next request has a connection of its own."""
    never = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"piece"
            await asyncio.sleep(0.02)
        yield b"too late"
        await never.wait()

    async def poll() -> tuple[int, int, int]:
        async with scripted([answer(b"", status="413 Too Large")], [answer(b"2")]) as server, LeanTransport() as transport:
            first = await transport.handle_async_request(httpx.Request("POST", server.url, content=endless()))
            second = await transport.handle_async_request(httpx.Request("GET", server.url))
            return first.status_code, second.status_code, server.connections

    assert run(poll()) == (413, 200, 2)


def test_a_response_tells_its_http_version(run: Run) -> None:
    """Whether its head was parsed, or is one that was seen before."""

    async def poll() -> list[str]:
        old = b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1"
        scripts = [[old], [old], [answer(b"1")], [answer(b"1")]]
        async with scripted(*scripts) as server, httpx.AsyncClient(transport=LeanTransport()) as client:
            return [(await client.get(server.url)).http_version for _ in range(4)]

    assert run(poll()) == ["HTTP/1.0", "HTTP/1.0", "HTTP/1.1", "HTTP/1.1"]


async def with_limit(serve: Serve, limits: dict[str, float], content: Any = None) -> tuple[httpx.Response, LeanTransport]:
    """What one request comes to that has these limits."""
    async with serving(serve) as url, LeanTransport() as transport:
        request = httpx.Request("POST", url, content=content, extensions={"timeout": limits})
        return await transport.handle_async_request(request), transport


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes a head, answers half of one, and no more."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await asyncio.Event().wait()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads nothing."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("serve", "limits", "size", "error", "outcome"),
    [
        (silent, {"read": 0.05}, 1, httpx.ReadTimeout, Outcome.READ_TIMEOUT),
        (deaf, {"write": 0.05}, 50_000_000, httpx.WriteTimeout, Outcome.READ_TIMEOUT),
    ],
    ids=["read", "write"],
)
@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
def test_a_limit_of_the_request_is_kept(
    run: Run, serve: Serve, limits: dict[str, float], size: int, error: type[Exception], outcome: Outcome, in_pieces: bool
) -> None:
    """Each by its own error of httpx, whose text says how long that was."""
    content = b"x" * size
    with pytest.raises(error, match=r"0\.05 s") as caught:
        run(with_limit(serve, limits, pieces(content) if in_pieces else content))
    assert outcome_of(caught.value) is outcome


def test_an_answer_that_goes_on_coming_is_waited_for(run: Run) -> None:
    """The limit is for a piece and not for all of them."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for letter in answer(b"x" * 40):
            writer.write(bytes([letter]))
            await asyncio.sleep(0.02)

    response, transport = run(with_limit(slow, {"read": 0.7}))
    assert response.status_code == 200
    assert transport.answer.done_at - transport.first_byte_at > 0.7


def test_no_connection_within_the_limit_is_a_connect_timeout(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that never answers: the transport is no longer connecting afterwards."""

    async def poll() -> None:
        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        async with LeanTransport() as transport:
            monkeypatch.setattr(transport, "_open", never)
            request = httpx.Request("GET", f"http://{HERE}:1/", extensions={"timeout": {"connect": 0.01}})
            with pytest.raises(httpx.ConnectTimeout):
                await transport.handle_async_request(request)
            assert not transport.connecting

    run(poll())


def test_requests_take_turns(run: Run) -> None:
    """Many at once share the one connection, one after the other, and each has its own answer."""

    async def poll() -> tuple[list[str], int]:
        scripts = [[0.002, answer(b"%d" % number)] for number in range(20)]
        async with scripted(*scripts) as server, httpx.AsyncClient(transport=LeanTransport()) as client:
            got = await asyncio.gather(*(client.get(server.url) for _ in range(20)))
            return [one.text for one in got], server.connections

    assert run(poll()) == ([str(number) for number in range(20)], 1)


def test_a_response_that_nobody_reads_holds_the_connection(run: Run) -> None:
    """A request with a limit waits for its turn, as with httpx's own transport; a forgotten response holds nothing."""

    async def poll() -> str:
        async with scripted([answer(b"1")], [answer(b"2")]) as server:
            limit = httpx.Timeout(5, pool=0.02)
            async with httpx.AsyncClient(transport=LeanTransport(), timeout=limit) as client:
                async with client.stream("GET", server.url):
                    with pytest.raises(httpx.PoolTimeout, match=r"0\.02 s"):
                        await client.get(server.url)
                await client.send(client.build_request("GET", server.url), stream=True)
                gc.collect()  # Response and stream know each other.
                return (await client.get(server.url)).text

    assert run(poll()) == "2"


def test_a_client_that_goes_elsewhere_leaves_the_connection(run: Run) -> None:
    """A request never goes to the server before, as after a redirect to another one."""

    async def poll() -> tuple[str, int]:
        async with scripted([answer(b"there")]) as there:
            moved = answer(b"", status="302 Found", headers=b"Location: " + there.url.encode() + b"/x\r\n")
            following = httpx.AsyncClient(transport=LeanTransport(), follow_redirects=True)
            async with scripted([moved]) as here, following as client:
                return (await client.get(here.url)).text, len(here.requests)

    assert run(poll()) == ("there", 1)
