"""A target that is being made: what was found out, what is a guess, and the readable file of both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*|[0-9]+\.\.[0-9]+")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WIDTH = 100


@dataclass
class Draft:
    """One endpoint that is being made."""

    method: str
    path: str
    """Path and query as a template."""
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    """One of `json`, `text` and `file`, or nothing."""
    often: dict[str, float] = field(default_factory=dict)
    """`share` or `every_s`."""
    etag: bool = False
    expect: dict[str, Any] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    """What to say beside a key."""
    name: str = ""
    """Made from the path, if it is empty."""
    device: str | None = None
    """The id of a device that was in its path."""


@dataclass
class Sketch:
    """A whole target that is being made."""

    origin: str
    """What it is made from, for the first line."""
    url: str | None
    endpoints: list[Draft]
    headers: dict[str, str] = field(default_factory=dict)
    tls: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What is to be said of the whole."""
    url_guess: str = ""


def written(sketch: Sketch) -> str:
    """The text of the target file."""
    name_endpoints(sketch.endpoints)
    body = "\n".join(_body(sketch))
    lines = [f"# Made from {sketch.origin}. What was guessed has a comment: look at each before the first run."]
    lines += [f"# {_one_line(note)}" for note in sketch.notes]
    if names := dict.fromkeys(re.findall(r"\{env\.(\w+)\}", body)):
        lines.append(f"# Secrets are not in here: set {', '.join(names)} in the environment.")
    return "\n".join([*lines, body]) + "\n"


def _body(sketch: Sketch) -> Iterator[str]:
    url = sketch.url or "http://127.0.0.1:8000"
    elsewhere = "where it was seen: measure only what is yours" if sketch.url else "a guess: the source names no server"
    yield _line(0, "url", plain(url), sketch.url_guess or elsewhere)
    if sketch.tls:
        yield _line(0, "tls", flow(sketch.tls))
    whole = [_endpoint_text(one) for one in sketch.endpoints]
    if any("{id}" in text for text in [*whole, *sketch.headers.values()]):
        seen = next((one.device for one in sketch.endpoints if one.device), None)
        said = "a guess: the pattern of an id; or a table of them" + (f"; one was {seen!r}" if seen else "")
        yield _line(0, "devices", flow({"id": _pattern(seen)}), said)
    if sketch.headers:
        yield "headers:"
        yield from (_line(2, plain(name), plain(value)) for name, value in sketch.headers.items())
    yield "endpoints:"
    yield from whole


def _pattern(seen: str | None) -> str:
    """The pattern of ids like this one: dev-00017 -> dev-{index:05d}."""
    match = re.fullmatch(r"(.*?)([0-9]+)", seen or "")
    if match is None or len(match[2]) > 12:
        return "{index}"
    return escaped(match[1]) + (f"{{index:0{len(match[2])}d}}" if match[2][0] == "0" and len(match[2]) > 1 else "{index}")


def _endpoint_text(one: Draft) -> str:
    says = one.guesses
    lines = [f"  {one.name}:", _line(4, "request", plain(f"{one.method} {one.path}"), says.get("request", ""))]
    if one.headers:
        lines.append(_line(4, "headers", flow(one.headers), says.get("headers", "")))
    for key, value in one.body.items():
        lines += _tree(4, key, value, says.get(key, ""))
    lines += [_line(4, key, plain(value), says.get(key, "")) for key, value in one.often.items()]
    if one.etag:
        lines.append(_line(4, "etag", "remember", says.get("etag", "")))
    if one.expect:
        lines.append("    expect:" + (f"  # {_one_line(says['expect'])}" if "expect" in says else ""))
        for key, value in one.expect.items():
            lines += _tree(6, key, value, says.get(f"expect.{key}", ""))
    return "\n".join(lines)


def name_endpoints(endpoints: Iterable[Draft]) -> None:
    """Gives each endpoint a name of its own, from the last word of its path."""
    taken: set[str] = set()
    for one in endpoints:
        wish = one.name or _word(one.path)
        name = wish
        if name in taken and f"{one.method.lower()}_{wish}" not in taken:
            name = f"{one.method.lower()}_{wish}"
        number = 2
        while name in taken:
            name, number = f"{wish}_{number}", number + 1
        taken.add(name)
        one.name = name


def _word(path: str) -> str:
    words = [word for word in re.split(r"[/?]", path.partition("?")[0]) if word and "{" not in word]
    word = re.sub(r"[^A-Za-z0-9_]+", "_", words[-1].rsplit(".", 1)[0] if words else "root").strip("_")[:40]
    return word if word and word[0].isalpha() else f"e{word}"


def escaped(text: str) -> str:
    """A text that must not be taken for a template."""
    return text.replace("{", "{{").replace("}", "}}")


def escaped_tree(value: Any) -> Any:
    """A tree whose texts must not be taken for templates."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: escaped_tree(item) for key, item in value.items()}
    return [escaped_tree(item) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> str:
    """A value as YAML, without quotes where none are needed."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null", "yes", "no"):
        return value
    return quoted(value)


def quoted(value: Any) -> str:
    """A value as JSON that is YAML as well: whatever YAML could take for a line break is written by its number."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in text)


def flow(value: Any) -> str:
    """A tree as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return plain(value)


def _key(key: Any) -> str:
    is_word = _KEY.fullmatch(key) and key.lower() not in ("true", "false", "null")
    return str(key) if is_word else quoted(str(key))


def _tree(indent: int, key: str, value: Any, comment: str) -> Iterator[str]:
    """A key and its tree: in one line where that is short, else a line per part."""
    line = _line(indent, _key(key), flow(value), comment)
    if len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        yield line
        return
    yield f"{' ' * indent}{_key(key)}:" + (f"  # {_one_line(comment)}" if comment else "")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _tree(indent + 2, name, item, "")
    else:
        yield from (f"{' ' * (indent + 2)}- {flow(item)}" for item in value)


def _line(indent: int, key: str, value: str, comment: str = "") -> str:
    line = f"{' ' * indent}{key}: {value}"
    return f"{line}  # {_one_line(comment)}" if comment else line


def _one_line(text: str) -> str:
    """A comment cannot go over lines, whatever the source had in it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
