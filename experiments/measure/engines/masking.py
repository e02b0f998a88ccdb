"""Text of an answer, made fit for a record that people share: no credentials, nothing that a terminal would obey, bounded.

Bytes or headers as they came -> printable text. What looks like a credential is masked whole, rather one too many; values
that tell none, as of `Access-Control-Allow-Credentials: true`, stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from experiments.target.masking import tells

MASKED = "(masked)"
FIRST_BYTES = 512
"""How much of a body is kept."""
_MOST_HEADERS = 32
_NAME_CHARACTERS, _VALUE_CHARACTERS = 60, 200
_ALL_HEADERS_CHARACTERS = 2000

_SECRET = (
    r"auth|cookie|token|secret|passw|pwd|passphrase|api[-_ ]?key|credential|session|signature|csrf|xsrf|private[-_ ]?key"
)
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate|token)\s+[\w.~+/=:-]{4,}", re.IGNORECASE)
_WEB_TOKEN = re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*)*")
_IN_URL = re.compile(r"://[^/\s:@\"']*:[^/\s@\"']*@")
_NAMED = re.compile(
    rf"""([\w.-]*(?:{_SECRET})[\w.-]*)(["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s"'&,;<>{{}}]+)""",
    re.IGNORECASE,
)
"""A name that speaks of a secret, and its value: `"token": "..."`, `password=...`, `api_key: ...`; also one cut off."""


def headers_text(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """Names and values, in their order; values of what may be a credential are masked, long ones cut."""
    kept: list[list[str]] = []
    room = _ALL_HEADERS_CHARACTERS
    for raw_name, raw_value in headers:
        name = printable(raw_name)[:_NAME_CHARACTERS]
        said = printable(raw_value)
        value = MASKED if _SECRET_NAME.search(name) and tells(name, said) else masked(said)[:_VALUE_CHARACTERS]
        room -= len((name + value).encode("unicode_escape"))  # As long as JSON makes it.
        if room < 0 or len(kept) == _MOST_HEADERS:
            break
        kept.append([name, value])
    return kept


def body_text(body: bytes) -> str:
    """The first bytes of a body as text of one line."""
    return masked(printable(body[:FIRST_BYTES]))


def masked(text: str) -> str:
    """The text with its credentials masked."""
    text = _WEB_TOKEN.sub(MASKED, _IN_URL.sub(f"://{MASKED}@", text))
    text = _SCHEME.sub(rf"\1 {MASKED}", text)
    return _NAMED.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    name, between, value = match[1], match[2], match[3]
    return f"{name}{between}{MASKED}" if tells(name, value.strip("\"'")) else match[0]


def printable(content: bytes) -> str:
    r"""UTF-8 where it is, `\x00` for other bytes, and an escape for what is not printed: line ends, control characters."""
    text = content.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)
