"""From what a team has to a target file: finds out what it is, and hands it to who reads that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from experiments.errors import ParameterError
from experiments.target.origins import access_log, curl, har, openapi
from experiments.target.origins.draft import Sketch, written

_MOST_BYTES = 1 << 28
_MOST_LINES = 2_000_000
"""Lines of a log that are read: more of them change no share by much."""


def target_from(source: str | Path) -> str:
    """Makes the text of a target file.

    Args:
        source: a `curl` command line, or the path of a HAR file, an OpenAPI 3 document (JSON or YAML) or an access log.

    Returns:
        YAML with a comment at every guess, and a variable of the environment in place of each secret.

    Raises:
        ParameterError: the source is none of these, or says nothing that could be asked.
    """
    if isinstance(source, str) and re.match(r"\s*\S*curl(\.exe)?\s", source):
        return written(curl.sketch(source))
    path = Path(source).expanduser()
    if not path.is_file():
        raise ParameterError(f"source={str(source)[:100]!r}: there is no such file, and it is no curl command.")
    if path.stat().st_size <= _MOST_BYTES and path.suffix.lower() in (".har", ".json", ".yaml", ".yml"):
        return written(_document(path))
    return written(_log(path))


def _document(path: Path) -> Sketch:
    """A HAR file or an OpenAPI document, whatever its name ends with."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        document = json.loads(text) if text.lstrip()[:1] == "{" else _as_json(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError) as error:
        raise ParameterError(f"{path} is neither JSON nor YAML: {str(error).splitlines()[0]}.") from None
    if isinstance(document, dict) and "log" in document:
        return har.sketch(text)
    if isinstance(document, dict) and ("openapi" in document or "swagger" in document):
        return openapi.sketch(document)
    raise ParameterError(f"{path} is neither a HAR file (it has no `log`) nor an OpenAPI 3 document (it has no `openapi`).")


def _as_json(value: Any) -> Any:
    """YAML as JSON has it: keys are texts, and so are dates."""
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _log(path: Path) -> Sketch:
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().lstrip()
        if re.match(r"\S*curl(\.exe)?\s", first):
            return curl.sketch(first + file.read(_MOST_BYTES))
        file.seek(0)
        return access_log.sketch(_bounded(file))


def _bounded(lines: Iterable[str]) -> Iterable[str]:
    return (line for _, line in zip(range(_MOST_LINES), lines, strict=False))
