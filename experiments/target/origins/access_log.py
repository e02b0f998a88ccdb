"""An access log in the combined format -> a target: its endpoints, their shares and sizes, and the rate.

Each line is read by one pattern, since that is all the format is; what a server writes after it (times, a host) is left
alone. Python's servers write kin of it by default, which are read as well (aiohttp 3.14, hypercorn 0.18, daphne 4.2, each
looked at): aiohttp has no names of users and counts the head among the bytes; hypercorn puts its logger's own words before
it, leaves the query out and writes `GET /path 1.1`; daphne's times have no zone; both give the client's port.
Source: Apache HTTP Server, mod_log_config, "combined"; nginx and gunicorn have the same as their default.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from experiments.errors import ParameterError
from experiments.target.file.values import METHODS
from experiments.target.masking import is_secret
from experiments.target.origins import guess
from experiments.target.origins.draft import Draft, Sketch, escaped

_LINE = re.compile(
    r"(?:\[[^\]]+\] \[[0-9]+\] \[[A-Z]+\] )?"  # a logger's words
    r"(?P<client>[^\s\[]+|\[[0-9a-f:]+\]\S*)(?P<users> \S+ .*?)? \[(?P<time>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<target>\S+)(?P<version> (?:HTTP/)?[0-9.]+)?" (?P<status>[0-9]{3}) (?P<bytes>[0-9]+|-)(?: .*)?'
)
_PORT = re.compile(r"(?<=[0-9\]]):[0-9]+$")
"""After an IPv4 address, or one in brackets."""
_MOST_ENDPOINTS = 12
_MOST_QUERIES = 5
"""Queries of one path up to which each is an endpoint of its own; more of them are values that change."""
_MOST_CHOICES = 8
_LEAST_SHARE = 0.002
"""Endpoints asked for less often are left out, and named."""


@dataclass
class _Seen:
    """What was asked for by one method and path."""

    number: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    queries: Counter[str] = field(default_factory=Counter)
    by_query: dict[str, _Seen] = field(default_factory=dict)
    said: str = ""

    def add(self, status: int, size: int) -> None:
        self.number += 1
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.sizes.append(size)


def sketch(lines: Iterable[str]) -> Sketch:
    """Reads a log.

    Raises:
        ParameterError: fewer than half of its lines are in the combined format, or it is empty.
    """
    seen: dict[tuple[str, str], _Seen] = {}
    clients: set[str] = set()
    times: list[datetime] = []
    habits: set[str] = set()
    wrong = 0
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        at = _time(match["time"]) if match and match["method"] in METHODS else None
        if match is None or at is None:
            wrong += bool(line.strip())
            continue
        clients.add(_address(match["client"]))
        times = [min([*times, at]), max([*times, at])]
        habits.update(_habits(match))
        _add(seen, match)
    number = sum(one.number for one in seen.values())
    if wrong >= max(number, 1):
        raise ParameterError(f"this is no access log in the combined format: {wrong} of {wrong + number} lines are not.")
    if not number:
        raise ParameterError("this access log is empty.")
    drafts, left_out = _drafts(seen, number)
    made = Sketch("an access log", None, drafts)
    made.notes = [*_notes(number, wrong, clients, times, drafts, left_out), *sorted(habits)]
    return made


def _address(client: str) -> str:
    """Who asked, without the port, which is another one for each connection."""
    return client if client.count(":") > 1 and not client.startswith("[") else _PORT.sub("", client)


def _time(text: str) -> datetime | None:
    """When; a time without a zone is taken for UTC, since only differences are used."""
    try:
        return datetime.strptime(text if " " in text else f"{text} +0000", "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return None


def _habits(match: re.Match[str]) -> Iterator[str]:
    """What a server's own kind of line leaves out, for the user to know."""
    if not _says_body_bytes(match):
        yield "This log, like aiohttp's, counts the head of an answer among its bytes: no length is expected."
    if (match["version"] or "HTTP").lstrip()[0].isdigit():
        yield "This log, like hypercorn's, leaves queries out: add them where the server asks for them."


def _says_body_bytes(match: re.Match[str]) -> bool:
    return match["users"] is not None


def _add(seen: dict[tuple[str, str], _Seen], match: re.Match[str]) -> None:
    path, _, query = match["target"].partition("?")
    template, id_, said = guess.general(path if path.startswith("/") else "/")
    one = seen.setdefault((match["method"], template), _Seen(said=said))
    size = 0 if match["bytes"] == "-" or not _says_body_bytes(match) else int(match["bytes"])
    one.add(int(match["status"]), size)
    one.queries[query] += 1
    if len(one.by_query) <= _MOST_QUERIES:
        each = one.by_query.setdefault(query, _Seen(said=said))
        each.add(int(match["status"]), size)
        each.ids = one.ids
    if id_ is not None and len(one.ids) < 1000:
        one.ids.add(id_)


def _drafts(seen: dict[tuple[str, str], _Seen], number: int) -> tuple[list[Draft], list[str]]:
    """The endpoints, the most frequent first, and what is left out."""
    parted: list[tuple[str, str, str, _Seen]] = []
    for (method, path), one in seen.items():
        if len(one.queries) <= _MOST_QUERIES:
            parted += [(method, path, guess.query(query) if query else "", each) for query, each in one.by_query.items()]
        else:
            parted.append((method, path, _varying(one.queries), one))
    parted.sort(key=lambda each: -each[3].number)
    kept = [each for each in parted if each[3].number >= number * _LEAST_SHARE][:_MOST_ENDPOINTS]
    shares = _shares([each[3].number for each in kept])
    drafts = [_draft(*each, share) for each, share in zip(kept, shares, strict=True)]
    return drafts, [f"{method} {path}" for method, path, _, _ in parted[len(kept) :]]


def _shares(numbers: Sequence[int]) -> list[int]:
    """Small whole numbers in nearly the same proportion; the rarest has 1."""
    return [max(1, round(number / numbers[-1])) for number in numbers]


def _varying(queries: Counter[str]) -> str:
    """The query of a path with many: each parameter takes the values that were most frequent."""
    values: dict[str, Counter[str]] = {}
    for query, number in queries.items():
        for pair in filter(None, query.split("&")):
            name, _, value = pair.partition("=")
            values.setdefault(name, Counter())[value] += number
    written = []
    for name, counted in values.items():
        common = [value for value, _ in counted.most_common(_MOST_CHOICES)]
        if is_secret(name):
            written.append(f"{name}={{env.{guess.variable(name)}}}")
        elif len(common) == 1:
            written.append(f"{name}={escaped(common[0])}")
        else:
            safe = [one for one in common if re.fullmatch(r"[A-Za-z0-9._~-]+", one)] or [quote(common[0], safe="")]
            written.append(f"{name}={{choice({', '.join(repr(one) for one in safe)})}}")
    return "&".join(written)


def _draft(method: str, path: str, query: str, one: _Seen, share: int) -> Draft:
    draft = Draft(method, path + (f"?{query}" if query else ""), often={"share": share}, device=min(one.ids, default=None))
    draft.guesses["share"] = f"{one.number:,} requests"
    ids = f" ({len(one.ids):,} of them)" if len(one.ids) > 1 else ""
    said = [one.said + ids] if one.said else []
    if "{choice(" in query:
        said.append("a guess: the query takes the values that were most frequent")
    if said:
        draft.guesses["request"] = "; ".join(said)
    if method in ("POST", "PUT", "PATCH"):
        draft.body = {"json": {}}
        draft.guesses["json"] = "to be filled in: a log does not show what was sent"
    good = sorted(status for status in one.statuses if 200 <= status < 400)
    draft.expect["status"] = good[0] if len(good) == 1 else good or 200
    bad = {status: number for status, number in sorted(one.statuses.items()) if status >= 400}
    if bad:
        draft.guesses["expect.status"] = "also seen: " + ", ".join(f"{number} x {status}" for status, number in bad.items())
    if 304 in good and method == "GET":
        draft.etag = True
        draft.guesses["etag"] = "a guess: 304 was answered, to If-None-Match or If-Modified-Since"
    if any(one.sizes):
        draft.expect["bytes"], draft.guesses["expect.bytes"] = guess.around(one.sizes)
    return draft


def _notes(
    number: int, wrong: int, clients: set[str], times: Sequence[datetime], drafts: Sequence[Draft], left_out: Sequence[str]
) -> list[str]:
    seconds = (times[-1] - times[0]).total_seconds() or 1.0
    rate = number / seconds
    shares = [one.often["share"] for one in drafts]
    interval_ms = len(clients) * sum(shares) / max(shares) / rate * 1000
    notes = [
        f"{number:,} requests in {seconds:,.0f} s from {len(clients):,} addresses: {rate:.3g} a second.",
        f"The same rate: clients={len(clients)} and interval_ms={interval_ms:.0f}, if each address is a device (a guess).",
    ]
    if wrong:
        notes.append(f"Left out: lines that are not in the combined format, {wrong:,} of them.")
    if left_out:
        shown = ", ".join(left_out[:8]) + (" and more" if len(left_out) > 8 else "")
        notes.append(f"Left out as rare: {shown}.")
    notes.append("A log shows no headers: add Authorization and others that the server asks for.")
    return notes
