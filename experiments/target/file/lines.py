"""YAML text -> values and the line of each, read so that nothing becomes what its author did not write.

Numbers are decimal only: 010, 0x10 and 1:30 are texts, as are yes, no, on, off and dates. A key that stands twice is
refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from experiments.errors import ParameterError

Place = tuple[str | int, ...]
"""Where a value stands: keys and positions from the top."""

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_MOST_DEPTH = 50
_MOST_VALUES = 100_000
"""Aliases of aliases can stand for more values than there are atoms; no target needs so many."""
_PLAIN, _TEXT = "plain", "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Lines:
    """Which line of which file each value stands in."""

    shown: str
    """The file, as sentences name it."""
    of: dict[Place, int]
    """Line of each key or item, from 1."""

    def at(self, place: Place) -> str:
        """`file, line N` of a value, or of the nearest thing around it that has a line."""
        while place and place not in self.of:
            place = place[:-1]
        return f"{self.shown}, line {self.of.get(place, 1)}"


def ended(sentence: str) -> str:
    """The sentence with its full stop; one that ends with a question has its mark."""
    return sentence if sentence.endswith("?") else sentence + "."


def read(text: str, shown: str) -> tuple[Any, Lines]:
    """The values of a YAML text, and their lines.

    Args:
        shown: the file, as sentences name it.

    Raises:
        ParameterError: it is not YAML, has a key twice, or more than one document.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        line = f", line {mark.line + 1}" if mark else ""
        raise ParameterError(f"{shown}{line}: this is not YAML: {problem}.") from None
    lines = Lines(shown, {})
    return (None if node is None else _value(node, (), lines)), lines


class _Loader(yaml.SafeLoader):
    """PyYAML's parser without its guesses: what a plain word means is decided in here."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """What a value without a tag is; a plain word is told from a quoted one."""
        if kind is not yaml.ScalarNode:
            return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]
        return _PLAIN if implicit[0] else _TEXT


def _value(node: yaml.Node, place: Place, lines: Lines) -> Any:
    lines.of.setdefault(place, node.start_mark.line + 1)
    if len(place) > _MOST_DEPTH or len(lines.of) > _MOST_VALUES:
        raise ParameterError(f"{lines.at(place)}: values are nested deeper than {_MOST_DEPTH}, or there are too many.")
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, place, lines))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*place, number), lines) for number, item in enumerate(node.value)]
    if node.tag not in (_PLAIN, _TEXT):
        raise ParameterError(f"{lines.at(place)}: the tag {node.tag!r} is not read here; leave it out.")
    return node.value if node.tag == _TEXT else _plain(node.value)


def _pairs(node: yaml.MappingNode, place: Place, lines: Lines) -> Iterator[tuple[str, Any]]:
    first: dict[str, int] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ParameterError(f"{lines.shown}, line {line}: a key must be a word.")
        name = key.value
        if name in first:
            raise ParameterError(f"{lines.shown}, line {line}: {name!r} stands in line {first[name]} already.")
        first[name] = line
        lines.of[(*place, name)] = line
        yield name, _value(item, (*place, name), lines)


def _plain(text: str) -> str | int | float | bool | None:
    """What a word without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text) and len(text) <= 300:
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
