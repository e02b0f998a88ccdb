"""A `curl` command line -> a target with one endpoint."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from experiments.errors import ParameterError
from experiments.target.file.values import METHODS
from experiments.target.origins import guess
from experiments.target.origins.draft import Draft, Sketch

_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def sketch(command: str) -> Sketch:
    """Reads a command line as a shell would, and curl.

    Raises:
        ParameterError: it is no curl command, or names no URL.
    """
    given, unknown = _parsed(command)
    url = given.url or given.address
    if not url:
        raise ParameterError("this curl command names no URL.")
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if not parts.hostname:
        raise ParameterError(f"this curl command names no host: {parts.path!r}.")
    headers = [tuple(map(str.strip, one.split(":", 1))) for one in given.header if ":" in one]
    if given.compressed:
        headers.append(("Accept-Encoding", "gzip, deflate"))
    if given.cookie:
        headers.append(("Cookie", given.cookie))
    kept = guess.headers((name, value) for name, value in headers)
    if given.user or parts.username:
        kept["Authorization"] = "Basic {env.API_BASIC}"
    draft = _endpoint(given, parts.path or "/", parts.query, dict(kept))
    made = Sketch("a curl command", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", [draft], tls=_tls(given))
    if kept.get("Authorization") == "Basic {env.API_BASIC}":
        made.notes.append("API_BASIC is the Base64 of user:password, as in the header that curl sends.")
    if unknown:
        options = [one.partition("=")[0] for one in unknown if one.startswith("-")]
        made.notes.append(f"Not understood and left out: {' '.join(options) or 'a further word'}.")
    if given.insecure:
        made.notes.append("curl was told not to check the certificate, so this target does not either.")
    return made


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ParameterError(f"this curl command cannot be read: {message}.")


def _parsed(command: str) -> tuple[argparse.Namespace, list[str]]:
    text = _QUOTED.sub(_unescaped, command.strip().replace("\\\r\n", " ").replace("\\\n", " "))
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ParameterError(f"this curl command cannot be read: {str(error).lower()}.") from None
    if not words or words[0].rpartition("/")[2] not in ("curl", "curl.exe"):
        raise ParameterError("this is no curl command: it must begin with curl.")
    return _options().parse_known_args(words[1:])


def _unescaped(match: re.Match[str]) -> str:
    r"""A shell's $'...' as a text in plain quotes."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)), match[1])
    return shlex.quote(re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), text, flags=re.DOTALL))


def _options() -> argparse.ArgumentParser:
    parser = _Parser(prog="curl", add_help=False, allow_abbrev=False)
    add = parser.add_argument
    add("address", nargs="?")
    add("--url")
    add("-X", "--request")
    add("-H", "--header", action="append", default=[])
    add("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", action="append", default=[], dest="data")
    add("--data-urlencode", action="append", default=[], dest="encoded")
    add("--json", action="append", default=[])
    add("-u", "--user")
    add("-b", "--cookie")
    add("--cacert")
    add("-E", "--cert")
    add("--key")
    for names in (("-G", "--get"), ("-I", "--head"), ("-k", "--insecure"), ("--compressed",)):
        add(*names, action="store_true")
    # What changes only what curl shows, or how it waits.
    for letter, name in {"A": "user-agent", "e": "referer", "o": "output", "m": "max-time", "w": "write-out"}.items():
        add(f"-{letter}", f"--{name}")
    add("--connect-timeout")
    for name in ("silent", "Show-error", "verbose", "Location", "include", "fail"):
        add(f"-{name[0]}", f"--{name.lower()}", action="store_true")
    return parser


def _endpoint(given: argparse.Namespace, path: str, query: str, headers: dict[str, str]) -> Draft:
    data = [*given.data, *map(_encoded, given.encoded), *given.json]
    body = "&".join(data) if not given.json else "".join(given.json)
    if given.get and body:
        query, body, data = "&".join(filter(None, [query, body])), "", []
    method = (given.request or ("HEAD" if given.head else "POST" if data else "GET")).upper()
    if method not in METHODS:
        raise ParameterError(f"this curl command asks with {method!r}: allowed are {', '.join(METHODS)}.")
    template, id_, said = guess.general(path)
    target = template + (f"?{guess.query(query)}" if query else "")
    draft = Draft(method, target, headers=headers, often={"share": 1}, device=id_)
    draft.guesses = {"share": "a guess: every round of interval_ms; or every_s: seconds"}
    if said:
        draft.guesses["request"] = said
    if data:
        draft.body = _body(body, given, headers, id_)
    return draft


def _body(body: str, given: argparse.Namespace, headers: dict[str, str], id_: str | None) -> dict[str, Any]:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if body.startswith("@") and not given.json:
        return {"file": body[1:]}
    if given.json:
        kind = "application/json"
    elif not kind:
        kind = headers["Content-Type"] = "application/x-www-form-urlencoded"  # As curl sends it.
    made = guess.body(body, kind, id_)
    if "json" in made and kind == "application/json":
        # It is sent with JSON anyway.
        headers.pop(next((name for name in headers if name.lower() == "content-type"), ""), None)
    return made


def _encoded(text: str) -> str:
    name, equals, value = text.partition("=")
    return f"{name}={quote(value, safe='')}" if equals and name else quote(text.removeprefix("="), safe="")


def _tls(given: argparse.Namespace) -> dict[str, Any]:
    told = {"ca": given.cacert, "verify": False if given.insecure else None, "cert": given.cert, "key": given.key}
    return {name: value for name, value in told.items() if value is not None}
