"""A HAR file, as browsers and proxies save it -> a target: what was asked of the host that was asked most.

Source: HTTP Archive 1.2, W3C Web Performance Working Group, 2012. Only what is needed is looked at, since recorders
differ in the rest.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from experiments.errors import ParameterError
from experiments.parameters import listed
from experiments.target.file.values import METHODS
from experiments.target.origins import guess
from experiments.target.origins.draft import Draft, Sketch

_ASSETS = (".js", ".css", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".woff", ".woff2", ".map", ".webp")
_MOST_ENDPOINTS = 20


def sketch(text: str) -> Sketch:
    """Reads a HAR file.

    Raises:
        ParameterError: it is none, or nobody asked for anything in it.
    """
    entries = [entry for entry in _entries(text) if urlsplit(entry["request"]["url"]).hostname]
    hosts = Counter(_server(entry) for entry in entries)
    if not hosts:
        raise ParameterError("this HAR file has no request to an http or https server.")
    server, _ = hosts.most_common(1)[0]
    ours = [entry for entry in entries if _server(entry) == server and _is_api(entry)]
    if not ours:
        raise ParameterError(f"this HAR file has no request to {server} but for pictures, scripts and the like.")
    groups: dict[tuple[str, str], list[Any]] = {}
    for entry in ours:
        groups.setdefault(_key(entry), []).append(entry)
    made = Sketch("a HAR file", server, [_endpoint(group) for group in list(groups.values())[:_MOST_ENDPOINTS]])
    if len(groups) > _MOST_ENDPOINTS:
        made.notes.append(f"{len(groups) - _MOST_ENDPOINTS} further endpoints are left out.")
    others = [host for host in hosts if host != server]
    if others:
        made.notes.append(f"Left out: requests to {listed(others[:5])}" + (" and more." if len(others) > 5 else "."))
    if len(ours) < hosts[server]:
        made.notes.append(f"Left out: requests for pictures, scripts and the like, {hosts[server] - len(ours)} of them.")
    return made


def _entries(text: str) -> list[Any]:
    try:
        entries = json.loads(text)["log"]["entries"]
        for entry in entries:
            _ = entry["request"]["url"], entry["request"]["method"], entry["response"]["status"]
        return list(entries)
    except (ValueError, KeyError, TypeError) as error:
        raise ParameterError(f"this is no HAR file: {type(error).__name__} at {error}.") from None


def _server(entry: Any) -> str:
    parts = urlsplit(entry["request"]["url"])
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme in ("http", "https") else ""


def _is_api(entry: Any) -> bool:
    path = urlsplit(entry["request"]["url"]).path.lower()
    return not path.endswith(_ASSETS) and entry["request"]["method"] in METHODS and entry["request"]["method"] != "OPTIONS"


def _key(entry: Any) -> tuple[str, str]:
    parts = urlsplit(entry["request"]["url"])
    return entry["request"]["method"], f"{guess.general(parts.path or '/')[0]}?{parts.query}"


def _endpoint(group: Sequence[Any]) -> Draft:
    first = group[0]["request"]
    parts = urlsplit(first["url"])
    template, id_, said = guess.general(parts.path or "/")
    headers = guess.headers((one["name"], one["value"]) for one in first.get("headers", []))
    target = template + (f"?{guess.query(parts.query)}" if parts.query else "")
    draft = Draft(first["method"], target, headers=headers, device=id_)
    if said:
        draft.guesses["request"] = said
    if posted := first.get("postData", {}).get("text"):
        draft.body = guess.body(posted, first["postData"].get("mimeType", ""), id_)
        if "json" in draft.body:
            headers.pop(next((name for name in headers if name.lower() == "content-type"), ""), None)
        draft.guesses |= dict.fromkeys(draft.body, "as it was sent the first time; put {round} or {now} where it changes")
    _set_often(draft, group)
    _set_expected(draft, [entry["response"] for entry in group])
    return draft


def _set_often(draft: Draft, group: Sequence[Any]) -> None:
    """How often: the usual time between two, where there are enough to see one."""
    starts = sorted(filter(None, (_instant(entry.get("startedDateTime")) for entry in group)))
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    if len(gaps) >= 2 and median(gaps) >= 0.05:
        draft.often["every_s"] = round(median(gaps), 1) or 0.1
        draft.guesses["every_s"] = f"a guess: the median of {len(gaps)} gaps"
    else:
        draft.often["share"] = len(group)
        draft.guesses["share"] = f"a guess: it was asked for {'once' if len(group) == 1 else f'{len(group)} times'}"


def _instant(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return None


def _decoded_bytes(content: Any) -> int:
    """Length of a body after decoding; 0 if unknown.

    Counted where the text is there: `size` should say it, but mitmproxy 11 gives the length on the wire.
    """
    text, size = content.get("text"), content.get("size")
    if isinstance(text, str) and text:
        return len(b64decode(text)) if content.get("encoding") == "base64" else len(text.encode())
    return size if isinstance(size, int) and size > 0 else 0


def _set_expected(draft: Draft, responses: Sequence[Any]) -> None:
    statuses = sorted({one["status"] for one in responses if 200 <= one["status"] <= 599})
    good = [status for status in statuses if status < 400]
    draft.expect["status"] = (good or statuses or [200])[0] if len(good or statuses) < 2 else good or statuses
    if not good:
        draft.guesses["expect.status"] = "a guess: it never went well in this file"
    tags = any(one["name"].lower() == "etag" for response in responses for one in response.get("headers", []))
    if tags and draft.method == "GET":
        draft.etag = True
        draft.guesses["etag"] = "the answer had an ETag; a device that forgets it leaves this out"
    whole = [one.get("content", {}) for one in responses if one["status"] == 200]
    sizes = [size for size in map(_decoded_bytes, whole) if size]
    if sizes:
        draft.expect["decoded_bytes"], draft.guesses["expect.decoded_bytes"] = guess.around(sizes)
    if whole and "json" in whole[0].get("mimeType", ""):
        try:
            known = guess.fields(json.loads(whole[0].get("text") or ""))
        except ValueError:
            return
        if known:
            draft.expect["json"] = known
            draft.guesses["expect.json"] = "a guess: the types that the first answer had"
