"""Sentences that are said of every kind of study."""

from __future__ import annotations

from typing import Any

from experiments.present.format import duration
from experiments.studies.study import Study

Pair = tuple[str, str]


def folder(study: Study[Any, Any, Any]) -> list[Pair]:
    """Where a study lies, and what becomes of it now."""
    if study.shown:
        return [("folder", f"{study.folder.path}; shown as it is, nothing is measured")]
    return [("folder", f"{study.folder.path}; the same {study.asked.own.kind}_id goes on with it")]


def goes_on(study: Study[Any, Any, Any]) -> str:
    """How a study is ended that was not."""
    return f"the same with {study.asked.own.kind}_id={study.folder.path.name!r} goes on where it was"


def interrupted(study: Study[Any, Any, Any]) -> list[str]:
    """Says so, and how to go on; nothing where nobody interrupted."""
    return [f"Interrupted; {goes_on(study)}."] if study.interrupted else []


def late(study: Study[Any, Any, Any]) -> str:
    """Why something was not begun."""
    if study.late is None:
        return ""
    left, needs = duration(study.late.left_s), duration(study.late.needs_s)
    return f"max_hours={study.asked.own.max_hours:g} leaves {left} and it takes {needs}"
