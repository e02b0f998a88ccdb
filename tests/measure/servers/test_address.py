"""Which of a name's addresses the devices use."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from experiments.errors import ServerStartError
from experiments.measure.engines.target import Target
from experiments.measure.servers import address
from experiments.measure.servers.address import Address, first_that_answers, look_up
from experiments.measure.servers.external import ExternalServer
from experiments.measure.servers.ports import free_port
from experiments.schedule import Plan
from tests.support.scripted_server import answer, scripted

SIX, FOUR = ("::1", 80), ("127.0.0.1", 80)


def named(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Every name has these addresses, in this order."""
    real = socket.getaddrinfo

    def look(host: str | bytes | None, port: object, *args: object, **options: object) -> list[object]:
        if host != "localhost":
            return real(host, port, *args, **options)  # type: ignore[arg-type, return-value]
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", look)


def test_all_addresses_of_a_name_are_found_once_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server may say one of them twice."""
    named(monkeypatch, "::1", "127.0.0.1", "::1")
    assert look_up("http://localhost:80") == [SIX, FOUR]


def choose(addresses: list[Address], ask: Callable[[Address], object]) -> Address:
    return asyncio.run(first_that_answers(addresses, ask))


def refusing(*refused: Address) -> Callable[[Address], None]:
    def ask(where: Address) -> None:
        if where in refused:
            raise ConnectionRefusedError(111, "Connection refused")

    return ask


def test_the_first_address_that_answers_is_taken() -> None:
    """In the system's order, and the next one only where the one before fails."""
    assert choose([SIX, FOUR], refusing()) == SIX
    assert choose([SIX, FOUR], refusing(SIX)) == FOUR


def test_every_address_that_failed_is_told() -> None:
    """Of a name with one address the reason alone; of several, which one had which."""
    with pytest.raises(OSError, match=r"^Connection refused$"):
        choose([FOUR], refusing(FOUR))
    with pytest.raises(OSError, match=r"^::1: Connection refused; 127.0.0.1: Connection refused$"):
        choose([SIX, FOUR], refusing(SIX, FOUR))


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No waiting for an address that is silent, and what ends its silence."""
    monkeypatch.setattr(address, "_NEXT_S", 0.001)
    silence = threading.Event()
    yield silence
    silence.set()


def test_a_silent_address_does_not_hold_up_the_next_one(patience: threading.Event) -> None:
    """The second is tried while the first has not failed yet."""

    def ask(where: Address) -> None:
        if where == SIX:
            patience.wait(5)
            raise TimeoutError

    async def main() -> Address:
        chosen = await first_that_answers([SIX, FOUR], ask)
        patience.set()
        return chosen

    assert asyncio.run(main()) == FOUR


def test_devices_use_the_address_that_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """::1 comes first and nobody is there: record, questions and requests all have 127.0.0.1, and the name as Host."""
    named(monkeypatch, "::1", "127.0.0.1")

    async def ask() -> tuple[ExternalServer, list[bytes]]:
        async with scripted([answer(b"y" * 100)]) as stranger:
            url = f"http://localhost:{stranger.port}"
            server = ExternalServer(url=url, status_bytes=100, bulk_bytes=3, polled=("status",))
            await server.start()
            # From here on the name alone would lead elsewhere.
            named(monkeypatch, "::1")
            await server.verify()
            await server.served(deadline_s=0.05)
            return server, stranger.requests

    server, requests = asyncio.run(ask())
    host, port = server.address
    assert (host, server.facts()["address"], server.facts()["addresses"]) == ("127.0.0.1",) * 2 + (["::1", "127.0.0.1"],)
    assert {line for request in requests for line in request.split(b"\r\n") if line.startswith(b"Host")} == {
        b"Host: localhost:%d" % port
    }
    target = Target.hello(server.url, server.address, True, 1.0, (100, 3), (0, 0))
    request = first_request(target)
    assert (str(request.url), request.headers["Host"]) == (f"http://127.0.0.1:{port}/hello?page=1", f"localhost:{port}")


def first_request(target: Target) -> httpx.Request:
    """Of the first device, for a transport that is not ours."""
    (pollers,) = target.pollers(Plan.of_ratio(1, 1.0, 1, 0, "spread", "fixed", 1, 0.0, 1.0), [0])
    return target.request(pollers[0], 1)


def test_an_address_of_six_is_written_as_urls_want_it() -> None:
    """In brackets; one that belongs to an interface cannot be written, so the name stays."""
    for host, base in (("::1", "http://[::1]:81"), ("fe80::1%eth0", "http://name:81")):
        target = Target.hello("http://name:81", (host, 81), True, 1.0, (100, 3), (0, 0))
        assert str(first_request(target).url) == f"{base}/hello?page=1"


def test_a_name_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists every address that was tried, with what became of it."""
    named(monkeypatch, "127.0.0.2", "127.0.0.1")
    port = free_port()
    with pytest.raises(ServerStartError) as error:
        asyncio.run(ExternalServer(url=f"http://localhost:{port}", status_bytes=100, bulk_bytes=3).start())
    assert "(127.0.0.2: Connection refused; 127.0.0.1: Connection refused)" in str(error.value)


@pytest.mark.parametrize(("weights", "polled"), [((10, 1), ("status", "bulk")), ((1, 0), ("status",)), ((0, 3), ("bulk",))])
def test_what_is_polled_at_all(weights: tuple[int, int], polled: tuple[str, ...]) -> None:
    """An endpoint with weight 0 never is."""
    assert Plan.of_ratio(1, 1.0, *weights, "spread", "fixed", 1, 0.0, 1.0).ever_polled == polled
