"""The lean transport over TLS, against real handshakes."""

import asyncio
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from experiments.measure.engines.aio.tls import TlsProtocol
from experiments.measure.engines.aio.transport import LeanTransport
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.http1 import ConnectionClosed, ProtocolViolation
from experiments.measure.engines.tls import Contexts, Tls
from experiments.record.schema import Outcome
from tests.support.certificates import Authority
from tests.support.scripted_server import Step, answer, scripted, serving

BODY = b"0123456789" * 20_480
HERE = "127.0.0.1"
VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on each loop that carries load: a kernel's, and that of a generator process."""

    def running(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(coroutine, 20))

    return running


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def trusting(authority: Authority, certificate: tuple[Path, Path] | None = None, *, verify: bool = True) -> ssl.SSLContext:
    return Contexts(Tls(ca=str(authority.file), verify=verify)).of(certificate)


async def failure(url: str, context: ssl.SSLContext | None, **extensions: Any) -> httpx.TransportError:
    """What one GET comes to that must not succeed."""
    async with LeanTransport(context=context) as transport:
        with pytest.raises(httpx.TransportError) as caught:
            await transport.exchange(httpx.Request("GET", url, extensions=extensions))
        assert transport.tls_s > 0
    return caught.value


@VERSIONS
def test_a_connection_is_kept_and_its_handshake_told_apart(run: Run, authority: Authority, version: ssl.TLSVersion) -> None:
    """The first of three requests connects and shakes hands, the others do neither; each notes its first byte and last."""
    served = authority.server(HERE)
    served.maximum_version = version

    async def poll() -> None:
        pieces: list[Step] = [answer(BODY)[:40], 0.01, answer(BODY)[40:]]
        async with scripted(pieces, tls=served) as server, LeanTransport(context=trusting(authority)) as transport:
            seen = []
            for _ in range(3):
                got = await transport.exchange(httpx.Request("GET", server.url + "/x"))
                assert (got.status, b"".join(got.body)) == (200, BODY)
                assert 0 < transport.first_byte_at < got.done_at
                seen.append((transport.connect_s > 0, transport.tls_s > 0))
            assert seen == [(True, True), (False, False), (False, False)]
            assert (server.connections, transport.connects, transport.handshakes, transport.resumptions) == (1, 1, 1, 0)

    run(poll())


def test_long_bodies_go_both_ways(run: Run, authority: Authority) -> None:
    """Many records of TLS make one body, whole and in the right order, asked and answered."""
    received = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received.append(await reader.readexactly(len(BODY)))
        writer.write(answer(BODY))
        await writer.drain()

    async def poll() -> None:
        async with (
            serving(serve, tls=authority.server(HERE)) as url,
            LeanTransport(context=trusting(authority), discard_bodies=True) as transport,
        ):
            transport.checksum_wanted = True
            got = await transport.exchange(httpx.Request("POST", url, content=BODY))
            assert (got.body_bytes, got.checksum) == (len(BODY), zlib.crc32(BODY))

    run(poll())
    assert received == [BODY]


@pytest.mark.parametrize(
    ("names", "options", "reason"),
    [
        ([HERE], {"expired": True}, "certificate has expired"),
        (["elsewhere.example"], {}, "IP address mismatch"),
    ],
    ids=["expired", "another name"],
)
def test_a_certificate_that_is_not_right_is_refused(
    run: Run, authority: Authority, names: list[str], options: dict[str, Any], reason: str
) -> None:
    """In OpenSSL's words, and as a connection that failed by the server's doing; unless nothing is to be checked."""

    async def poll() -> None:
        async with scripted([answer(b"1")], tls=authority.server(*names, **options)) as server:
            error = await failure(server.url, trusting(authority))
            assert isinstance(error, httpx.ConnectError)
            assert reason in str(error)
            assert outcome_of(error) is Outcome.CONNECT_FAILED
            assert server.requests == []
            async with LeanTransport(context=trusting(authority, verify=False)) as transport:
                assert (await transport.exchange(httpx.Request("GET", server.url))).status == 200

    run(poll())


def test_a_certificate_of_an_authority_that_nobody_trusts_is_refused(run: Run, authority: Authority, tmp_path: Path) -> None:
    """Also by who says nothing of TLS and so trusts whom the system trusts."""
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")

    async def poll() -> None:
        async with scripted([answer(b"1")], tls=authority.server(HERE)) as server:
            for context in (trusting(stranger), None):
                error = await failure(server.url, context)
                assert "certificate verify failed" in str(error)
                assert outcome_of(error) is Outcome.CONNECT_FAILED

    run(poll())


def test_two_hosts_behind_one_address_are_told_apart_by_name(run: Run, authority: Authority) -> None:
    """The server is asked for by its name, whatever the URL's numbers say, and shows the certificate of that name."""
    hosts = {name: authority.server(name) for name in ("one.example", "two.example")}
    asked = []

    def choose(connection: ssl.SSLObject, name: str, context: ssl.SSLContext) -> None:
        asked.append(name)
        connection.context = hosts[name]

    front = authority.server("front.example")
    front.sni_callback = choose  # type: ignore[assignment]

    async def poll() -> None:
        async with scripted([answer(b"1")], tls=front) as server:
            context = trusting(authority)
            async with LeanTransport(context=context) as transport, LeanTransport(context=context) as device:
                device._address = transport._address = (HERE, server.port)
                for host in hosts:
                    request = httpx.Request("GET", f"https://{host}:{server.port}/")
                    assert (await transport.handle_async_request(request)).status_code == 200
                numbers = httpx.Request("GET", server.url, extensions={"sni_hostname": "two.example"})
                assert (await device.exchange(numbers)).status == 200

    run(poll())
    assert asked == ["one.example", "two.example", "two.example"]


@VERSIONS
def test_a_server_may_ask_for_the_devices_certificate(
    run: Run, authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """Shown, the device is answered; without, or with a stranger's, it failed to connect, also where TLS tells it late."""
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    served = authority.server(HERE, clients=authority)
    served.maximum_version = version

    async def poll(port: int) -> None:
        url = f"https://{HERE}:{port}/"
        mine = trusting(authority, authority.issued("device-1.example"))
        async with LeanTransport(context=mine) as transport:
            assert (await transport.exchange(httpx.Request("GET", url))).status == 200
        for other in (None, stranger.issued("device-2.example")):
            error = await failure(url, trusting(authority, other))
            assert isinstance(error, httpx.ConnectError)
            assert outcome_of(error) is Outcome.CONNECT_FAILED
            assert "TLS" in str(error)

    with _blocking_server(served, connections=3) as port:
        run(poll(port))


@contextmanager
def _blocking_server(context: ssl.SSLContext, connections: int) -> Iterator[int]:
    """Answers a request a connection, and tells a device why its handshake failed, which asyncio's servers do not."""
    with socket.create_server((HERE, 0)) as listener:

        def serve() -> None:
            for _ in range(connections):
                plain, _ = listener.accept()
                with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
                    secured.recv(1000)
                    secured.sendall(answer(b"1"))
                    secured.recv(1000)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_a_server_that_says_nothing_of_a_refused_certificate_is_no_connection(run: Run, authority: Authority) -> None:
    """As those of asyncio; the words say what it may be."""

    async def poll() -> None:
        async with scripted([answer(b"1")], tls=authority.server(HERE, clients=authority)) as server:
            error = await failure(server.url, trusting(authority))
            assert outcome_of(error) is Outcome.CONNECT_FAILED
            assert "certificate of the device" in str(error)
            assert server.requests == []

    run(poll())


def test_a_server_that_ends_the_first_request_after_a_whole_handshake_has_closed(run: Run, authority: Authority) -> None:
    """Its tickets tell that the handshake was over on its side too, so the request is what it did not answer."""

    async def poll() -> None:
        async with scripted([0.02, "close"], tls=authority.server(HERE)) as server:
            error = await failure(server.url, trusting(authority))
            assert outcome_of(error) is Outcome.CLOSED
            assert len(server.requests) == 1

    run(poll())


@VERSIONS
def test_a_new_connection_resumes_the_session(run: Run, authority: Authority, version: ssl.TLSVersion) -> None:
    """Without keep-alive every handshake but the first is short, as the server counts them too."""
    served = authority.server(HERE)
    served.maximum_version = version

    async def poll() -> None:
        async with scripted([answer(b"1")], tls=served) as server:
            async with LeanTransport(context=trusting(authority), keep_alive=False) as transport:
                for _ in range(4):
                    await transport.exchange(httpx.Request("GET", server.url))
                assert (transport.handshakes, transport.resumptions) == (4, 3)
            async with LeanTransport(context=trusting(authority)) as another:
                await another.exchange(httpx.Request("GET", server.url))
                assert another.resumptions == 0

    run(poll())
    assert served.session_stats()["hits"] == 3


def test_it_goes_over_ipv6(run: Run, authority: Authority) -> None:
    """The address in the URL is the name in the certificate."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")

    async def poll() -> None:
        async with (
            scripted([answer(b"1")], tls=authority.server("::1"), host="::1") as server,
            LeanTransport(context=trusting(authority)) as transport,
        ):
            assert (await transport.exchange(httpx.Request("GET", server.url))).status == 200

    run(poll())


def test_a_connection_closed_while_idle_is_opened_again(run: Run, authority: Authority) -> None:
    """The server's last word ends it, and that is no failure."""

    async def poll() -> None:
        async with (
            scripted([answer(b"1")], tls=authority.server(HERE)) as server,
            LeanTransport(context=trusting(authority)) as transport,
        ):
            await transport.exchange(httpx.Request("POST", server.url))
            server.close_connections()
            while transport._protocol is not None and transport._protocol.usable:
                await asyncio.sleep(0.001)
            await transport.exchange(httpx.Request("POST", server.url))
            assert (transport.reconnects, transport.retries, len(transport.rests_s)) == (1, 0, 1)

    run(poll())


def test_an_answer_that_ends_with_the_connection_needs_the_last_word(run: Run, authority: Authority) -> None:
    """Without it anybody could have cut the answer, so it is none."""
    wire = b"HTTP/1.1 200 OK\r\n\r\nall of it"

    async def poll() -> None:
        async with scripted([wire, "close"], [wire, "cut"], tls=authority.server(HERE)) as server:
            async with LeanTransport(context=trusting(authority)) as transport:
                got = await transport.exchange(httpx.Request("GET", server.url))
                assert got.body == [b"all of it"]
            error = await failure(server.url, trusting(authority))
            assert isinstance(error, ConnectionClosed)

    run(poll())


def test_garbage_within_tls_is_no_answer(run: Run, authority: Authority) -> None:
    """What is no HTTP within TLS fails as a protocol error, and no error of OpenSSL comes out."""

    async def poll() -> None:
        async with scripted([b"SSH-2.0-OpenSSH_9.2\r\n"], tls=authority.server(HERE)) as server:
            assert isinstance(await failure(server.url, trusting(authority)), ProtocolViolation)

    run(poll())


@pytest.mark.parametrize(("says", "reason"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version"), (b"", "closed")])
def test_a_server_without_tls_is_no_connection(run: Run, authority: Authority, says: bytes, reason: str) -> None:
    """Whether it answers in the clear or hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(says)

    async def poll() -> None:
        async with serving(serve) as url:
            error = await failure(url.replace("http:", "https:"), trusting(authority))
            assert reason in str(error)
            assert outcome_of(error) is Outcome.CONNECT_FAILED

    run(poll())


@pytest.mark.parametrize("limited", [True, False], ids=["the request's limit", "the caller's patience"])
def test_a_handshake_that_never_ends_is_still_connecting(run: Run, authority: Authority, limited: bool) -> None:
    """A poll that is given up then counts as not connected, and its connection is closed."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()

    async def poll() -> None:
        async with serving(serve) as plain:
            url = plain.replace("http:", "https:")
            async with LeanTransport(context=trusting(authority)) as transport:
                if limited:
                    request = httpx.Request("GET", url, extensions={"timeout": {"connect": 0.05}})
                    with pytest.raises(httpx.ConnectTimeout):
                        await transport.handle_async_request(request)
                else:
                    asking = asyncio.ensure_future(transport.exchange(httpx.Request("GET", url)))
                    await asyncio.sleep(0.05)
                    assert transport.connecting
                    asking.cancel()
                    await asyncio.wait([asking])
                # A caller who gives up asks what it was waiting for; a limit of the request's own says so by its error.
                assert transport.connecting is not limited
                assert transport.tls_s > 0
                await ended.wait()

    run(poll())


def test_a_reused_connection_that_ends_early_has_closed(run: Run, authority: Authority) -> None:
    """As without TLS: a GET is asked again, which a POST must not be."""

    async def poll() -> tuple[int, Outcome]:
        scripts: list[list[Step]] = [[answer(b"1")], ["close"], [answer(b"2")], ["close"]]
        async with (
            scripted(*scripts, tls=authority.server(HERE)) as server,
            LeanTransport(context=trusting(authority)) as transport,
        ):
            for _ in range(2):
                await transport.exchange(httpx.Request("GET", server.url))
            with pytest.raises(httpx.TransportError) as caught:
                await transport.exchange(httpx.Request("POST", server.url))
            return transport.retries, outcome_of(caught.value)

    assert run(poll()) == (1, Outcome.CLOSED)


def test_what_nobody_asked_for_is_no_session_of_ours(run: Run, authority: Authority) -> None:
    """Until something of an answer came there is no session that could be resumed."""

    async def look() -> None:
        protocol = TlsProtocol(lambda: 0.0, keep_bodies=False, context=trusting(authority), name=HERE)
        assert protocol.session is None

    run(look())
