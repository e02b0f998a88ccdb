"""A loaded target and a number of devices -> what each device sends, and whether what it is answered is right.

`prepare` once in each process; `Swarm.device(client)` once for each device; then, for each poll, `wire` or `parts`, and
`check`. A device is sequential, so its pollers keep state (the ETag, the first answer) without locks. No I/O.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from experiments.errors import ParameterError
from experiments.target.answers import fields
from experiments.target.answers.checks import Checks, Field
from experiments.target.loaded import Loaded
from experiments.target.poller import Kind, Poller
from experiments.target.requests.filling import Filling, constant, pieces, text
from experiments.target.requests.request import Blueprint, Request
from experiments.target.requests.templates import Parts, Reader, Value, slots
from experiments.target.review import expected_texts

DEFAULT_ID = "{index}"


class Swarm:
    """All devices of a target; see `prepare`."""

    def __init__(
        self, loaded: Loaded, *, clients: int, seed: int, host: str, keep_alive: bool, environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.loaded = loaded
        self.clients = clients
        self._seed, self._host, self._keep_alive, self._clock = seed, host, keep_alive, clock
        self._id = Reader(loaded.table.columns).read(loaded.target.devices.id or DEFAULT_ID)
        self.kinds = tuple(_kinds(loaded))
        self._shared: dict[str, Request] = {}
        """Requests that are the same for all devices; a large swarm would hold thousands of copies."""
        files = [one for one in (loaded.target.tls.cert, loaded.target.tls.key) if one is not None]
        others = [self._id, *map(Reader(loaded.table.columns).read, files)]
        self._environ = {name: environ[name] for name in _variables(self.kinds, others)}

    def device(self, client: int) -> tuple[Poller, ...]:
        """What a device polls, by endpoint in the file's order.

        Raises:
            ParameterError: a value of its row cannot stand in a header.
        """
        return tuple(self._poller(kind, client) for kind in self.kinds)

    def id(self, client: int) -> str:
        """The id of a device."""
        return self._filling("", client).id

    def certificate(self, client: int) -> tuple[Path, Path | None] | None:
        """The files of a device's own certificate and key, if the target names any.

        Raises:
            ParameterError: one of them is not there.
        """
        named = self.loaded.target.tls
        if named.cert is None:
            return None
        cert, key = (None if one is None else self._file(one, client) for one in (named.cert, named.key))
        return (cert, key) if cert else None

    def _file(self, template: str, client: int) -> Path:
        parts = Reader(self.loaded.table.columns).read(template)
        path = self.loaded.beside(text(pieces(parts, str), self._filling("", client))(1))
        if not path.is_file():
            raise ParameterError(f"{self.loaded.lines.at(('tls',))}: device {client} has no file {path}.")
        return path

    def _poller(self, kind: Kind, client: int) -> Poller:
        filling = self._filling(kind.name, client)
        request = self._shared.get(kind.name)
        if request is None:
            request = kind.blueprint.bind(filling, host=self._host, keep_alive=self._keep_alive)
            if kind.blueprint.same_for_all:
                self._shared[kind.name] = request
        return Poller(kind, request, filling, self._host)

    def _filling(self, endpoint: str, client: int) -> Filling:
        row = self.loaded.table.row(client) if self.loaded.table.columns else _NO_ROW
        filling = Filling(client, "", row, self._seed, endpoint, self._environ, self._clock)
        if "id" in row:
            return replace(filling, id=str(row["id"]))
        parts = (part if isinstance(part, str) else str(constant(part, filling)) for part in self._id)
        return replace(filling, id="".join(parts))


_NO_ROW: Mapping[str, Value] = {}


def environment(loaded: Loaded, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the target's app or command is started with, beside those of this process. Never recorded."""
    filling = Filling(0, "", {}, 0, "", environ, time.time)
    return {name: text(pieces(Reader().read(value), str), filling)(1) for name, value in loaded.target.env.items()}


def prepare(
    loaded: Loaded, *, clients: int, seed: int, host: str, keep_alive: bool = True,
    environ: Mapping[str, str] | None = None, clock: Callable[[], float] = time.time,
) -> Swarm:  # fmt: skip
    """Makes a target ready for a number of devices.

    Args:
        clients: devices, numbered from 0.
        seed: chooses the random values.
        host: value of the header Host: host and port of the server.
        keep_alive: False asks the server to close the connection after each answer.
        environ: the variables that templates name; None: those of this process.
        clock: seconds since 1970, for `{now}` and Retry-After.

    Raises:
        ParameterError: the device table has fewer rows than that.
    """
    loaded.check_clients(clients)
    known = os.environ if environ is None else environ
    return Swarm(loaded, clients=clients, seed=seed, host=host, keep_alive=keep_alive, environ=known, clock=clock)


def _kinds(loaded: Loaded) -> Iterator[Kind]:
    target, columns = loaded.target, loaded.table.columns
    for name, endpoint in target.endpoints.items():
        reader = Reader(columns)
        file = None if endpoint.file is None else loaded.files[endpoint.file]
        blueprint = Blueprint.read(name, endpoint, target.headers, reader, file)
        templates = {path: parts for path, told in expected_texts(endpoint) if any(slots(parts := reader.read(told)))}
        fixed = [
            Field(f"json.{path}", fields.path(path), fields.wanted(written))
            for path, written in (endpoint.expect.json_ or {}).items()
            if path not in templates
        ]
        body = endpoint.expect.body
        checks = Checks(
            endpoint, body=None if body in (None, "first") else loaded.files[str(body)], fixed=fixed, has_own=bool(templates)
        )
        own = tuple((f"json.{path}", fields.path(path), parts) for path, parts in templates.items())
        steady = not any(slot.polled for parts in templates.values() for slot in slots(parts))
        yield Kind(name, blueprint, checks, own, endpoint.etag == "remember", steady)


def _variables(kinds: tuple[Kind, ...], others: Iterable[Parts]) -> Iterator[str]:
    """The variables of the environment that are named; no other is ever looked at."""
    for kind in kinds:
        found = [*kind.blueprint.slots(), *(slot for _, _, parts in kind.own for slot in slots(parts))]
        yield from (str(slot.arguments[0]) for slot in found if slot.name == "env")
    yield from (str(slot.arguments[0]) for parts in others for slot in slots(parts) if slot.name == "env")
