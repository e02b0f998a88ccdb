"""What `compare_to: latest` means: the newest earlier result of the same question on the same machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.analyse.history.entries import entries, machine_of, of_run, read_json
from experiments.record import reading
from experiments.record.reading import Record

LATEST = "latest"
"""The value of `compare_to`."""


def latest_before(record: Record) -> Record | None:
    """The newest run beside this one that asks the same on the same machine, was begun before, and may be believed."""
    now = of_run(record)
    for one in reversed(entries(record.path.parent)):
        same = one.kind == "run" and one.question == now.question and dict(one.machine) == dict(now.machine)
        if same and one.started_at < now.started_at and one.measurement in ("valid", "suspect"):
            return reading.load(record.path.parent / one.name)
    return None


def latest_study(folder: Path, plan: Mapping[str, Any]) -> Path | None:
    """The newest study beside this one that was planned alike, on the same machine, and has a result that may be believed.

    Args:
        plan: as `plan.json` has it, without what it was measured under.
    """
    own = read_json(folder / "plan.json")
    machine = machine_of(own.get("fingerprint") or {})
    wanted = json.loads(json.dumps(plan))
    found = [
        path
        for path in folder.parent.iterdir()
        if path != folder and not path.is_symlink()
        if (other := read_json(path / "plan.json"))
        if {name: value for name, value in other.items() if name != "fingerprint"} == wanted
        if machine_of(other.get("fingerprint") or {}) == machine
        if (read_json(path / "result.json").get("measurement") or {}).get("status") in ("valid", "suspect")
    ]
    return max(found, key=lambda path: (path / "plan.json").stat().st_mtime, default=None)
