"""What sources have in common: which parts of a path are ids, what is secret, which headers matter, what an answer shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from experiments.target.masking import is_secret
from experiments.target.origins.draft import escaped

_ID = re.compile(
    r"[0-9]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*[0-9])[0-9a-f]{12,}"
    r"|(?=.*[0-9].*[0-9].*[0-9])[A-Za-z0-9]+([-_.:][A-Za-z0-9]+)*|[A-Za-z]+[-_][0-9]+",
    re.IGNORECASE,
)
_VERSION = re.compile(r"v[0-9]+(\.[0-9]+)*", re.IGNORECASE)
_NOISE = re.compile(
    r"^(:.*|host|connection|content-length|transfer-encoding|user-agent|referer|origin|sec-.*|dnt|pragma|cache-control"
    r"|priority|upgrade-insecure-requests|accept-language|if-none-match|if-modified-since|te|keep-alive|x-forwarded-.*)$"
)
_SAFE = "%/:@!$&'()*+,;=~{}"
"""What stays as it is in a path; anything else that no path may have is percent-encoded."""
_DECODED = ("gzip", "deflate")
_MOST_FIELDS = 6
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def general(path: str) -> tuple[str, str | None, str]:
    """A path without a query -> the same as a template, the id that was in it, and what to say of that.

    The last part that looks like an id is the device's; others stay, since nobody knows what they mean.
    """
    parts = quote(path, safe=_SAFE).split("/")
    ids = [place for place, part in enumerate(parts) if _ID.fullmatch(unquote(part)) and not _VERSION.fullmatch(part)]
    if not ids:
        return "/".join(map(escaped, parts)), None, ""
    found = parts[ids[-1]]
    written = [r"{id}" if part == found and place in ids else escaped(part) for place, part in enumerate(parts)]
    others = [parts[place] for place in ids if parts[place] != found]
    kept = f"; {', '.join(others)} stays as it was" if others else ""
    return "/".join(written), unquote(found), f"a guess: {unquote(found)!r} was the device's id{kept}"


def variable(name: str) -> str:
    """The variable of the environment that a secret is taken from."""
    word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    word = {"AUTHORIZATION": "API_TOKEN", "COOKIE": "API_COOKIE"}.get(word, word)
    return word if word[:1].isalpha() else f"API_{word}"


def header(name: str, value: str) -> str:
    """The value of a header as a template: a secret is taken from the environment, its scheme stays."""
    if not is_secret(name):
        return escaped(value)
    scheme = re.match(r"(Bearer|Basic|Digest|Token|ApiKey)\s+", value, re.IGNORECASE)
    return f"{scheme[0] if scheme else ''}{{env.{variable(name)}}}"


def headers(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that an API may look at, as templates; those of every browser and client are left out."""
    kept: dict[str, str] = {}
    for name, value in given:
        low = name.lower()
        if _NOISE.match(low) or (low == "accept" and value.strip() == "*/*"):
            continue
        if low == "accept-encoding":
            known = [one for one in _DECODED if one in value.lower()]
            if known:
                kept[name] = ", ".join(known)
            continue
        kept[name] = header(name, value)
    return kept


def query(text: str) -> str:
    """A query as a template: secrets are taken from the environment."""
    pairs = parse_qsl(text, keep_blank_values=True)
    if not pairs:
        return escaped(text)
    return "&".join(
        f"{quote(name, safe='')}=" + (f"{{env.{variable(name)}}}" if is_secret(name) else quote(value, safe=""))
        for name, value in pairs
    )


def tree(value: Any, id_: str | None, name: str = "") -> Any:
    """JSON as templates: secrets are taken from the environment, the device's id is a template."""
    if isinstance(value, dict):
        return {key: tree(item, id_, key) for key, item in value.items()}
    if isinstance(value, list):
        return [tree(item, id_, name) for item in value]
    if name and is_secret(name) and isinstance(value, str | int) and not isinstance(value, bool):
        return f"{{env.{variable(name)}}}"
    if isinstance(value, str):
        return "{id}" if id_ is not None and value == id_ else escaped(value)
    return value


def body(text: str, content_type: str, id_: str | None) -> dict[str, Any]:
    """The body of a request as `json` or `text`."""
    if "json" in content_type or text.lstrip()[:1] in ("{", "["):
        try:
            return {"json": tree(json.loads(text), id_)}
        except ValueError:
            pass
    if "x-www-form-urlencoded" in content_type:
        return {"text": query(text)}
    return {"text": escaped(text)}


def fields(document: Any) -> dict[str, Any]:
    """What may be expected of JSON like this: the types of its first fields."""
    if not isinstance(document, Mapping):
        return {}
    known = [(key, value) for key, value in document.items() if type(value) in _TYPES and re.fullmatch(r"[^.\[\]]+", key)]
    return {key: {"type": _TYPES[type(value)]} for key, value in known[:_MOST_FIELDS]}


def around(sizes: Iterable[int]) -> tuple[str, str]:
    """A range around lengths that were seen, and what to say of it."""
    low, high = min(several := list(sizes)), max(several)
    seen = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{low // 2}..{high * 2}", f"a guess: half to twice what was seen, {seen}"
