"""What is expected of a field of JSON: where it stands, and which values are right.

A field is named by its path: `a.b`, `items[0].id`, `[-1]`, and `["a.b"]` for a key with a dot in it. What is right is
written as a value (equals it), a range like `1..5`, a list (one of these), or a mapping with one of `equals`, `one_of`,
`range`, `type`, `regex`, `present`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.parameters import listed, nearest
from experiments.target.file import ranges

MISSING: Any = object()
"""Stands for a field that is not there."""

Path = tuple[str | int, ...]
_STEP = re.compile(r"""\.?([^.\[\]]+)|\[(-?[0-9]+)\]|\["([^"]+)"\]|\['([^']+)'\]""")


def path(text: str) -> Path:
    """Reads a path.

    Raises:
        ValueError: it cannot be read.
    """
    steps: list[str | int] = []
    end = 0
    while end < len(text):
        match = _STEP.match(text, end)
        if match is None or (end == 0 and text[0] == "."):
            raise ValueError(f"{text!r} is no path of a field: write it like a.b[0].c")
        name, index, quoted, single = match.groups()
        steps.append(int(index) if index is not None else name or quoted or single)
        end = match.end()
    if not steps:
        raise ValueError("a path of a field is missing")
    return tuple(steps)


def find(value: Any, steps: Path) -> Any:
    """The field at a path, or `MISSING`."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        else:
            inside = isinstance(value, list) and -len(value) <= step < len(value)
            value = value[step] if inside else MISSING
    return value


@dataclass(frozen=True)
class Wanted:
    """What is right for a field."""

    right: Callable[[Any], bool]
    """Value, or `MISSING` -> whether it is right."""
    words: str
    """The same for people, after "expected"."""


def wanted(written: Any) -> Wanted:
    """Reads what is expected of a field.

    Raises:
        ValueError: it cannot be read; the message says what is allowed.
    """
    if isinstance(written, dict):
        return _of_mapping(written)
    if isinstance(written, list):
        return _one_of(written)
    if ranges.is_range(written):
        return _in_range(written)
    if isinstance(written, str) and (written == "present" or written in _TYPES):
        kind = "present: true" if written == "present" else f"type: {written}"
        raise ValueError(f"{written!r} may mean the word or its meaning: write {{{kind}}} or {{equals: {written}}}")
    return equal_to(written)


def equal_to(value: Any) -> Wanted:
    """The field equals a value; true is not 1."""
    return Wanted(lambda found: _same(found, value), shown(value))


def _of_mapping(written: dict[str, Any]) -> Wanted:
    for name in written:
        if name not in _KINDS:
            raise ValueError(f"unknown key {name!r}{nearest(name, _KINDS)}; allowed are {listed(_KINDS)}")
    if not written:
        raise ValueError(f"nothing is expected here; allowed are {listed(_KINDS)}")
    several = [_KINDS[name](value) for name, value in written.items()]
    if len(several) == 1:
        return several[0]
    return Wanted(lambda found: all(one.right(found) for one in several), " and ".join(one.words for one in several))


def _one_of(values: Any) -> Wanted:
    if not isinstance(values, list) or not values:
        raise ValueError("a list of values is needed")
    return Wanted(lambda found: any(_same(found, value) for value in values), "one of " + listed(map(shown, values)))


def _in_range(written: Any) -> Wanted:
    limits = ranges.read(written)
    return Wanted(lambda found: _is_number(found) and found in limits, f"a number in {limits}")


def _of_type(name: Any) -> Wanted:
    if not isinstance(name, str) or name not in _TYPES:
        raise ValueError(f"unknown type {name!r}{nearest(str(name), _TYPES)}; types are {listed(_TYPES)}")
    return Wanted(_TYPES[name], f"type {name}")


def _matching(pattern: Any) -> Wanted:
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return Wanted(lambda found: isinstance(found, str) and bool(compiled.search(found)), f"a text matching {pattern!r}")


def _present(wish: Any) -> Wanted:
    if not isinstance(wish, bool):
        raise ValueError("present is true or false")
    return Wanted(lambda found: (found is not MISSING) is wish, "it is there" if wish else "it is not there")


_KINDS: dict[str, Callable[[Any], Wanted]] = {
    "equals": equal_to,
    "one_of": _one_of,
    "range": _in_range,
    "type": _of_type,
    "regex": _matching,
    "present": _present,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and math.isfinite(value) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _same(found: Any, value: Any) -> bool:
    """Equality as JSON has it: 3 is 3.0, true is not 1."""
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, dict) and isinstance(value, dict):
        return found.keys() == value.keys() and all(_same(found[key], value[key]) for key in value)
    if isinstance(found, list) and isinstance(value, list):
        return len(found) == len(value) and all(map(_same, found, value))
    return bool(found == value)


def shown(value: Any, most: int = 80) -> str:
    """A value as JSON, shortened."""
    text = "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else text[: most - 3] + "..."
