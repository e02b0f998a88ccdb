"""An endpoint's request: read once for all devices, bound once for each, rendered for each poll.

`Blueprint` has the templates of an endpoint, `Request` those of one device with everything filled in that is its own;
`wire` and `parts` put in what changes from poll to poll. A request in which nothing changes is made once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from experiments.errors import ParameterError
from experiments.target.file.model import Endpoint
from experiments.target.requests.filling import Filling, Pieces, Text, joined, pieces, text
from experiments.target.requests.templates import Parts, Reader, Slot, Value, whole

USER_AGENT = "falcon-asgi-performance-lab"
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say Content-Length: 0 where they have no body (RFC 9110, 8.6)."""
_PATH_SAFE = "/:@!$&'()*+,;=~-._"


class RequestParts(NamedTuple):
    """A request, for a client that writes it itself. Connection and Content-Length are left to that client, and Host where
    no header says it (see `with_host`)."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: list[tuple[str, str]]
    body: bytes


def with_host(headers: list[tuple[str, str]], host: str) -> list[tuple[str, str]]:
    """These headers after Host, unless they name it themselves: several hosts may stand behind one address."""
    return headers if any(name.lower() == "host" for name, _ in headers) else [("Host", host), *headers]


@dataclass(frozen=True)
class Blueprint:
    """The request of one endpoint, read."""

    name: str
    """The endpoint."""
    method: str
    target: Pieces
    """Path and query."""
    headers: tuple[tuple[str, Pieces], ...]
    body: Pieces | bytes | None
    """JSON or text; or the bytes of a file."""

    @classmethod
    def read(
        cls, name: str, endpoint: Endpoint, for_all: Mapping[str, str], reader: Reader, file: bytes | None
    ) -> Blueprint:
        """Reads the templates of an endpoint.

        Args:
            for_all: headers of every request.
            file: the bytes of the file that is the body, if one is named.

        Raises:
            TemplateError: one of them cannot be filled.
        """
        target = _target(endpoint, reader)
        written = _headers(endpoint, for_all, has_body=endpoint.has_json or endpoint.text is not None or file is not None)
        headers = tuple((one, pieces(reader.read(value), str)) for one, value in written.items())
        return cls(name, endpoint.method, target, headers, _body(endpoint, reader, file))

    def slots(self) -> Iterator[Slot]:
        """All that is filled in."""
        several = [self.target, *(value for _, value in self.headers)]
        if isinstance(self.body, tuple):
            several.append(self.body)
        return (piece[0] for value in several for piece in value if not isinstance(piece, str))

    @property
    def same_for_all(self) -> bool:
        """Whether all devices send the same bytes in every round."""
        return all(slot.name == "env" for slot in self.slots())

    def bind(self, filling: Filling, *, host: str, keep_alive: bool = True) -> Request:
        """The request of a device.

        Args:
            host: value of the header Host, where the endpoint does not name another.
            keep_alive: False asks the server to close the connection after each answer.

        Raises:
            ParameterError: a value cannot stand in a header.
        """
        return Request(self, filling, host, keep_alive)


class Request:
    """The request of one endpoint of one device."""

    __slots__ = ("_always", "_begin", "_body", "_head", "_headers", "_target", "blueprint")

    def __init__(self, blueprint: Blueprint, filling: Filling, host: str, keep_alive: bool) -> None:
        self.blueprint = blueprint
        self._target = text(blueprint.target, filling)
        self._headers = [(name, text(value, filling)) for name, value in blueprint.headers]
        for name, value in self._headers:
            _check_header(blueprint.name, filling.client, name, value)
        self._body: Text | bytes | None = None
        if isinstance(blueprint.body, tuple):
            body = text(blueprint.body, filling)
            self._body = body if body.always is None else body.always.encode()
        else:
            self._body = blueprint.body
        self._head = self._written_head(host, keep_alive)
        always = self._head.always
        self._begin = None if always is None else always.encode()[:-2]
        self._always = None if always is None or isinstance(self._body, Text) else always.encode() + (self._body or b"")

    @property
    def always(self) -> bytes | None:
        """The bytes of every such request without an ETag; None where they change from poll to poll."""
        return self._always

    def wire(self, round_: int, etag: str | None = None) -> bytes:
        """The bytes of an HTTP/1.1 request.

        Args:
            round_: of the poll, from 1.
            etag: sent as If-None-Match.
        """
        if self._always is not None and etag is None:
            return self._always
        body = self._body
        if isinstance(body, Text):
            content = body(round_).encode()
            length = b"Content-Length: %d\r\n" % len(content)
        else:
            content, length = body or b"", b""
        # PERF: a head in which nothing changes is bytes already; only the length of the body is written into it.
        head = self._begin if self._begin is not None else self._head(round_).encode()[:-2]
        if etag is not None:
            length += b"If-None-Match: %s\r\n" % etag.encode("latin-1")
        return b"%s%s\r\n%s" % (head, length, content)

    def parts(self, round_: int, etag: str | None = None) -> RequestParts:
        """The same request in parts."""
        headers = [(name, value(round_)) for name, value in self._headers]
        if etag is not None:
            headers.append(("If-None-Match", etag))
        return RequestParts(self.blueprint.method, self._target(round_), headers, self._body_of(round_))

    def _body_of(self, round_: int) -> bytes:
        body = self._body
        return body(round_).encode() if isinstance(body, Text) else body or b""

    def _written_head(self, host: str, keep_alive: bool) -> Text:
        pattern = [f"{self.blueprint.method} {self._target.pattern} HTTP/1.1\r\n"]
        said = with_host([(name, value.pattern) for name, value in self._headers], host.replace("%", "%%"))
        pattern += [f"{name}: {value}\r\n" for name, value in said]
        if not keep_alive:
            pattern.append("Connection: close\r\n")
        if isinstance(self._body, bytes) or (self._body is None and self.blueprint.method in WITH_LENGTH):
            pattern.append(f"Content-Length: {len(self._body or b'')}\r\n")
        makers = [*self._target.makers, *(make for _, value in self._headers for make in value.makers)]
        return Text("".join(pattern) + "\r\n", tuple(makers))


def _target(endpoint: Endpoint, reader: Reader) -> Pieces:
    path, mark, query = _split(endpoint.path)
    parts: list[Pieces] = [_encoded(reader.read(path), _PATH_SAFE)]
    if mark:
        parts += [("?",), _encoded(reader.read(query), _PATH_SAFE + "?")]
    for name, value in endpoint.query.items():
        for one in value if isinstance(value, list) else [value]:
            between = "&" if mark else "?"
            mark = "?"
            parts += [(f"{between}{quote(name, safe='')}=",), _encoded(reader.read(one), "")]
    return joined(*parts)


def _split(path: str) -> tuple[str, str, str]:
    """A path and its query, parted at the first question mark outside of braces."""
    depth = 0
    for place, letter in enumerate(path):
        depth += (letter == "{") - (letter == "}")
        if letter == "?" and depth == 0:
            return path[:place], "?", path[place + 1 :]
    return path, "", ""


def _encoded(parts: Parts, safe: str) -> Pieces:
    """What stands in the file keeps its own percent-encoding; a value that is filled in is encoded whole."""
    filled = partial(_quoted, safe="")
    return tuple(quote(part, safe=safe + "%" if safe else "") if isinstance(part, str) else (part, filled) for part in parts)


def _quoted(value: Value, safe: str) -> str:
    return quote(str(value), safe=safe)


def _headers(endpoint: Endpoint, for_all: Mapping[str, str], *, has_body: bool) -> dict[str, str]:
    """All headers, those of the endpoint before those for all before our own; names are alike in any case."""
    written: dict[str, str] = {"Accept": "*/*", "User-Agent": USER_AGENT}
    if has_body:
        written["Content-Type"] = _content_type(endpoint)
    for name, value in [*for_all.items(), *endpoint.headers.items()]:
        known = next((one for one in written if one.lower() == name.lower()), name)
        written.pop(known, None)
        written[name] = value
    return written


def _content_type(endpoint: Endpoint) -> str:
    if endpoint.has_json:
        return "application/json"
    return "text/plain; charset=utf-8" if endpoint.text is not None else "application/octet-stream"


def _body(endpoint: Endpoint, reader: Reader, file: bytes | None) -> Pieces | bytes | None:
    if endpoint.has_json:
        return joined(_json(endpoint.json_, reader))
    if endpoint.text is not None:
        return pieces(reader.read(endpoint.text), str)
    return file


def _json(value: Any, reader: Reader) -> Iterator[Any]:
    """A tree as JSON without spaces; a text that is one template has that template's type."""
    if isinstance(value, dict):
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else ''}{_dumps(key)}:"
            yield from _json(item, reader)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, item in enumerate(value):
            if number:
                yield ","
            yield from _json(item, reader)
        yield "]"
    elif not isinstance(value, str):
        yield _dumps(value)
    else:
        parts = reader.read(value)
        if slot := whole(parts):
            yield slot, _dumps
        else:
            yield '"'
            yield from (_inside(part) if isinstance(part, str) else (part, _inside) for part in parts)
            yield '"'


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _inside(value: Value) -> str:
    """A value within a text of JSON."""
    return json.dumps(str(value), ensure_ascii=False)[1:-1]


def _check_header(endpoint: str, client: int, name: str, value: Text) -> None:
    sample = value(1)
    if any((ord(letter) < 32 and letter != "\t") or ord(letter) == 127 for letter in sample) or sample != sample.strip():
        raise ParameterError(
            f"endpoint {endpoint!r}, device {client}: the value of header {name} has a line break, another control "
            "character, or a space at its end, and cannot be sent."
        )
