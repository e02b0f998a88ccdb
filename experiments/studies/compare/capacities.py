"""The capacity of a few systems, each by the search of `capacity`, coarser: in a folder of its own within the comparison.

What the comparison asks -> a search a system. Within one service level: the response p99 of what is polled most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from experiments.studies.capacity.params import FEWEST, USUAL_MS
from experiments.studies.capacity.params import Asked as Question
from experiments.studies.capacity.progress import measured
from experiments.studies.capacity.strategy import Search
from experiments.studies.compare.params import Asked
from experiments.studies.study import CellStudy

FAILURE_PCT = 0.1
_LEAST_H = 0.0001
"""The least that a search may be given; nothing fits into it."""
_RULES: dict[str, Any] = {"largest": 20_000, "step_pct": 10, "confirmations": 2, "suspect_counts": True, "closed_loop": ""}
_ALIKE = (
    *("interval_ms", "ratio", "status_bytes", "bulk_bytes", "warmup_s", "phase", "keep_alive", "timeout_s", "engine"),
    *("generators", "seed", "sample_ms", "workers", "minutes"),
)


def question(asked: Asked, system: str, folder: Path, max_hours: float) -> Question:
    """What is searched: how many devices this system holds under the static workload.

    Args:
        folder: that of the comparison.
    """
    plan, limits = asked.base.plan, levels_ms(asked)
    level = {f"slo_{name}_p99_ms": limits.get(name, 0.0) for name in USUAL_MS}
    fewest = math.ceil(FEWEST * plan.interval_s / asked.base.window_s) + 1
    return Question.from_parameters(
        {
            **{name: getattr(asked.base, name) for name in _ALIKE},
            **_RULES,
            **level,
            "server": system,
            "slo_failure_pct": FAILURE_PCT,
            "smallest": max(fewest, asked.own.loads[0]),
            "results_dir": str(folder),
            "capacity_id": _id(system),
            "cool_down_s": asked.own.cool_down_s,
            "max_hours": max_hours,
        }
    )


def levels_ms(asked: Asked) -> dict[str, float]:
    """Endpoint -> the limit within which capacities are searched; of the one that is polled most."""
    rates = asked.base.plan.rates
    primary = max(rates, key=lambda name: rates[name])
    return {primary: USUAL_MS[primary]}


def search(study: CellStudy[Asked], system: str, say: Callable[[str], None]) -> Search:
    """Searches, as far as the time allows, or finds what was searched.

    Raises:
        RecordError: the comparison is only shown, and this was not begun.
    """
    left_h = max(_LEAST_H, study.left_s / 3600)
    asked = partial(question, study.asked, system, study.folder.path, left_h)
    inner = study.within(_id(system), asked, Question)
    found = measured(inner, Search(inner.asked, inner.asked.workers[0]), say)
    study.interrupted |= inner.interrupted
    return found


def _id(system: str) -> str:
    return f"capacity-{system}"
