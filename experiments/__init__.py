"""What a notebook may use.

Names are loaded on first use, so that a generator process which imports one module of this package does not load the
charts of another. None of these names may be a submodule's as well: importing the module would hide the name.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Calibration": "experiments.studies.calibrate.page",
    "Capacity": "experiments.studies.capacity.page",
    "Compare": "experiments.studies.compare.page",
    "History": "experiments.present.history.page",
    "LabError": "experiments.errors",
    "Scenario": "experiments.scenario",
    "AnswerError": "experiments.measure.engines.aio.own_device",
    "Device": "experiments.measure.engines.aio.own_device",
    "Live": "experiments.present.live.run",
    "LiveCells": "experiments.present.live.cells",
    "Page": "experiments.present.pages.run",
    "Sweep": "experiments.studies.sweep.page",
    "form": "experiments.present.live.form",
    "Tools": "experiments.studies.tools.page",
    "duet": "experiments.studies.duet",
    "asked": "experiments.studies.calibrate.certificate",
    "load": "experiments.record.reading",
    "run": "experiments.runner",
    "summarise": "experiments.runner",
    "target_from": "experiments.target.origins.origin",
    "try_target": "experiments.runner",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'experiments' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
