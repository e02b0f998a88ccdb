"""The servers of a run: what is said of one in a few words, and what is said of all by `variant` and `beside`.

Texts in, values out; nothing is looked at that is not text. A server is said in words with spaces between them, several
servers with commas between them:

    starlette                  a system of the catalogue
    ./my.yaml                  what another target file starts or names
    http://127.0.0.1:8001      one that runs already
    git:REV                    the same, from another commit of the repository in which it starts
    falcon==4.1                the same, with another version of a package, in an environment of its own
    workers=2  loop=asyncio    the same, set otherwise
    DEBUG=1                    the same, with a variable of its environment
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from experiments.errors import ParameterError
from experiments.parameters import nearest

Split = Literal["halves", "mixed"]
LOOPS = ("asyncio", "uvloop")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==[A-Za-z0-9.!+_-]+")
_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_REVISION = re.compile(r"[A-Za-z0-9@{}~^./_-]+")
MOST = 8
"""Servers of a run. Each costs memory and a share of the devices, and a turn of a sixteenth of a second is none."""


@dataclass(frozen=True)
class System:
    """One server of a run: what is said of it. What is empty is as for the run's first."""

    said: str = ""
    """The words; empty for a server as it is."""
    server: str = ""
    """A name of the catalogue."""
    target: str = ""
    """A target file, by name or path."""
    url: str = ""
    revision: str = ""
    """A commit, as git names it."""
    packages: tuple[str, ...] = ()
    """name==version, each."""
    workers: int | None = None
    loop: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether it is started otherwise than by its name or file alone."""
        return bool(self.revision or self.packages or self.loop or self.environment)


def several(text: str, known: Collection[str]) -> tuple[System, ...]:
    """The servers that a text says; none of an empty one.

    Args:
        known: names of the catalogue.

    Raises:
        ParameterError: a word that says nothing.
    """
    return tuple(read(one, known) for one in text.split(",")) if text.strip() else ()


def read(text: str, known: Collection[str]) -> System:
    """One server.

    Raises:
        ParameterError: a word that says nothing, or words that contradict each other.
    """
    words = text.split()
    if not words:
        raise ParameterError(f"beside={text!r}: between two commas nothing is said; {_ALLOWED}.")
    found = System(" ".join(words))
    for word in words:
        told = _word(word, known)
        for name, value in told.items():
            before = getattr(found, name)
            if name in ("packages", "environment"):
                told[name] = (*before, *value) if name == "packages" else before | value
            elif before:
                raise ParameterError(f"beside={text!r}: {word!r} says once more what was said before it.")
        found = replace(found, **told)
    if len([one for one in (found.server, found.target, found.url) if one]) > 1:
        raise ParameterError(f"beside={text!r} names more than one server: separate them by commas.")
    if found.url and (found.differs or found.workers):
        raise ParameterError(f"beside={text!r}: a server that runs already is as it is; nothing else can be said of it.")
    return found


_ALLOWED = (
    "say a server of the catalogue, a target file, git:REV, a package like falcon==4.1, workers=N, loop=asyncio or "
    "VARIABLE=value, with spaces between the words of one server and commas between servers"
)


def _word(word: str, known: Collection[str]) -> dict[str, Any]:
    name, _, value = word.partition("=")
    if word in known:
        return {"server": word}
    if word.startswith(("http://", "https://")):
        return {"url": word.rstrip("/")}
    if word.startswith("git:") and _REVISION.fullmatch(word[4:]) and not word[4:].startswith("-"):
        return {"revision": word[4:]}
    if _PACKAGE.fullmatch(word):
        return {"packages": (word,)}
    if name == "workers" and value.isascii() and value.isdigit() and 0 < int(value) <= 256:
        return {"workers": int(value)}
    if name == "loop" and value in LOOPS:
        return {"loop": value}
    if match := _VARIABLE.fullmatch(word):
        return {"environment": {match[1]: match[2]}}
    if os.sep in word or word.endswith((".yaml", ".yml")):
        return {"target": word}
    if re.fullmatch(r"[a-z][a-z0-9_-]*", word) and not nearest(word, known):
        return {"target": word}
    raise ParameterError(f"{word!r} says nothing of a server{nearest(word, known)}; {_ALLOWED}.")


def names(first: str, systems: Collection[System]) -> tuple[str, ...]:
    """What people call the servers of a run, each by another name.

    Args:
        first: what the first one would be called alone.
        systems: all of them, in their order.
    """
    found: list[str] = []
    for place, one in enumerate(systems):
        name = one.said if one.server or one.target or one.url else f"{first} {one.said}".strip()
        found.append(name if name not in found else f"{name} ({place + 1})")
    return tuple(found)


def parameters(first: str, second: str, known: Collection[str]) -> dict[str, str]:
    """The parameters of a run in which two servers are held against each other.

    Args:
        first: words of the first; empty for the default server as it is.
        second: of the second.

    Raises:
        ParameterError: a word that says nothing.
    """
    if "," in first + second:
        raise ParameterError("a duet is of two servers: say one on each side, without commas.")
    own = read(first, known) if first.strip() else System()
    named = {"server": own.server, "target": own.target, "server_url": own.url}
    of_name = {own.server, own.target, own.url}
    how = " ".join(word for word in own.said.split() if word.rstrip("/") not in of_name)
    said = {name: value for name, value in named.items() if value} | {"beside": second}
    return said | ({"variant": how} if how else {})
