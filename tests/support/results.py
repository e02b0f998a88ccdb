"""A folder of made-up results: the same question again and again, with changes of version and machine."""

import json
import shutil
from pathlib import Path
from typing import Any

from experiments.record import reading
from experiments.record.reading import Record
from experiments.runner import summarise
from experiments.scenario import Scenario
from tests.support.made_up import SMALL, made_up


def kept(
    folder: Path, day: int, scenario: Scenario = SMALL, environment: dict[str, Any] | None = None, **made: Any
) -> Record:
    """Makes up a run of that day of November, and leaves it in the folder under its time.

    Args:
        environment: what of machine and versions is not as usual.
    """
    name = f"202611{day:02}T100000Z-run"
    record = made_up(folder / f".{name}", scenario, **made)
    place = folder / name
    shutil.move(record.path, place)
    (folder / f".{name}").rmdir()
    for file in ("started.json", "run.json"):
        if (path := place / file).is_file():
            told = json.loads(path.read_text())
            told |= {"run_id": name, "started_at": f"2026-11-{day:02}T10:00:00.000Z"}
            told["environment"] |= environment or {}
            path.write_text(json.dumps(told))
    return summarise(reading.load(place))
