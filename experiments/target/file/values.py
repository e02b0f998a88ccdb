"""Values of a target file: each function takes what stands there and gives it back checked, or says what is allowed.

Raised is ValueError, whose message is the end of a sentence that pydantic's callers finish.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from experiments.target.file import ranges

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REQUEST = re.compile(r"(\S+)\s+(/\S*)")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {"content-length", "transfer-encoding", "connection"}


def as_text(value: object) -> object:
    """A number in a place of text is taken as it is written in JSON; true and false are not."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def byte_range(value: object) -> object:
    if value is not None:
        ranges.of_bytes(value)
    return value


def statuses(value: object) -> object:
    several = value if isinstance(value, list | tuple) else [value]
    if not several or not all(type(one) is int and 200 <= one <= 599 for one in several):
        raise ValueError("a status from 200 to 599 or a list of them is needed")
    return tuple(several)


def regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return value


def whole(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a whole number is needed")
    return value


def header_names(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
    return value


def from_the_root(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("a path begins with /")
    return value


def parts_or_all(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    raise ValueError("true, false, or a list of regular expressions is needed")


def sendable(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if name.lower() in _OURS:
            raise ValueError(f"{name} is set by the lab itself; leave it out")
    return header_names(value)


def next_poll(value: object) -> object:
    if isinstance(value, str):
        return {"header": "Retry-After"} if value.lower() == "retry-after" else {"json": value}
    return value


def request(value: str) -> str:
    match = _REQUEST.fullmatch(value.strip()) if "{" not in value else re.fullmatch(r"(\S+)\s+(/.*)", value.strip())
    if match is None:
        raise ValueError("write it like GET /path")
    if match[1] not in METHODS:
        hint = f"; did you mean {match[1].upper()!r}?" if match[1].upper() in METHODS else ""
        raise ValueError(f"{match[1]!r} is no method: allowed are {', '.join(METHODS)}{hint}")
    if "#" in match[2]:
        raise ValueError("what follows # never reaches a server; leave it out")
    return f"{match[1]} {match[2]}"


def environment(value: object) -> object:
    """A list of names hands these variables on as they are."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: f"{{env.{name}}}" for name in value}
    return value


def ready(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("give scheme, host and port, like https://127.0.0.1:8443") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"\s", value):
        raise ValueError("give scheme, host and port, like https://127.0.0.1:8443")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("give scheme, host and port only: a path belongs to `request`, who asks to `headers`")
    return f"{parts.scheme}://{parts.netloc}"
