"""A request that a device's own program changes: headers, path or body in place of what the target says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.target import masking
from experiments.target.requests.request import WITH_LENGTH, Request, RequestParts


@dataclass(frozen=True)
class Changes:
    """What is put in place of the target's own; None leaves it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """By name, in any case; those of the target that are not named stay."""
    path: str | None = None
    """With its query, percent-encoded."""
    body: bytes | None = None

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not (name.isascii() and value.isprintable()) or value != value.strip():
                raise ValueError(f"header {name!r} has a value that cannot be sent")
        if self.path is not None and not (self.path.isascii() and self.path.isprintable() and self.path[:1] == "/"
                                          and " " not in self.path):  # fmt: skip
            raise ValueError(f"path={self.path!r} must begin with / and be percent-encoded, see urllib.parse.quote")

    @property
    def secrets(self) -> list[str]:
        """Values that nobody may be shown: those of headers that are secret by their name, without a scheme."""
        return [value.rpartition(" ")[2] for name, value in self.headers.items() if masking.hides(name, value)]

    def of(self, parts: RequestParts) -> RequestParts:
        """A request with these changes."""
        own = {name.lower() for name in self.headers}
        headers = [one for one in parts.headers if one[0].lower() not in own] + [*self.headers.items()]
        body = parts.body if self.body is None else self.body
        return RequestParts(parts.method, self.path or parts.target, headers, body)


class Changed:
    """A device's request with changes; asked for as `Request` is."""

    __slots__ = ("_host", "_keep_alive", "changes", "plain")

    def __init__(self, plain: Request, changes: Changes, host: str, *, keep_alive: bool) -> None:
        self.plain = plain
        """As the target has it."""
        self.changes = changes
        self._host = host
        self._keep_alive = keep_alive

    def parts(self, round_: int, etag: str | None = None) -> RequestParts:
        """As `Request.parts`."""
        return self.changes.of(self.plain.parts(round_, etag))

    def wire(self, round_: int, etag: str | None = None) -> bytes:
        """As `Request.wire`."""
        method, target, headers, body = self.parts(round_, etag)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", *(f"{name}: {value}" for name, value in headers)]
        if not self._keep_alive:
            lines.append("Connection: close")
        if body or method in WITH_LENGTH:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body
