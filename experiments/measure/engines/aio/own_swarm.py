"""Devices of a user's class in the swarm: the same rows, and whatever such a class does is told of its polls.

A poll of the plan is one call of `poll`. Its row has the last answer to the endpoint that is polled; `sent` is when the call
began and `done` the last byte that came, so that all requests of a poll count into its time. `connect_s` and `tls_s` are
sums. How many there were stands in the record as attempts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from experiments.measure.engines.aio.adapters import Link
from experiments.measure.engines.aio.own_device import AnswerError, Device, seconds, short
from experiments.measure.engines.aio.swarm import HttpxDevice, HttpxSwarm, MakeDevice
from experiments.measure.engines.errors import outcome_of
from experiments.measure.engines.judge import RIGHT, Judgement, judge
from experiments.record.schema import Outcome
from experiments.target.answers.answer import Answer
from experiments.target.poller import Poller
from experiments.target.requests.changed import Changes


class _End(NamedTuple):
    """How a request ended, or a poll without one."""

    found: Judgement
    poller: Poller | None = None
    """What was asked."""
    status: int = 0
    headers: Sequence[tuple[bytes, bytes]] = ()
    first_bytes: bytes = b""
    body_bytes: int = 0
    first_byte_at: float = 0.0


class OwnDevice(HttpxDevice):
    """A device whose polls are calls of a user's class."""

    __slots__ = (
        *("_asking", "_connect_s", "_cut", "_device", "_ends", "_logged_in", "_polling", "_raised", "_requests", "_tls_s"),
    )

    def __init__(
        self, device: Device, swarm: HttpxSwarm, client: int, pollers: tuple[Poller, ...], link: Link
    ) -> None:
        super().__init__(swarm, client, pollers, link)
        self._device = device
        device.bind(client, pollers[0].id, self._ask)
        self._logged_in = self._polling = self._asking = False
        self._begin()

    def _begin(self) -> None:
        """Nothing was asked yet in the poll that is due."""
        self._requests = 0
        self._connect_s = self._tls_s = 0.0
        self._ends: dict[str, _End] = {}
        """The last answer of this poll, by endpoint."""
        self._cut: _End | None = None
        """Of the request that was cancelled."""
        self._raised: list[tuple[Exception, _End]] = []
        """What requests raised."""

    async def _poll(self, sent: float) -> None:
        """One call of the user's `poll`, and its row."""
        link, in_flight = self.link, self._swarm.watchdog.in_flight
        in_flight[self] = sent
        self._begin()
        self._polling = True
        try:
            end, done = await self._call(), link.done_at
            if self._task is not None and self._task.cancelling():  # It went on all the same.
                end, done = self._cancelled(), 0.0
        except asyncio.CancelledError:
            end, done = self._cancelled(), 0.0
        except Exception as error:  # noqa: BLE001 - whatever a class raises ends as a row, never as an exception
            end, done = self._failed_by(error), link.done_at if self._requests else 0.0
        finally:
            self._polling = False
            in_flight.pop(self, None)
        done = done or time.monotonic()
        if end.found.outcome and end.status:
            self.answered_wrong(end.found.outcome, end.status, end.headers, end.first_bytes, end.found, end.poller)
        found = end.found
        if found.failed_check is not None and end.poller is not None:
            found = found._replace(failed_check=self.named(found.failed_check, end.poller))
        self.ended(sent, done, self._connect_s, end.status, end.body_bytes, found, end.first_byte_at, self._tls_s)

    async def _call(self) -> _End:
        device, endpoint = self._device, self.pollers[self.number].kind.name
        device.round = self.round
        if not self._logged_in:
            await device.login()
            self._logged_in = True
        told = seconds(await device.poll(endpoint), may=self._agenda.now.clock.told)
        end = self._ends.get(endpoint)
        if end is None:
            raise RuntimeError(f"poll({endpoint!r}) asked nothing of {endpoint!r}")
        return end if told is None else end._replace(found=end.found._replace(wait_s=told))

    async def _ask(self, endpoint: str, changes: Changes) -> Answer:
        if not self._polling or self._asking:
            raise RuntimeError("a device asks within login and poll, and one thing at a time")
        place = next((place for place, one in enumerate(self.pollers) if one.kind.name == endpoint), None)
        if place is None:
            raise ValueError(f"the target has no endpoint {endpoint!r}: {', '.join(one.kind.name for one in self.pollers)}")
        poller, link = self.pollers[place], self.link
        poller.change(changes, keep_alive=self._swarm.target.keep_alive)
        self._asking = True
        self._requests += 1
        # Of this poll, should the request outlive it: a class may leave one behind.
        ends, raised = self._ends, self._raised
        try:
            await link.ask(poller, self.round, keep=True)
            found = judge(
                poller, place, self.round, link.status, link.headers, link.body, link.body_bytes, link.effort_judged,
                compare=self.compares,
            )  # fmt: skip
        except asyncio.CancelledError:
            self._cut = self._seen(poller, Judgement(Outcome.INTERRUPTED))
            raise
        except Exception as error:
            raised.append((error, self._seen(poller, Judgement(outcome_of(error)))))
            raise
        finally:
            self._asking = False
            self._connect_s += link.connect_s
            self._tls_s += link.tls_s
        ends[endpoint] = end = self._seen(poller, found)
        answer = found.answer or Answer(link.status, link.body, link.headers, link.body_bytes)
        if found.failed_check is None:
            return answer
        wrong = AnswerError(endpoint, answer, found.failed_check)
        raised.append((wrong, end))
        raise wrong

    def _seen(self, poller: Poller, found: Judgement) -> _End:
        link = self.link
        return _End(found, poller, link.status, link.headers, link.first_bytes, link.body_bytes, link.first_byte_at)

    def _failed_by(self, error: Exception) -> _End:
        """The poll was ended by an error: that of one of its requests, or one of the class's own."""
        end = next((end for raised, end in self._raised if raised is error), _End(Judgement(Outcome.GENERATOR_ERROR)))
        if end.found.outcome is Outcome.GENERATOR_ERROR and self._swarm.first_fault is None:
            self._swarm.first_fault = short(error)
        return end

    def _cancelled(self) -> _End:
        return (self._cut or _End(RIGHT))._replace(found=Judgement(self._cancelled_outcome()))


def maker(devices: Sequence[Device], clients: range) -> MakeDevice:
    """What makes the devices of a swarm.

    Args:
        devices: of the user's class, in the order of `clients`.
    """
    known = dict(zip(clients, devices, strict=True))

    def made(swarm: HttpxSwarm, client: int, pollers: tuple[Poller, ...], link: Link) -> HttpxDevice:
        return OwnDevice(known[client], swarm, client, pollers, link)

    return made
