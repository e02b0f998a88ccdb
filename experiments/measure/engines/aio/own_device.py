"""The device as a small class, for what a target file cannot say: a login, a request made of an earlier answer, a pace.

A user's class in, requests and what is made of their answers out. Who carries them, and who keeps rows, is the swarm's
affair, or that of the look before the load; both bind an instance to a way to ask.
"""

from __future__ import annotations

import importlib.util
import json as _json
import math
import sys
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from experiments.errors import GeneratorError
from experiments.schedule import Plan
from experiments.target.answers.answer import Answer
from experiments.target.requests.changed import Changes

Ask = Callable[[str, Changes], Awaitable[Answer]]
"""Asks what an endpoint of the target says, with these changes."""


class AnswerError(Exception):
    """An answer that the target does not take for right; a poll that does not catch it ends as that answer says."""

    def __init__(self, endpoint: str, answer: Answer, failed_check: str) -> None:
        super().__init__(f"{endpoint} was answered {answer.status}, and {failed_check} is not as expected")
        self.endpoint = endpoint
        self.answer = answer
        """With `status`, `json`, `header(name)`, `decoded`."""
        self.failed_check = failed_check
        """The name of the expectation."""


class Device:
    """One device of the swarm; inherit from it, and say what it does in a poll.

    `poll` is called for each poll of the plan. All that it asks counts into the time of that poll, and all of it must be
    done within the timeout; one request at a time. Row and outcome are those of its last answer to the endpoint that is
    polled; an error that it does not catch fails the poll. What it remembers are attributes of its own.
    """

    sets_next_poll: ClassVar[bool] = False
    """Whether `poll` returns when the next one is due. The plan then no longer knows it beforehand."""

    number: int
    """Of this device, from 0."""
    id: str
    """As the target has it."""
    round: int
    """Of the poll under way, from 1."""
    headers: dict[str, str]
    """Sent with every request, in place of the target's own of these names."""

    _ask: Ask

    async def login(self) -> None:
        """Called at the beginning of the first poll, and of the next one as long as it fails."""

    async def poll(self, endpoint: str) -> float | None:
        """One planned poll of an endpoint.

        Returns:
            With `sets_next_poll`, the seconds from the last answer to the next poll; None leaves it to the plan.
        """
        await self.ask(endpoint)
        return None

    async def ask(
        self, endpoint: str, *, path: str | None = None, json: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Asks once what an endpoint of the target says, and looks at the answer as the target says.

        Args:
            endpoint: any of the target; one with `share: 0` is never polled by itself.
            path: with its query, in place of the target's.
            json: the body, in place of the target's.
            headers: in place of the target's and this device's of these names.

        Returns:
            A right answer: `status`, `json`, `header(name)`, `decoded`.

        Raises:
            AnswerError: a complete answer that is not right.
            httpx.TransportError: there was none.
            ValueError: there is no such endpoint, or what is given cannot be sent.
        """
        body = None if json is None else _json.dumps(json, separators=(",", ":")).encode()
        own = dict(self.headers)
        for name, value in [*([("Content-Type", "application/json")] if body is not None else []), *(headers or {}).items()]:
            own = {one: kept for one, kept in own.items() if one.lower() != name.lower()} | {name: value}
        return await self._ask(endpoint, Changes(own, path, body))

    def bind(self, number: int, id_: str, ask: Ask) -> None:
        """Gives it its place in a swarm, and a way to ask."""
        self.number, self.id, self.round, self.headers, self._ask = number, id_, 1, {}, ask


def load(name: str) -> type[Device]:
    """The class at `module:name` or `file.py:name`.

    Raises:
        GeneratorError: it cannot be imported, or is no class of devices.
    """
    place, _, attribute = name.rpartition(":")
    try:
        found: object = getattr(_of_file(place) if place.endswith(".py") else importlib.import_module(place), attribute)
    except Exception as error:
        raise GeneratorError(f"device={name!r} cannot be imported ({short(error)}).") from error
    if not (isinstance(found, type) and issubclass(found, Device)):
        raise GeneratorError(f"device={name!r} is no class that inherits from lab.Device.")
    return found


def _of_file(path: str) -> ModuleType:
    """The module in a file, executed once in a process; what lies beside it can be imported by it, as of a script."""
    name = f"lab_device_{zlib.crc32(path.encode()):08x}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        if (folder := str(Path(path).parent)) not in sys.path:
            sys.path.append(folder)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def make(name: str, number: int, kind: type[Device]) -> Device:
    """One device of a class.

    Raises:
        GeneratorError: it failed when it was called.
    """
    try:
        return kind()
    except Exception as error:
        raise GeneratorError(f"device={name!r} failed when it was made as device {number} ({short(error)}).") from error


def paced(plan: Plan, name: str) -> Plan:
    """The plan as devices of that class live it: with `sets_next_poll` only the record knows when rounds were due.

    Args:
        name: `module:name`; empty for none.

    Raises:
        GeneratorError: there is no such class.
    """
    if not name or not load(name).sets_next_poll:
        return plan
    return replace(plan, timings=tuple(replace(one, told=True) for one in plan.timings))


def seconds(told: object, *, may: bool) -> float | None:
    """What `poll` returned, as seconds until the next one.

    Args:
        may: whether the plan leaves that to the device.

    Raises:
        ValueError: it is no such time, or must not be told.
    """
    if told is None:
        return None
    if not may:
        raise ValueError(f"poll returned {told!r}: a class whose polls say when the next is due has sets_next_poll = True")
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told) or told < 0:
        raise ValueError(f"poll returned {told!r}, which is no time in seconds: 0 or more is, and None")
    return float(told)


def short(error: Exception) -> str:
    """An error in a line."""
    return " ".join(repr(error).split())[:200]
