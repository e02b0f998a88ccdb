"""What the shape of a target file does not show: whether all that it names is there and can be filled.

Each function yields one sentence for each mistake, with file and line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from experiments.parameters import nearest
from experiments.target.answers import decoding, fields
from experiments.target.file.lines import Place, ended
from experiments.target.file.model import Endpoint
from experiments.target.loaded import Loaded
from experiments.target.requests.templates import Reader, TemplateError, slots, texts_in

_OF_TLS = (
    *(("ca", "CA file"), ("cert", "certificate"), ("key", "private key")),
    *(("server_cert", "certificate"), ("server_key", "private key")),
)
_OF_A_DEVICE = frozenset({"id", "index", "column", "env"})
"""Forms that are known when a device begins."""


def files(loaded: Loaded, missing: Collection[str]) -> Iterator[str]:
    """Files and folders that are named and not there."""
    target, at = loaded.target, loaded.lines.at
    for name, what in _OF_TLS:
        value = getattr(target.tls, name)
        if value is not None and "{" not in value and not loaded.beside(value).is_file():
            yield f"{at(('tls', name))}: there is no {what} {loaded.beside(value)}."
    if target.working_dir and not loaded.beside(target.working_dir).is_dir():
        yield f"{at(('working_dir',))}: there is no folder {loaded.beside(target.working_dir)}."
    for name, endpoint in target.endpoints.items():
        for place, value in ((("file",), endpoint.file), (("expect", "body"), endpoint.expect.body)):
            if value in missing:
                hint = "; `first` compares with the first answer" if place == ("expect", "body") else ""
                yield f"{at(('endpoints', name, *place))}: there is no file {loaded.beside(str(value))}{hint}."


def templates(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[str]:
    """Templates that cannot be filled."""
    columns = loaded.table.columns
    if "id" in columns and loaded.target.devices.id is not None:
        yield f"{loaded.lines.at(('devices', 'id'))}: the device table has a column 'id' as well; leave one of them out."
    for place, text, allowed in _texts(loaded):
        try:
            for slot in slots(Reader(columns, allowed).read(text)):
                if slot.name == "env" and (problem := _unset(str(slot.arguments[0]), environ)):
                    yield ended(f"{loaded.lines.at(place)}: {slot.written} cannot be filled: {problem}")
        except TemplateError as error:
            yield ended(f"{loaded.lines.at(place)}: {error}")


def expectations(loaded: Loaded) -> Iterator[str]:
    """Expectations that make no sense, or that nothing here can check."""
    for name, endpoint in loaded.target.endpoints.items():
        place: Place = ("endpoints", name, "expect", "json")
        for path, written in (endpoint.expect.json_ or {}).items():
            yield from _complaints(loaded, (*place, path), path, written)
        if endpoint.next_poll and endpoint.next_poll.json_:
            yield from _complaints(loaded, ("endpoints", name, "next_poll"), endpoint.next_poll.json_, 1)
        accepted = _accepted(loaded.target.headers, endpoint)
        if accepted and _decodes(endpoint) and (unknown := decoding.unknown_in(accepted)):
            at = loaded.lines.at(("endpoints", name, "headers"))
            yield f"{at}: Accept-Encoding {unknown!r} is not decoded here: {decoding.advice(unknown)}."


def expected_texts(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """(path, text) of the expected fields whose value may be a template."""
    for path, written in (endpoint.expect.json_ or {}).items():
        equals = written.get("equals") if isinstance(written, dict) and len(written) == 1 else written
        if isinstance(equals, str):
            yield path, equals


def _texts(loaded: Loaded) -> Iterator[tuple[Place, str, Collection[str] | None]]:
    """Each text that may be a template: where it stands, and the forms that are allowed there; None for all."""
    target = loaded.target
    if target.devices.id is not None:
        yield ("devices", "id"), target.devices.id, _OF_A_DEVICE - {"id"}
    for name in ("cert", "key"):
        if (file := getattr(target.tls, name)) is not None:
            yield ("tls", name), file, _OF_A_DEVICE
    for name, value in target.env.items():
        yield ("env", name), value, {"env"}
    yield from ((("headers", name), value, None) for name, value in target.headers.items())
    for name, endpoint in target.endpoints.items():
        place: Place = ("endpoints", name)
        yield (*place, "request"), endpoint.path, None
        for key, tree in _trees(endpoint):
            yield from (((*place, key, *inner), text, None) for inner, text in texts_in(tree))
        for path, text in expected_texts(endpoint):
            yield (*place, "expect", "json", path), text, _OF_A_DEVICE | {"round"}


def _trees(endpoint: Endpoint) -> Iterator[tuple[str, Any]]:
    yield "headers", endpoint.headers
    yield "query", endpoint.query
    yield "json", endpoint.json_
    yield "text", endpoint.text


def _unset(name: str, environ: Mapping[str, str]) -> str | None:
    if name not in environ:
        near = nearest(name, environ) if name else ""
        return f"there is no variable {name} in the environment{near}"
    if not environ[name]:
        return f"the variable {name} of the environment is empty"
    try:
        environ[name].encode()
    except UnicodeEncodeError:
        return f"the variable {name} of the environment is not text"
    return None


def _complaints(loaded: Loaded, place: Place, path: str, written: Any) -> Iterator[str]:
    try:
        fields.path(path)
        fields.wanted(written)
    except ValueError as error:
        yield ended(f"{loaded.lines.at(place)}: {error}")


def _accepted(for_all: Mapping[str, str], endpoint: Endpoint) -> str | None:
    """The Accept-Encoding that an endpoint sends, if it does."""
    for headers in (endpoint.headers, for_all):
        for name, value in headers.items():
            if name.lower() == "accept-encoding":
                return value
    return None


def _decodes(endpoint: Endpoint) -> bool:
    expect = endpoint.expect
    wanted = (expect.decoded_bytes, expect.json_, expect.regex, expect.body)
    return endpoint.next_poll is not None or (endpoint.ignore is not True and any(one is not None for one in wanted))
