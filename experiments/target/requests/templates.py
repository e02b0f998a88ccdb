"""Texts with `{...}` in them, read once: which parts stay, and which are filled in for a device or a poll.

| form | is | changes |
|---|---|---|
| `{id}`, `{index}` | the device's id; its number from 0 | a device |
| `{name}` | the column `name` of the device table | a device |
| `{env.NAME}` | a variable of the environment, never recorded | never |
| `{round}` | the round on the endpoint's clock, from 1 | a poll |
| `{now}`, `{now:unix}`, `{now:unix_ms}` | UTC: ISO 8601, seconds, milliseconds | a poll |
| `{now:%H:%M}` | UTC as strftime has it | a poll |
| `{uniform(a, b)}`, `{randint(a, b)}` | a random number | a poll |
| `{choice(a, b, c)}`, `{hex(n)}`, `{uuid}` | one of these, n digits, an id, at random | a poll |

What is random is the same in every repeat. All but `{now}` take a format after a colon, as `str.format` does:
`{index:05d}`, `{uniform(15, 30):.1f}`. `{{` and `}}` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from experiments.parameters import listed, nearest

Value = str | int | float
Argument = str | int | float

RESERVED = ("id", "index", "round", "now", "uuid", "env")
"""Names that a column of the device table cannot have (`id` only where the file has an id pattern as well)."""
_FORMS = ("uniform", "randint", "choice", "hex")
_RANDOM = frozenset({*_FORMS, "uuid"})
_POLLED = frozenset({"round", "now", *_RANDOM})
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<slot>[^{}]*)\}|[{}]")
_SLOT = re.compile(
    r"\s*(?P<name>[^\s():](?:[^():]*[^\s():])?)\s*(?P<call>\((?P<arguments>.*)\))?\s*(?::(?P<spec>.*))?", re.DOTALL
)
_ARGUMENT = re.compile(r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^,"']*?))\s*(?:,|$)""")
_ROUNDED = re.compile(r"[-+]?\.[0-9]+[efgEFG]")
_MOST_DIGITS = 4096


class TemplateError(ValueError):
    """A text cannot be filled; the message is a sentence without a place and without a full stop."""


@dataclass(frozen=True)
class Slot:
    """One `{...}`."""

    written: str
    """As it stands in the file, with its braces."""
    name: str
    """Which form; a column of the table or a variable has `column` or `env` here, and its own name in `arguments`."""
    arguments: tuple[Argument, ...] = ()
    spec: str = ""
    """The format after the colon."""
    place: int = 0
    """Number of this random form among those of its endpoint."""

    @property
    def polled(self) -> bool:
        """Whether its value changes from poll to poll."""
        return self.name in _POLLED

    def formatted(self, value: Value) -> Value:
        """The value as its format has it; a float that is only rounded stays a number."""
        if not self.spec:
            return value
        text = format(value, self.spec)
        return float(text) if isinstance(value, float) and _ROUNDED.fullmatch(self.spec) else text


Parts = tuple[str | Slot, ...]
"""A template: what stays, and what is filled in."""


class Reader:
    """Reads the templates of one endpoint, so that each of its random forms has a place of its own.

    Args:
        columns: names of the device table.
        allowed: names of the forms that make sense here; None for all.
    """

    def __init__(self, columns: Collection[str] = (), allowed: Collection[str] | None = None) -> None:
        self._columns = columns
        self._allowed = allowed
        self._places = count()

    def read(self, text: str) -> Parts:
        """Takes a text apart.

        Raises:
            TemplateError: a form is unknown, or its arguments or its format make no sense.
        """
        parts: list[str | Slot] = []
        for part in self._parts(text):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part:
                parts.append(part)
        return tuple(parts)

    def _parts(self, text: str) -> Iterator[str | Slot]:
        end = 0
        for match in _PIECE.finditer(text):
            yield text[end : match.start()]
            end = match.end()
            if match["slot"] is not None:
                yield self._slot(match["slot"])
            elif match[0] in ("{{", "}}"):
                yield match[0][0]
            else:
                raise TemplateError(f"{match[0]!r} stands alone in {_short(text)}: write {match[0] * 2} for a brace")
        yield text[end:]

    def _slot(self, inside: str) -> Slot:
        written = "{" + inside + "}"
        match = _SLOT.fullmatch(inside)
        if match is None:
            raise TemplateError(f"{written} cannot be filled: write {{{{ and }}}} for braces")
        name, spec = match["name"], match["spec"] or ""
        called = match["call"] is not None
        arguments = tuple(_arguments(match["arguments"] or "")) if called else ()
        slot = self._named(written, name, called, arguments, spec)
        if self._allowed is not None and slot.name not in self._allowed:
            raise TemplateError(f"{written} cannot stand here: it is known only when a poll is made")
        _try(slot)
        return slot

    def _named(self, written: str, name: str, called: bool, arguments: tuple[Argument, ...], spec: str) -> Slot:
        if called and name in _FORMS:
            return Slot(written, name, arguments, spec, next(self._places))
        if called and name not in ("uuid",):
            raise TemplateError(f"{written} cannot be filled: no form is called {name!r}{nearest(name, _FORMS)}")
        if name == "uuid" and not arguments:
            return Slot(written, name, (), spec, next(self._places))
        if name in self._columns and name not in RESERVED:
            return Slot(written, "column", (name,), spec)
        if name.startswith("env.") and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name[4:]):
            return Slot(written, "env", (name[4:],), spec)
        if name in ("id", "index", "round", "now"):
            return Slot(written, name, (), spec)
        if name in _FORMS:
            raise TemplateError(f"{written} cannot be filled: give its arguments, like {_EXAMPLES[name]}")
        known = [*RESERVED[:-1], *self._columns, *_FORMS]
        table = f"columns of the device table are {listed(self._columns)}" if self._columns else "there is no device table"
        raise TemplateError(f"{written} cannot be filled: {table}; write {{{{ for a brace{nearest(name, known)}")


_EXAMPLES = {
    "uniform": "{uniform(15, 30)}",
    "randint": "{randint(1, 6)}",
    "choice": "{choice(on, off)}",
    "hex": "{hex(16)}",
}


def whole(parts: Parts) -> Slot | None:
    """The slot that is all of a template, if one is."""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Slot) else None


def slots(parts: Parts) -> Iterator[Slot]:
    """The slots of a template."""
    return (part for part in parts if isinstance(part, Slot))


def texts_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in a tree of dicts and lists, with the keys and positions that lead to it."""
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (((key, *place), text) for place, text in texts_in(item))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from (((number, *place), text) for place, text in texts_in(item))


def literal(text: str) -> Argument:
    """An argument without quotes: a decimal number if it is one, else the text."""
    if re.fullmatch(r"[-+]?[0-9]+", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text, re.ASCII):
        return float(text)
    return text


def _arguments(text: str) -> Iterator[Argument]:
    end = 0
    while end < len(text) or (end and text[end - 1] == ","):
        match = _ARGUMENT.match(text, end)
        if match is None:
            raise TemplateError(f"the arguments ({text}) cannot be read: write them like (a, b) or ('a, b', c)")
        quoted = match["double"] if match["double"] is not None else match["single"]
        if quoted is None and not match["bare"]:
            raise TemplateError(f"an argument is missing in ({text})")
        yield literal(match["bare"]) if quoted is None else quoted
        end = max(match.end(), end + 1)
        if match.end() == len(text) and not match[0].endswith(","):
            return


def _try(slot: Slot) -> None:
    """Refuses arguments and a format that make no sense."""
    check = _CHECKS.get(slot.name)
    if check and not check(slot.arguments):
        raise TemplateError(f"{slot.written} cannot be filled: its arguments must be like {_EXAMPLES[slot.name]}")
    if slot.name == "now" or not slot.spec:
        return
    samples: tuple[Value, ...] = slot.arguments if slot.name == "choice" else (_SAMPLES.get(slot.name, "text"),)
    try:
        for sample in samples:
            slot.formatted(sample)
    except ValueError as error:
        if slot.name != "column":  # A Parquet column may hold numbers; that is seen when the table is read.
            raise TemplateError(f"{slot.written} cannot be filled: {str(error)[:1].lower()}{str(error)[1:]}") from None


def _numbers(arguments: tuple[Argument, ...], *kinds: type) -> bool:
    return len(arguments) == 2 and all(isinstance(one, kinds) for one in arguments) and arguments[0] <= arguments[1]  # type: ignore[operator]


_CHECKS: dict[str, Callable[[tuple[Argument, ...]], bool]] = {
    "uniform": lambda arguments: _numbers(arguments, int, float),
    "randint": lambda arguments: _numbers(arguments, int),
    "choice": bool,
    "hex": lambda arguments: len(arguments) == 1 and type(arguments[0]) is int and 1 <= arguments[0] <= _MOST_DIGITS,
}
_SAMPLES: dict[str, Value] = {"index": 1, "round": 1, "uniform": 1.5, "randint": 1}


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
