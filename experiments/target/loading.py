"""A target by name or path -> the file, checked; every mistake is one sentence with file and line.

All reading of files is done here: the table of devices, bodies and certificates lie beside the target file, and their paths
count from its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments.errors import ParameterError
from experiments.parameters import CREDENTIALS, listed, nearest
from experiments.target import review, table
from experiments.target.file import lines
from experiments.target.file.lines import Lines, Place
from experiments.target.file.model import PARTS, Part, Target
from experiments.target.loaded import Loaded
from experiments.target.masking import MASK, is_secret

FOLDER = Path(__file__).resolve().parents[2] / "params" / "targets"
"""Where targets that have a name lie."""
_MOST_BYTES = 1 << 20


def load(name_or_path: str | Path, *, environ: Mapping[str, str] | None = None, folder: Path = FOLDER) -> Loaded:
    """Reads and checks a target.

    Args:
        name_or_path: `hello` for params/targets/hello.yaml, or a path.
        environ: the variables that templates may name; None: those of this process.
        folder: where named targets lie.

    Raises:
        ParameterError: one sentence for each thing that is wrong, each on a line of its own.
    """
    path = _found(name_or_path, folder)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ParameterError(f"target {path} has more than {_MOST_BYTES:,} bytes: this is no target file.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"target {path} cannot be read: {error}.") from None
    return read(text, path, environ=environ)


def read(text: str, path: Path, *, environ: Mapping[str, str] | None = None) -> Loaded:
    """The same, of a text that stood, or is to stand, in the file `path`.

    Raises:
        ParameterError: one sentence for each thing that is wrong, each on a line of its own.
    """
    values, places = lines.read(text, _shown(path))
    target = _checked(values, places)
    devices = _table(target, path, places)
    files = dict(_files(target, path))
    loaded = Loaded(target, path, text, places, devices, {name: data for name, data in files.items() if data is not None})
    missing = [name for name, data in files.items() if data is None]
    problems = [*review.files(loaded, missing), *review.templates(loaded, os.environ if environ is None else environ)]
    problems += review.expectations(loaded)
    _raise(problems)
    if target.devices.count:
        loaded.check_clients(target.devices.count)
    return loaded


def _found(name_or_path: str | Path, folder: Path) -> Path:
    text = str(name_or_path)
    is_path = isinstance(name_or_path, Path) or os.sep in text or text.endswith((".yaml", ".yml"))
    path = Path(text).expanduser().absolute() if is_path else folder / f"{text}.yaml"
    if path.is_file():
        return path
    if is_path:
        near = nearest(path.name, (one.name for one in path.parent.glob("*.y*ml")))
        raise ParameterError(f"target={text!r}: there is no such file{near}.")
    known = sorted(one.stem for one in folder.glob("*.yaml"))
    raise ParameterError(
        f"target={text!r}: there is no such target{nearest(text, known)}; those in params/targets are {listed(known)}; "
        "a file elsewhere is named by its path, like ./my.yaml."
    )


def _shown(path: Path) -> str:
    """The path as people know it: from where they are, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _checked(values: Any, places: Lines) -> Target:
    if not isinstance(values, dict):
        raise ParameterError(f"{places.shown}, line 1: a target is lines of `key: value`, like url: http://127.0.0.1:8000.")
    _raise(list(_unknown(values, places)))
    try:
        return Target.model_validate(values)
    except ValidationError as error:
        told = {places.at(place := _real(item["loc"], places)): _sentence(item, place, places) for item in error.errors()}
        raise ParameterError("\n".join(told.values())) from None


def _raise(problems: list[str]) -> None:
    if problems:
        raise ParameterError("\n".join(dict.fromkeys(problems)))


def _unknown(values: Any, places: Lines) -> Iterator[str]:
    """Every key that no part of a target has."""
    for pattern, part in PARTS.items():
        for place, found in _matching(values, pattern):
            if not isinstance(found, dict):
                continue
            known = [field.alias or name for name, field in part.model_fields.items()]
            for key in found:
                if key not in known:
                    whose = "a target" if not place else f"{place[-1] if pattern[-1] != '*' else 'an endpoint'}"
                    near = nearest(key, known)
                    yield f"{places.at((*place, key))}: unknown key {key!r}{near}; the keys of {whose} are {listed(known)}."


def _matching(values: Any, pattern: tuple[str, ...], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Places that fit a pattern, `*` being any key, and what stands there."""
    if not pattern:
        yield place, values
    elif isinstance(values, dict):
        for key in list(values) if pattern[0] == "*" else [pattern[0]]:
            if key in values:
                yield from _matching(values[key], pattern[1:], (*place, key))


def _real(loc: Any, places: Lines) -> Place:
    """The part of pydantic's place that stands in the file; what follows names a branch of a union, or what is missing."""
    place: Place = ()
    for step in loc:
        if (*place, step) not in places.of:
            break
        place = (*place, step)
    return place


_ADVICE: dict[str, str] = {
    "greater_than_equal": "it must be at least {ge:g}",
    "greater_than": "it must be above {gt:g}",
    "less_than_equal": "it must be at most {le:,}",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "finite_number": "a finite number is needed",
    "bool_type": "true or false is needed",
    "string_type": "a text is needed",
    "string_too_short": "it must not be empty",
    "dict_type": "lines of `name: value` are needed",
    "model_type": "lines of `key: value` are needed",
    "list_type": "a list is needed",
    "literal_error": "allowed are {expected}",
    "value_error": "{error}",
}
"""What is allowed, by pydantic's name of the complaint."""


def _sentence(item: Any, place: Place, places: Lines) -> str:
    """One sentence out of one pydantic complaint: where, what was given, what is allowed."""
    context = item.get("ctx", {})
    if item["type"] == "missing":
        return f"{places.at(place)}: {_name(place)}needs {str(item['loc'][-1])!r}, {_description(tuple(item['loc']))}."
    form = _ADVICE.get(item["type"])
    allowed = form.format(**context) if form else str(item["msg"][:1].lower() + item["msg"][1:])
    about = _description(place)
    if item["type"] == "string_pattern_mismatch":
        allowed = f"give {about}" if about else "it has another form"
    given = item["input"]
    if isinstance(given, dict | list) or any(is_secret(str(step)) for step in place):
        shown = ""
    else:
        shown = f" is {CREDENTIALS.sub(f'{MASK}@', repr(given))[:80]}"
    said = item["type"] == "value_error" or allowed == f"give {about}"
    meaning = f" ({about})" if about and not said else ""
    return lines.ended(f"{places.at(place)}: {_name(place)[:-1]}{shown}: {allowed}{meaning}")


def _name(place: Place) -> str:
    return ".".join(map(str, place)) + " " if place else "the target "


def _description(place: Place) -> str:
    """What a key means, if it is one of a part of a target."""
    for pattern, part in PARTS.items():
        if len(place) == len(pattern) + 1 and all(want in ("*", step) for want, step in zip(pattern, place, strict=False)):
            return _of_field(part, str(place[-1]))
    return ""


def _of_field(part: type[Part], key: str) -> str:
    return next((str(one.description) for name, one in part.model_fields.items() if (one.alias or name) == key), "")


def _table(target: Target, path: Path, places: Lines) -> table.Table:
    if target.devices.table is None:
        return table.NONE
    return table.read(path.parent / target.devices.table, places.at(("devices", "table")))


def _files(target: Target, path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Bodies that lie in files; None for one that is not there."""
    for endpoint in target.endpoints.values():
        for name in (endpoint.file, endpoint.expect.body):
            if name is not None and name != "first":
                file = path.parent / name
                yield name, file.read_bytes() if file.is_file() else None
