"""Under what a plan's cells are measured: machine, versions, and the code that measures and serves.

What is read here -> a plain object in the plan; two of them -> what differs, in words. Cells of one folder stand side by
side in one table, so they must all be measured under the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from experiments.analyse.changes import environment_differences
from experiments.errors import ParameterError
from experiments.measure.host import fingerprint
from experiments.target import loading
from server import catalogue

_ROOT = Path(__file__).resolve().parents[3]
_CODE = (
    *("experiments/measure", "experiments/record", "experiments/target", "experiments/scenario"),
    *("experiments/schedule.py", "server"),
)
"""What moves a figure; how it is worked out and shown is made anew each time that cells are looked at."""


def conditions(systems: Iterable[str]) -> dict[str, Any]:
    """Machine, versions and code, as they are now.

    Args:
        systems: names from the catalogue, of which what they need is among the versions; or targets, by name or path, of
            which a digest is kept: what is asked may not change while cells are measured.
    """
    systems = tuple(systems)
    found = fingerprint.fingerprint()
    own = {name: digest for name in systems if name not in catalogue.SYSTEMS and (digest := _target(name))}
    if own:
        found |= {"targets": own}
    needs = (need for name in systems for need in _needs(name))
    return found | {"packages": found["packages"] | {need: _version(need) for need in needs}, "lab_code": _code()}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of the two is not the same; what was not written down before cannot be told."""
    packages = {name: version for name, version in now["packages"].items() if name in before.get("packages", ())}
    found = environment_differences(before, dict(now) | {"packages": packages})
    targets = before.get("targets", {})
    changed = [name for name, digest in now.get("targets", {}).items() if targets.get(name, digest) != digest]
    found += [f"the target {name} has changed" for name in changed]
    if before.get("lab_code", now["lab_code"]) != now["lab_code"]:
        found.append("the lab's own code that measures and serves has changed")
    return found


def _needs(system: str) -> tuple[str, ...]:
    known = catalogue.SYSTEMS.get(system)
    return (*known.needs, *known.database_needs) if known else ()


def _target(name: str) -> str:
    """A digest of a target's file and of what it names; empty where it cannot be read, which is refused elsewhere."""
    try:
        return loading.load(name).digest
    except ParameterError:
        return ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _code() -> str:
    """A digest of the modules, by their names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for place in _CODE for path in _modules(_ROOT / place)):
        digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _modules(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else (place,)
