"""What a generator is told, and what it says meanwhile: plain data, so that both travel as JSON."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import httpx

from experiments.errors import GeneratorError, ParameterError
from experiments.measure.engines.aio import own_device
from experiments.measure.engines.aio.adapters import StockTransport, TransportFactory, takes_device
from experiments.measure.engines.aio.own_device import Device
from experiments.measure.engines.target import Secured, Target
from experiments.measure.engines.threads.counter import RedisCounters
from experiments.schedule import Plan
from experiments.target.poller import Poller


@dataclass(frozen=True)
class Shard:
    """What one generator has to do."""

    run_path: str
    instance: int
    generators: int
    """Into how many shards the swarm is divided; this one is number `instance`."""
    engine: str
    plan: Plan
    target: Target
    transport: str = ""
    """`module:name` of a user's own transport factory; empty for the engine's."""
    redis_counters: RedisCounters | None = None
    """Where the author's client counts besides; None for nowhere."""
    device: str = ""
    """`module:name` of a user's own class of devices; empty for none."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        redis_counters = RedisCounters(**data["redis_counters"]) if data.get("redis_counters") else None
        told = {"plan": Plan(**data["plan"]), "target": Target.from_json(data["target"]), "redis_counters": redis_counters}
        return cls(**data | told)

    @property
    def clients(self) -> range:
        """The devices of this shard."""
        return self.plan.shard(self.instance, self.generators)

    def make_engine(self) -> bool:
        """Makes the engine ready, which may take seconds; whether that was needed, and will not be the next time."""
        if self.engine != "epoll":
            return False
        from experiments.measure.engines.epoll.loop import prepare  # numba takes half a second to load

        return prepare()

    def make_pollers(self) -> list[tuple[Poller, ...]]:
        """What each device asks, in the order of `clients`.

        Raises:
            GeneratorError: the target cannot be made again here.
        """
        try:
            return self.target.pollers(self.plan, self.clients)
        except ParameterError as error:
            raise GeneratorError(f"generator {self.instance} cannot ask what the target says: {error}") from error

    def make_transports(self, on_made: Callable[[int], None] = lambda made: None) -> list[httpx.AsyncBaseTransport] | None:
        """A transport for each device, in the order of `clients`; None for lean ones. Called on the loop that they use.

        Args:
            on_made: told how many there are, after each.

        Raises:
            GeneratorError: a user's factory cannot be had, or failed.
        """
        factory = self._transport_factory()
        if factory is None:
            return None
        made: list[httpx.AsyncBaseTransport] = []
        for client in self.clients:
            made.append(self._made_by(factory, client))
            on_made(len(made))
        return made

    def make_devices(self) -> list[Device] | None:
        """The devices of a user's class, in the order of `clients`; None where there is none.

        Raises:
            GeneratorError: the class cannot be had, or failed.
        """
        if not self.device:
            return None
        kind = own_device.load(self.device)
        return [own_device.make(self.device, client, kind) for client in self.clients]

    def _made_by(self, factory: TransportFactory, client: int) -> httpx.AsyncBaseTransport:
        try:
            made = factory(client) if takes_device(factory) else factory()
        except Exception as error:
            raise GeneratorError(
                f"transport={self.transport!r} failed when it was called for device {client} ({_short(error)})."
            ) from error
        if not isinstance(made, httpx.AsyncBaseTransport):
            raise GeneratorError(
                f"transport={self.transport!r} made a {type(made).__name__}, which is no httpx.AsyncBaseTransport."
            )
        return made

    def _transport_factory(self) -> TransportFactory | None:
        """What makes a device's transport; None for the lean one."""
        if self.transport:
            module, _, name = self.transport.partition(":")
            try:
                factory: TransportFactory = getattr(importlib.import_module(module), name)
            except Exception as error:
                raise GeneratorError(f"transport={self.transport!r} cannot be imported ({_short(error)}).") from error
            return factory
        if self.engine == "httpx-stock":
            secured = Secured(self.target, self.plan)
            return lambda client: StockTransport(self.target.timeout_s, secured.context(client))
        return None


def _short(error: Exception) -> str:
    return " ".join(repr(error).split())[:200]


@dataclass(frozen=True)
class Report:
    """How a generator is getting on; counts cover the measured window so far."""

    sent: int
    ok: int
    failed: int
    in_flight: int
    response_p50_ms: float | None
    response_p99_ms: float | None
    polls_per_s: float
    """Polls that ended since the report before, by the second."""
    problem: str | None
    """Why the run should not go on, if so."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Complete answers with another status than 200, by code; see `WrongAnswers.codes`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Polls without a right answer, by reason; see `Tally.reasons`."""
