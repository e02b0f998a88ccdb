"""What the devices ask: where, which requests, and what a right answer looks like."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from experiments.measure.engines import sources
from experiments.measure.engines.tls import Contexts, Tls
from experiments.schedule import Plan
from experiments.target import hello, loading
from experiments.target.loaded import Loaded
from experiments.target.poller import Poller
from experiments.target.requests.request import with_host
from experiments.target.swarm import Swarm, prepare


@dataclass(frozen=True)
class Target:
    """A server, seen from a device. Plain data without secrets, so that it travels to a generator as JSON."""

    url: str
    """Scheme, host and port."""
    address: tuple[str, int]
    """Where somebody answered for `url` before the load: all devices connect to this one, whatever else its name means."""
    keep_alive: bool
    """False: a connection per request."""
    timeout_s: float
    """Seconds from the start of an attempt to its failure."""
    text: str
    """Of the target's file; what comes from the environment is not filled in."""
    path: str
    """Of that file: what it names lies beside it."""
    first: dict[str, int] = field(default_factory=dict)
    """CRC-32 of right answers by endpoint, where the same bytes are expected and were seen before the load."""
    sources: tuple[str, ...] = ()
    """Local addresses that the devices share out among themselves; empty where the system chooses."""
    digest: str = ""
    """Of the file and what it names beside it, as it was read where the run was started; empty: not to be compared."""
    beside: tuple[Target, ...] = ()
    """The other servers of the run, from number 1 on; only the first one has any."""

    @classmethod
    def of(
        cls, loaded: Loaded, url: str, address: tuple[str, int], *, keep_alive: bool, timeout_s: float,
        first: dict[str, int] | None = None, sources: tuple[str, ...] = (),
    ) -> Self:  # fmt: skip
        """A target that was read, on a server that runs."""
        return cls(url, address, keep_alive, timeout_s, loaded.text, str(loaded.path), first or {}, sources, loaded.digest)

    @classmethod
    def hello(
        cls, url: str, address: tuple[str, int], keep_alive: bool, timeout_s: float, body_bytes: tuple[int, int],
        checksums: tuple[int, int], name: str = hello.NAME,
    ) -> Self:  # fmt: skip
        """The article's two endpoints, with these lengths and checksums of right answers of (status, bulk)."""
        loaded = hello.loaded(name, body_bytes=body_bytes)
        first = dict(zip(("status", "bulk"), checksums, strict=True))
        return cls.of(loaded, url, address, keep_alive=keep_alive, timeout_s=timeout_s, first=first)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Back from what `dataclasses.asdict` made of it."""
        others = tuple(cls.from_json(one) for one in data.get("beside", ()))
        return cls(**data | {name: tuple(data[name]) for name in ("address", "sources")} | {"beside": others})

    def of_system(self, number: int) -> Target:
        """The server of that number: what a device polls is `target.of_system(plan.system(client))`."""
        return self.beside[number - 1] if number else self

    def pollers(self, plan: Plan, clients: Iterable[int]) -> list[tuple[Poller, ...]]:
        """What each of these devices polls, by endpoint.

        Raises:
            ParameterError: the file, or what it names, is not what it was, or a template cannot be filled here.
        """
        targets = (self, *self.beside)
        crews = [target.crew(plan) for target in targets]
        devices = []
        for client in clients:
            system = plan.system(client)
            devices.append(crews[system].device(client))
            for poller in devices[-1]:
                if (known := targets[system].first.get(poller.kind.name)) is not None:
                    poller.expect_first(known)
        return devices

    def crew(self, plan: Plan) -> Swarm:
        """All devices of a plan, as the target has them."""
        loaded = loading.read(self.text, Path(self.path))
        host = urlsplit(self.url).netloc
        return prepare(loaded, clients=plan.clients, seed=plan.seed, host=host, keep_alive=self.keep_alive)

    @property
    def https(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.url.startswith("https:")

    def route(self, method: str) -> httpx.Request:
        """A request that says where our own transport connects; what is sent is put in for each poll.

        TLS needs the server's name.
        """
        return httpx.Request(method, self.base, extensions={"sni_hostname": urlsplit(self.url).hostname})

    def request(self, poller: Poller, round_: int) -> httpx.Request:
        """A poll's request, for transports that are not ours: they go where the URL leads, to the same address."""
        method, path, headers, body = poller.parts(round_)
        said = with_host(headers, urlsplit(self.url).netloc)
        if not self.keep_alive:
            said.append(("Connection", "close"))
        url = httpx.URL(self.base).copy_with(raw_path=path.encode("ascii"))
        name = {"sni_hostname": urlsplit(self.url).hostname}
        return httpx.Request(method, url, headers=said, content=body or None, extensions=name)

    def source(self, client: int) -> str | None:
        """The local address that a device connects from; None for the one that the system chooses."""
        return sources.of_device(self.sources, client)

    @property
    def base(self) -> str:
        """The URL with the address in place of the name."""
        host, port = self.address
        if "%" in host:  # Of one interface, which no URL can say.
            return self.url
        scheme = urlsplit(self.url).scheme
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class Secured:
    """How the devices of a target speak to https servers."""

    def __init__(self, target: Target, plan: Plan) -> None:
        self._plan = plan
        crews = [one.crew(plan) if one.https else None for one in (target, *target.beside)]
        self._crews = [crew and (crew, contexts(crew.loaded)) for crew in crews]
        """By the number of the server; None where it speaks plain HTTP."""

    def context(self, client: int) -> ssl.SSLContext | None:
        """That of a device; one for all that show the same certificate, or none. None without https.

        Raises:
            ParameterError: a certificate is not there, or cannot be used.
        """
        secured = self._crews[self._plan.system(client)]
        return secured[1].of(secured[0].certificate(client)) if secured else None


def contexts(loaded: Loaded) -> Contexts:
    """The contexts that a target's file asks for."""
    tls = loaded.target.tls
    return Contexts(Tls(str(loaded.beside(tls.ca)) if tls.ca else "", tls.verify))
