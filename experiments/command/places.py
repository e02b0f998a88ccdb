"""Where results lie: one folder for the record, the report and the files of a run or study, and a link to the latest."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.command.kinds import Kind
from experiments.errors import ParameterError
from experiments.record import reading

LATEST = "latest"
"""The link in a folder of results that leads to what was measured last."""


def folder(kind: Kind, asked: Mapping[str, Any], stem: str) -> Path:
    """Makes the folder of a result, or finds that of a study which goes on.

    Args:
        asked: all parameters, of which two say where and under which name.
        stem: what the name ends with where none is asked for.

    Raises:
        ParameterError: a run of that name exists, or the folder cannot be made.
    """
    parent = reading.results_dir(str(asked["results_dir"] or ""))
    name = str(asked[kind.id] or "")
    place = parent / (name or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{_plain(stem or kind.name)}")
    taken = place.exists() and (kind.name == "run" or not name)
    if taken and any(place.iterdir()):
        raise ParameterError(
            f"{kind.id}={place.name!r}: {place} is there already, and is never overwritten; choose another."
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{place} cannot be made ({error.strerror}); name a results_dir that can be written.") from None
    return place.resolve()


def _plain(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", stem)[:60] or "run"


def point_latest(place: Path) -> None:
    """Makes `latest` beside a result lead to it; where somebody's own file or folder has that name, it is left alone."""
    link = place.parent / LATEST
    if link.exists() and not link.is_symlink():
        return
    made = link.with_name(f".{LATEST}-{os.getpid()}")
    made.symlink_to(place.name)
    made.replace(link)


def find(name: str) -> Path:
    """The folder of a result: a path, or a name in the project's `results/`.

    Raises:
        ParameterError: there is none.
    """
    place = reading.find(name or LATEST)
    if not place.exists():
        raise ParameterError(f"there is no result {name!r}, neither here nor in {reading.default_results_dir()}.")
    return place.resolve()


def kind_of(place: Path) -> str:
    """Which notebook measured what lies in a folder.

    Raises:
        ParameterError: it holds no result.
    """
    if (place / "started.json").is_file():
        return "run"
    try:
        return str(json.loads((place / "plan.json").read_text()).get("kind", "sweep"))
    except (OSError, ValueError):
        raise ParameterError(f"{place} holds neither a run nor a study: name a folder of results.") from None


def page(name: str) -> Path:
    """What a browser is to show: the report of a result, or the page of all results.

    Raises:
        ParameterError: there is none.
    """
    if not name:
        return index(reading.default_results_dir())
    found = find(name)
    made = found if found.is_file() else found / "report.html"
    if not made.is_file():
        raise ParameterError(f"{made} is not there: `lab report {found.name}` makes it.")
    return made


def index(folder: Path) -> Path:
    """Makes the page of all results in a folder anew.

    Raises:
        ParameterError: it cannot be written.
    """
    from experiments.present.history import page as history

    try:
        return history.write(folder)
    except OSError as error:
        raise ParameterError(f"{folder} cannot be written ({error.strerror}).") from None
