"""One answer, as checks see it: what came, and what it is after decoding, worked out only where somebody asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from experiments.target.answers.decoding import decode


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_UNREAD: Any = object()
_JSON = json.JSONDecoder(parse_constant=_no_constant)


class Answer:
    """What a server answered.

    Args:
        status: the status code.
        body: the body as it came, without the framing of chunks, before Content-Encoding is undone. An engine may leave it
            out where `Poller.needs_body` is false, and give `wire_bytes` instead.
        headers: names and values as they came, in any case; trailers may be among them.
        wire_bytes: length of the body on the wire; None: that of `body`.
    """

    __slots__ = ("_decoded", "_json", "body", "headers", "known_bytes", "status", "wire_bytes")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        wire_bytes: int | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.wire_bytes = len(body) if wire_bytes is None else wire_bytes
        self._decoded: bytes | None = None
        self.known_bytes: int | None = None
        """Length of the decoded body, where it is known of an earlier answer with the same bytes."""
        self._json: Any = _UNREAD

    def header(self, name: bytes) -> str | None:
        """The value of a header, its name in lower case; several of one name are joined by commas."""
        values = [value for one, value in self.headers if one == name or one.lower() == name]
        if not values:
            return None
        return b", ".join(values).decode("latin-1").strip()

    @property
    def encoding(self) -> str:
        """Its Content-Encoding, empty if it has none."""
        return self.header(b"content-encoding") or ""

    @property
    def decoded(self) -> bytes:
        """The body after its Content-Encoding is undone.

        Raises:
            DecodingError: it cannot be.
        """
        if self._decoded is None:
            encoding = self.encoding
            self._decoded = decode(self.body, encoding) if encoding else self.body
        return self._decoded

    @property
    def decoded_bytes(self) -> int | None:
        """Length of the decoded body, where a Content-Encoding was undone; None where that was not needed or not done."""
        if self._decoded is None:
            return self.known_bytes
        return None if self._decoded is self.body else len(self._decoded)

    @property
    def json(self) -> Any:
        """The decoded body as JSON.

        Raises:
            ValueError: it is none.
        """
        if self._json is _UNREAD:
            self._json = _JSON.decode(self.decoded.decode())
        return self._json
