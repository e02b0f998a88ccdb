"""What must never be shown: secrets in, the same text without them out.

A value is secret by its name (a header, a column, a field of JSON, a query parameter), or because it came from the
environment or from a secret column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MASK = "***"

_SECRET = re.compile(
    r"token|passw|passphrase|secret|key|credential|session|signature|cookie|authori[sz]ation|\bauth\b|bearer|jwt|(^|[_-])pin$",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\s*(Bearer|Basic|Digest|Token|ApiKey)\s+\S", re.IGNORECASE)
_FIELD = re.compile(
    r"""(?<![\w.-])(["']?)([\w.-]++)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]]*\]?|[^\s,;&}\]"']+)"""
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_HOW_MANY = re.compile(
    r"(^|[_.-])(?i:max|min|num|total|used|remaining)([_.-]|(?=[A-Z]))"
    r"|(?i:counts?|limit|total|used|left|remaining|length|size|ttl|timeout|age|expires|expiry|tokens|keys|sessions)$"
    r"|([_.-](in|at|ms|s)|In|At|Ms)$"
)
"""Names of numbers that say how many there are, or how long one holds: `token_count`, `maxTokens`, `session_expires_in`."""
_KINDS = {"bearer", "basic", "digest", "dpop", "mac", "jwt"}
_PLAIN = {"", "true", "false", "null"}
_SHORTEST = 4
"""Letters from which on a secret is masked within a word too; a shorter one stands in too many innocent words."""


def is_secret(name: str) -> bool:
    """Whether what is called so must not be shown."""
    return bool(_SECRET.search(name))


def hides(name: str, value: str) -> bool:
    """Whether this value of that name must not be shown."""
    return is_secret(name) and tells(name, value)


def tells(name: str, value: str) -> bool:
    """Whether a value may be the secret of which its name speaks.

    It is none in `Access-Control-Allow-Credentials: true`, `token_count: 128` and `token_type: bearer`.
    """
    said = value.strip().lower()
    if said in _PLAIN:
        return False
    if _NUMBER.fullmatch(said):
        return not _HOW_MANY.search(name)
    return not (name.lower().endswith("type") and said in _KINDS)


def header(name: str, value: str) -> str:
    """The value of a header as it may be shown; of an Authorization its scheme is left."""
    if not hides(name, value):
        return value
    scheme = _SCHEME.match(value)
    return f"{scheme[1]} {MASK}" if scheme else MASK


def tree(value: Any, name: str = "") -> Any:
    """A tree of a target file as it may be shown and recorded: what is a secret by its name is hidden.

    A value with a template in it stays, since a template is no secret.
    """
    if isinstance(value, dict):
        return {key: tree(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree(item, name) for item in value]
    if not isinstance(value, str) or "{" in value:
        return value
    return header(name, value) if name and hides(name, value) else Masker().text(value)


class Masker:
    """Hides known secrets, and what by its name is one, in any text.

    Args:
        secrets: the values to hide, wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        whole = [re.escape(one) if len(one) >= _SHORTEST else rf"(?<!\w){re.escape(one)}(?!\w)" for one in known]
        self._known = re.compile("|".join(whole)) if whole else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            text = self._known.sub(MASK, text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        return _FIELD.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    quote, name, between, value = match[1], match[2], match[3], match[4]
    if not hides(name, value.strip("\"'")):
        return match[0]
    edge = value[0] if value[0] in "\"'" else ""
    return f"{quote}{name}{quote}{between}{edge}{MASK}{edge}"
