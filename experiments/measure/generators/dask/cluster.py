"""A Dask cluster that carries the load: joined, checked, listened to and left.

A scenario in, generators and their samples out. Workers are known by number; where they are stands in no record. What
happens on a worker is `fleet_shard`'s affair, what a shard's words mean `fleet_generator`'s.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from itertools import zip_longest
from typing import Any, Self
from uuid import uuid4

from distributed import Client, Queue

from experiments.errors import ParameterError
from experiments.measure.generators.dask import clock_offset
from experiments.measure.generators.dask.generator import FleetGenerator, FleetWorker
from experiments.measure.generators.dask.task import BEAT_S, machine
from experiments.measure.generators.shard import Shard
from experiments.measure.sampler import spaced_ms
from experiments.scenario import Scenario

_CONNECT_S = 10.0
_CHECK_S = 60.0
_LISTEN_S = 1.0
_PACKAGES = ("httpx", "uvloop", "polars", "httptools")
"""What drives the devices: with another version it is another generator."""


class Fleet:
    """Workers that have been checked, one for each generator."""

    def __init__(self, client: Client, workers: list[FleetWorker], sample_ms: float) -> None:
        self.samples: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()
        """What the workers sampled of themselves, as it comes."""
        self._client = client
        self._workers = workers
        self._sample_ms = sample_ms
        self._words = Queue(f"lab-words-{uuid4().hex}", client=client)
        self._generators: dict[int, FleetGenerator] = {}
        self._missing: list[FleetGenerator] = []
        """Those whose workers were not there at the last look."""
        self._left = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="fleet", daemon=True)

    @classmethod
    async def join(cls, scenario: Scenario) -> Self:
        """Connects to the cluster and looks at as many workers as there are to be generators.

        Raises:
            ParameterError: nobody is there, there are too few, or they would not measure the same.
        """
        client = await asyncio.to_thread(_connect, scenario.dask_scheduler)
        try:
            checking = asyncio.to_thread(_muster, client, scenario.generators)
            fleet = cls(client, await asyncio.wait_for(checking, _CHECK_S), spaced_ms(scenario))
        except BaseException as error:
            await asyncio.to_thread(client.close)
            if not isinstance(error, OSError):  # Dask's own, and the time that is up.
                raise
            raise ParameterError(
                f"dask_scheduler={scenario.dask_scheduler!r}: the cluster stopped answering while it was looked at; see "
                "whether its scheduler and workers are still there."
            ) from None
        fleet._listener.start()
        return fleet

    def generator(self, shard: Shard) -> FleetGenerator:
        """A generator on the worker whose turn it is."""
        worker = self._workers[shard.instance]
        generator = FleetGenerator(shard, worker, self._client, self._words.name, self._sample_ms, self.samples)
        self._generators[shard.instance] = generator
        return generator

    async def leave(self) -> None:
        """Listens no more; the generators must have been closed."""
        self._left.set()
        async with AsyncExitStack() as left:  # Whatever Dask raises of one of them, the others are done.
            left.push_async_callback(asyncio.to_thread, self._listener.join, _CONNECT_S)
            left.push_async_callback(asyncio.to_thread, self._client.close, _CONNECT_S)
            left.callback(self._words.close)

    def _listen(self) -> None:
        """In a thread: hands words on, shows the shards that somebody is there, and sees which workers are not."""
        next_look = 0.0
        while not self._left.is_set():
            try:
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + BEAT_S
                    self._look()
                message = self._words.get(timeout=_LISTEN_S)
            except TimeoutError:
                continue
            except Exception:  # noqa: BLE001 - whatever Dask raises, there is nobody to listen to any more
                if not self._left.is_set():
                    for generator in list(self._generators.values()):
                        generator.lose("was lost with the Dask scheduler")
                return
            self._hand_on(message)

    def _hand_on(self, message: dict[str, Any]) -> None:
        """Gives a shard's words to its generator; those that it cannot take are the end of that one, not of listening."""
        generator = self._generators.get(message.get("instance", -1))
        if generator is None:
            return
        try:
            generator.receive(message)
        except Exception as error:  # noqa: BLE001 - a fault in one message must not silence all machines
            generator.lose(f"was given up: what its worker said could not be taken ({error!r}), and so")

    def _look(self) -> None:
        there = self._client.nthreads()
        generators = list(self._generators.values())  # More may be added meanwhile.
        missing = [one for one in generators if one.worker.address not in there]
        for generator in missing:
            if generator in self._missing:  # Its last words were under way when it was missed first.
                generator.lose(f"was lost with worker {generator.worker.number} of the Dask cluster")
        self._missing = missing
        for generator in generators:
            generator.beat()


def _connect(address: str) -> Client:
    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)
    except OSError:
        raise ParameterError(
            f"dask_scheduler={address!r}: no Dask scheduler answers there within {_CONNECT_S:g} s; start one "
            "(dask scheduler), or correct the address."
        ) from None


def _muster(client: Client, count: int) -> list[FleetWorker]:
    """Chooses the workers and looks at each.

    Raises:
        ParameterError: there are too few, or they would not measure the same.
        OSError: the cluster is gone.
    """
    addresses = pick(client.scheduler_info()["workers"], count)
    if len(addresses) < count:
        raise ParameterError(
            f"generators={count}: each needs a Dask worker of its own, and the cluster has {len(addresses)}; start more "
            f"(dask worker), or ask for generators={len(addresses)}."
        )
    ours = machine()
    _agree(ours, "the scheduler", lambda: client.run_on_scheduler(machine))
    workers = []
    for number, address in enumerate(addresses, 1):
        theirs = _agree(ours, f"worker {number}", _asking(client, machine, address))
        clock = clock_offset.measure(_asking(client, time.monotonic, address))
        here = theirs.pop("kernel_id") == ours["kernel_id"]
        workers.append(FleetWorker(number, address, theirs, here, clock))
    return workers


def _asking(client: Client, function: Callable[[], Any], address: str) -> Callable[[], Any]:
    return lambda: client.run(function, workers=[address])[address]


def pick(workers: Mapping[str, Mapping[str, Any]], count: int) -> list[str]:
    """The addresses of `count` workers, or of all if there are fewer; one of each host before a second of any."""
    hosts: dict[str, list[str]] = {}
    for address in sorted(workers):
        hosts.setdefault(workers[address]["host"], []).append(address)
    return [address for row in zip_longest(*hosts.values()) for address in row if address][:count]


def _agree(ours: dict[str, Any], who: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a machine says of itself.

    Raises:
        ParameterError: the lab is not there, or not with what it is here.
    """
    try:
        theirs = ask()
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - Dask hands on whatever the import raised there
        raise ParameterError(
            f"{who} of the Dask cluster cannot load the lab ({error}): install it there too, with the extra `fleet`, and "
            "start scheduler and workers from that environment."
        ) from None
    if found := differences(ours, theirs):
        raise ParameterError(
            f"{who} of the Dask cluster is not alike: {'; '.join(found)}. Install the same versions on all machines."
        )
    return theirs


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """What two machines must have alike to be generators of one run, and have not."""
    pairs = {"Python": [".".join(one["python"].split(".")[:2]) for one in (theirs, ours)]}
    pairs |= {"the lab": [one["lab_version"] for one in (theirs, ours)]}
    pairs |= {name: [one["packages"].get(name) for one in (theirs, ours)] for name in _PACKAGES}
    return [f"{name} is {there} there and {here} here" for name, (there, here) in pairs.items() if there != here]
