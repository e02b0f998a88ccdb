"""The reference engine: every device a coroutine, asking through an httpx transport.

A shard of a plan, prebuilt requests, a start instant -> rows. The same devices ask through our lean transport, httpx's own
or one that a user brings; only their link differs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from experiments.measure.engines.aio.adapters import HttpxLink, LeanLink, Link
from experiments.measure.engines.aio.pacer import Pacer
from experiments.measure.engines.counters import Counters
from experiments.measure.engines.device import Course, Device
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.judge import RIGHT, Judgement
from experiments.measure.engines.stop import GRACE_S, Stop
from experiments.measure.engines.target import Secured, Target
from experiments.measure.engines.watchdog import Watchdog
from experiments.record.schema import Outcome
from experiments.target.poller import Poller


class HttpxSwarm:
    """The devices of one shard.

    Args:
        clients: numbers of the devices.
        stop: told when the window is to close early.
        chores: called every 20 ms with the time.
        transports: the devices', in the order of `clients`; None for lean ones.
        pollers: what they ask, in the same order; None if it is not made yet.
        make: makes a device that lives otherwise than by the plan and the target alone; None for those that do not.

    Raises:
        ParameterError: the target is not what it was, or a certificate cannot be used.
    """

    def __init__(
        self,
        course: Course,
        clients: range,
        target: Target,
        stop: Stop,
        chores: Callable[[float], None],
        transports: Sequence[httpx.AsyncBaseTransport] | None = None,
        pollers: Sequence[tuple[Poller, ...]] | None = None,
        make: MakeDevice | None = None,
    ) -> None:
        self.course = course
        self.counters = Counters()
        self.first_fault: str | None = None
        """What the first poll raised that failed by the generator's fault, if one did."""
        self.closing_error: str | None = None
        """What the first transport raised that could not be closed, and how many could not, if so."""
        self._clients = clients
        self._make = make or HttpxDevice
        self.target = target
        self._stop = stop
        self._chores = chores
        self._transports = transports
        self._pollers = pollers or target.pollers(course.plan, clients)
        kinds = [poller.kind for poller in (self._pollers[0] if clients else ())]
        self._routes = [
            {kind.name: one.route(kind.blueprint.method) for kind in kinds} for one in (target, *target.beside)
        ]
        """By the number of the server."""
        self._secured = Secured(target, course.plan) if transports is None else None
        self.watchdog = Watchdog(target.timeout_s, course, self._at_each_beat)
        self._cutting_short: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Lives the lives of all devices, to the end of the window and of the polls then in flight."""
        self.pacer = Pacer()
        beating = asyncio.ensure_future(self._beat())
        devices = [
            self._make(self, client, self._pollers[place], self._link(place)) for place, client in enumerate(self._clients)
        ]
        self._tasks = [asyncio.ensure_future(device.live()) for device in devices]
        try:
            await asyncio.gather(*self._tasks)
            # Devices whose last round is over stay connected to the end of the window, as they would in the field.
            await self.pacer.until(self.course.close_at)
        finally:
            beating.cancel()
            await self._end_devices()
            for device in devices:
                device.give_up()
                self.counters.add(device.link.counters)
            await self._close([device.link for device in devices])
            self.pacer.close()

    def _link(self, place: int) -> Link:
        """The way to the server of the device at that place among `clients`."""
        client = self._clients[place]
        system = self.course.plan.system(client)
        target = self.target.of_system(system)
        if self._transports is not None:
            return HttpxLink(target, self._transports[place])
        context = self._secured.context(client) if self._secured is not None else None
        return LeanLink(target, self._routes[system], context, target.source(client))

    async def _close(self, links: Sequence[Link]) -> None:
        """Closes all, within a bounded time. Every poll has its row by now, and no fault of a transport may lose it."""
        closing = [asyncio.ensure_future(link.close()) for link in links]
        if not closing:
            return
        _, late = await asyncio.wait(closing, timeout=GRACE_S)
        for one in late:
            one.cancel()
        errors = [repr(error) for one in closing if one not in late and not one.cancelled() and (error := one.exception())]
        errors += [f"it was not done within {GRACE_S:g} s"] * len(late)
        if errors:
            reason = " ".join(errors[0].split())[:200]
            self.closing_error = f"{reason}, {len(errors):,} of {len(links):,} times"

    async def _beat(self) -> None:
        while True:
            self.watchdog.beat(time.monotonic())
            await asyncio.sleep(max(0.0, self.watchdog.next_at - time.monotonic()))

    def _at_each_beat(self, now: float) -> None:
        if self._cutting_short is None and self._stop.ordered:
            self._cutting_short = asyncio.ensure_future(self._cut_short(self._stop.at))
        self._chores(now)

    async def _cut_short(self, at: float) -> None:
        """Closes the window at that instant; polls in flight have two more seconds, then count as interrupted."""
        self.course.close_early(at)
        await self.pacer.until(at)
        self.pacer.release()
        await asyncio.wait(self._tasks, timeout=GRACE_S)
        await self._end_devices()

    async def _end_devices(self) -> None:
        """Interrupts the polls that are still in flight; their devices keep the row and end."""
        alive = [task for task in self._tasks if not task.done()]
        if alive:
            self.course.close_early(time.monotonic())
            self.course.over = True
            for task in alive:
                task.cancel()
            await asyncio.wait(alive)


class HttpxDevice(Device):
    """A device whose life is a coroutine."""

    __slots__ = ("_expired", "_swarm", "_task", "link")

    def __init__(self, swarm: HttpxSwarm, client: int, pollers: tuple[Poller, ...], link: Link) -> None:
        super().__init__(swarm.course, client, pollers)
        self._swarm = swarm
        self.link = link
        self._expired = False
        """Whether the poll under way was cancelled because its time was over."""
        self._task: asyncio.Task[None] | None = None

    async def live(self) -> None:
        """Polls round after round until the window closes."""
        self._task = asyncio.current_task()
        course = self._course
        while self.mid_round or self.first_due < course.close_at:
            now = time.monotonic()
            if self.due > now:
                await self._wait_until(self.due)
                now = time.monotonic()
            if now >= course.close_at and not self.mid_round:
                break
            await self._poll(now)

    async def _wait_until(self, due: float) -> None:
        try:
            await self._swarm.pacer.until(due)
        except asyncio.CancelledError:
            self._take_cancellation()

    async def _poll(self, sent: float) -> None:
        """Asks once, and keeps the row."""
        link, in_flight = self.link, self._swarm.watchdog.in_flight
        in_flight[self] = sent
        try:
            poller, compare = self.pollers[self.number], self.compares
            await link.ask(poller, self.round, keep=poller.needs_body and poller.looks(compare))
            if not compare and poller.passes(link.status, link.body_bytes):
                found = RIGHT
            else:
                found = self.judged(
                    link.status, link.headers, link.body, link.first_bytes, link.body_bytes, link.effort_judged
                )
        except asyncio.CancelledError:
            found = self._failed(self._cancelled_outcome())
        except Exception as error:  # noqa: BLE001 - whatever a transport raises ends as a row, never as an exception
            found = self._failed(outcome_of(error))
            if found.outcome is Outcome.GENERATOR_ERROR and self._swarm.first_fault is None:
                self._swarm.first_fault = " ".join(repr(error).split())[:200]
        finally:
            in_flight.pop(self, None)
        done = link.done_at or time.monotonic()
        self.ended(
            sent, done, link.connect_s, link.status, link.body_bytes, found, link.first_byte_at, link.tls_s
        )

    def _failed(self, outcome: Outcome) -> Judgement:
        """The poll under way failed; what came of an answer is kept."""
        link = self.link
        if link.status:
            self.answered_wrong(outcome, link.status, link.headers, link.first_bytes)
        return Judgement(outcome)

    def expire(self) -> None:
        """The poll under way has taken longer than the timeout."""
        self._expired = True
        if self._task is not None:
            self._task.cancel()

    def _cancelled_outcome(self) -> Outcome:
        connecting = self.link.connecting
        if self._take_cancellation():
            return Outcome.CONNECT_TIMEOUT if connecting else Outcome.READ_TIMEOUT
        return Outcome.INTERRUPTED

    def _take_cancellation(self) -> bool:
        """Lets the device live on after a cancellation, to keep its rows; True if it was the timeout's."""
        if self._task is not None:
            self._task.uncancel()
        expired, self._expired = self._expired, False
        return expired


MakeDevice = Callable[[HttpxSwarm, int, tuple[Poller, ...], Link], HttpxDevice]
"""Makes a device: its swarm, its number, what it asks, its way to the server."""
