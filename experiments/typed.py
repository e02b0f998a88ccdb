"""What papermill was given, as it was typed: it makes numbers of texts (`-p run_id 007` -> 7) before a notebook sees them.

The command line of the papermill that started this kernel, and the YAML that it names -> name, what papermill made of the
value, and what was meant. Under JupyterLab, or called from Python, there is no such command line, and nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

_TEXT = {"-p": "-p", "--parameters": "-p"}
_YAML = {"-y": "-y", "--parameters_yaml": "-y", "-f": "-f", "--parameters_file": "-f"}

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)")


class Typed(NamedTuple):
    """One parameter of papermill's command line."""

    read: object
    """What papermill makes of it."""
    meant: object
    """What it says: for `-p` the text; for YAML the value, where only a decimal number is a number."""
    of_yaml: bool


def typed() -> dict[str, Typed]:
    """Parameter -> what was typed for it; empty where no papermill started this process."""
    import psutil

    with suppress(psutil.Error, OSError):
        parent = psutil.Process().parent()
        words = parent.cmdline() if parent else []
        if parent and any(Path(word).name == "papermill" for word in words[:6]):
            return told(words, Path(parent.cwd()))
    return {}


def told(words: Sequence[str], folder: Path) -> dict[str, Typed]:
    """What a command line of papermill says; what comes later in papermill's own order (files, YAML, -p) counts.

    Args:
        folder: in which papermill was started.
    """
    given: dict[str, Typed] = {}
    for option in ("-f", "-y"):
        for text in _values(words, option, _YAML):
            with suppress(OSError, ValueError):  # What cannot be read here, papermill has read in a way of its own.
                given |= _yaml((folder / text).read_text(encoding="utf-8") if option == "-f" else text)
    for place, word in enumerate(words[:-2]):
        if word in _TEXT:
            name, text = words[place + 1 : place + 3]
            given[name] = Typed(_of_papermill(text), text, of_yaml=False)
    return given


def _values(words: Sequence[str], option: str, names: Mapping[str, str]) -> Iterator[str]:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if names.get(name) == option:
            yield value if equals else following


def _of_papermill(text: str) -> object:
    """What papermill makes of the value of a `-p`."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _yaml(text: str) -> dict[str, Typed]:
    """Parameters of a YAML mapping.

    Raises:
        ValueError: it is none, or no YAML.
    """
    import yaml

    try:
        read, meant = yaml.safe_load(text), yaml.load(text, Loader=_decimal_loader())  # a SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(read, dict):
        raise ValueError("no mapping")
    return {str(name): Typed(read[name], meant[name], of_yaml=True) for name in read if name in meant}


def _decimal_loader() -> Any:
    """A safe loader to which only a decimal number is a number: 012, 1:40 and 0x1f are texts, as are dates."""
    import yaml

    class Decimal(yaml.SafeLoader):
        pass

    others = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")
    Decimal.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in others]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for tag, pattern in ((others[0], _WHOLE), (others[1], _DECIMAL)):
        Decimal.add_implicit_resolver(tag, re.compile(f"^(?:{pattern.pattern})$"), list("-+.0123456789"))
    return Decimal
