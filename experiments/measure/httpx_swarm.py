"""The reference engine: every device a coroutine, asking through an httpx transport.

A shard of a plan, prebuilt requests, a start instant -> rows. The same devices ask through our lean transport, httpx's own
or one that a user brings; only their link differs. Instants are on the monotonic clock in here; the row
buffer turns them into offsets.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

import httpx

from experiments.measure.heartbeat import Heartbeat
from experiments.measure.links import Effort, HttpxLink, LeanLink, Link, TransportFactory
from experiments.measure.outcomes import outcome_of
from experiments.measure.pacer import Pacer
from experiments.measure.target import Target
from experiments.record.rows import NEVER, RowBuffer
from experiments.record.schema import ENDPOINTS, Outcome
from experiments.schedule import Plan, on_tick

_GRACE_S = 2.0
"""How long polls in flight may still be answered when a run is cut short."""

_CHECKSUM_EVERY = 64
"""A device compares the bytes of the answers of every 64th round; lengths are always compared."""

_NUMBER = {name: number for number, name in enumerate(ENDPOINTS)}


@dataclass
class Tally:
    """Counts of the measured window."""

    planned: int = 0
    sent: int = 0
    ok: int = 0
    failed: int = 0
    unsent_busy: int = 0
    unsent_late: int = 0

    def count(self, outcome: Outcome) -> None:
        """Takes one more planned poll in."""
        self.planned += 1
        if outcome is Outcome.UNSENT_BUSY:
            self.unsent_busy += 1
        elif outcome is Outcome.UNSENT_LATE:
            self.unsent_late += 1
        else:
            self.sent += 1
            if outcome is Outcome.OK:
                self.ok += 1
            else:
                self.failed += 1


@dataclass
class Swarm:
    """The devices of one shard."""

    plan: Plan
    clients: range
    target: Target
    rows: RowBuffer
    start_at: float
    """When the measured window begins, on the monotonic clock."""
    transport_factory: TransportFactory | None = None
    """Makes a device's transport; None for the lean one."""
    tally: Tally = field(default_factory=Tally)
    effort: Effort = field(default_factory=Effort)
    close_at: float = field(init=False)
    """When the window closes and nothing new is sent."""
    pacer: Pacer = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    requests: tuple[httpx.Request, httpx.Request] = field(init=False)

    def __post_init__(self) -> None:
        self.close_at = self.start_at + self.plan.window_s
        self.requests = self.target.requests()

    async def run(self) -> None:
        """Lives the lives of all devices, to the end of the window and of the polls then in flight."""
        self.pacer = Pacer()
        self.heartbeat = Heartbeat(self.target.timeout_s)
        forget_warm_up = asyncio.get_running_loop().call_later(
            max(0.0, self.start_at - time.monotonic()), self.heartbeat.forget_stalls
        )
        devices = [_Device(self, client) for client in self.clients]
        self._tasks = [asyncio.ensure_future(device.live()) for device in devices]
        try:
            await asyncio.gather(*self._tasks)
            # Devices whose last round is over stay connected to the end of the window, as they would in the field.
            await self.pacer.until(self.close_at)
        finally:
            forget_warm_up.cancel()
            await self._end_devices()
            for device in devices:
                self.effort.add(device.link.effort)
                await device.link.close()
            self.pacer.close()
            self.heartbeat.close()

    async def cut_short(self, at: float) -> None:
        """Closes the window at that instant; polls in flight have two more seconds, then count as interrupted."""
        self.close_at = min(self.close_at, at)
        await self.pacer.until(at)
        self.pacer.release()
        await asyncio.wait(self._tasks, timeout=_GRACE_S)
        await self._end_devices()

    async def _end_devices(self) -> None:
        """Interrupts the polls that are still in flight; their devices keep the row and end."""
        alive = [task for task in self._tasks if not task.done()]
        if alive:
            self.close_at = min(self.close_at, time.monotonic())
            for task in alive:
                task.cancel()
            await asyncio.wait(alive)

    def make_link(self) -> Link:
        """A new device's way to the server."""
        if self.transport_factory is None:
            return LeanLink(self.target, self.requests)
        return HttpxLink(self.target, self.requests, self.transport_factory())


class _Device:
    """One device: sequential, one connection, one request at a time."""

    def __init__(self, swarm: Swarm, client: int) -> None:
        self.client = client
        self.swarm = swarm
        self.link = swarm.make_link()
        self.free_at = -math.inf
        """When the last answer came, or the last poll failed."""
        self.expired = False
        """Whether the poll under way was cancelled because its time was over."""
        self._task: asyncio.Task[None] | None = None

    async def live(self) -> None:
        """Polls round after round until the window closes."""
        swarm, plan = self.swarm, self.swarm.plan
        self._task = asyncio.current_task()
        round_ = 0
        offset = on_tick(plan.first_due(self.client))
        while swarm.start_at + offset < swarm.close_at:
            round_ += 1
            complete = await self._live_round(round_, offset)
            if plan.pacing == "fixed":
                offset = plan.due(self.client, round_ + 1)
            elif complete:
                offset = on_tick(self.free_at - swarm.start_at + plan.interval_s)
            else:
                break

    async def _live_round(self, round_: int, offset: float) -> bool:
        """Polls what this round asks for; False if the window closed before all of it was sent."""
        complete = True
        swarm = self.swarm
        due = first_due = swarm.start_at + offset
        for endpoint in swarm.plan.endpoints(self.client, round_):
            number = _NUMBER[endpoint]
            if due > time.monotonic():
                await self._wait_until(due)
            if time.monotonic() >= swarm.close_at:
                if first_due < swarm.close_at:
                    self._give_up(round_, number, first_due, measured=offset >= 0)
                complete = False
                continue
            outcome = await self._poll(round_, number, due)
            if offset >= 0:
                swarm.tally.count(outcome)
            due = self.free_at
        return complete

    async def _wait_until(self, due: float) -> None:
        try:
            await self.swarm.pacer.until(due)
        except asyncio.CancelledError:
            self._take_cancellation()

    async def _poll(self, round_: int, number: int, due: float) -> Outcome:
        """Asks once, and keeps the row."""
        swarm, link = self.swarm, self.link
        ready = max(due, self.free_at)
        checked = (round_ + self.client) % _CHECKSUM_EVERY == 0
        sent = time.monotonic()
        swarm.heartbeat.watch(self, sent)
        try:
            outcome = await link.ask(number, checked=checked)
        except asyncio.CancelledError:
            outcome = self._cancelled_outcome()
        except Exception as error:  # noqa: BLE001 - whatever a transport raises ends as a row, never as an exception
            outcome = outcome_of(error)
        finally:
            swarm.heartbeat.release(self)
        done = link.done_at or time.monotonic()
        self.free_at = done
        swarm.rows.add(
            self.client, round_, number, due, ready, sent, done, link.connect_s, link.status, link.body_bytes, outcome
        )
        return outcome

    def _give_up(self, round_: int, number: int, first_due: float, *, measured: bool) -> None:
        """Keeps the row of a poll that was due but never sent; a second one counts from when its first was due."""
        close_at = self.swarm.close_at
        busy = first_due < self.free_at or self.free_at >= close_at
        outcome = Outcome.UNSENT_BUSY if busy else Outcome.UNSENT_LATE
        self.swarm.rows.add(self.client, round_, number, first_due, NEVER, NEVER, close_at, 0.0, 0, 0, outcome)
        if measured:
            self.swarm.tally.count(outcome)

    def expire(self) -> None:
        """The poll under way has taken longer than the timeout."""
        self.expired = True
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
        expired, self.expired = self.expired, False
        return expired
