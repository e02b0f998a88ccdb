"""What a calibration comes to, in words: the top of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.present import top
from experiments.present.answer import Judgement
from experiments.present.format import count, plural
from experiments.present.html import Markup
from experiments.present.tables import trials as tables

_MOST_NAMED = 5


def certificate(certified: Mapping[str, Any]) -> Markup:
    """What the calibration comes to, on this machine and with these versions."""
    passed, failed = bool(certified["passed"]), list(certified["failed"])
    whole = sum(part["passed"] + part["failed"] for part in certified["parts"].values())
    known = certified["machine"]
    named = "; ".join(failed[:_MOST_NAMED]) + (f" and {count(len(failed) - _MOST_NAMED)} more" * (len(failed) > _MOST_NAMED))
    answer = (
        f"The instrument can be trusted on this machine: {plural(whole, 'trial')}, all of which passed."
        if passed
        else f"The instrument cannot be trusted on this machine yet: {_why(named, whole)}."
    )
    return top.top(
        f"Calibration of the lab: {known['cores']} cores of {known['cpu_model']}",
        [tables.machine(certified), f"{certified['certified_at']} · {certified['variant']} variant"],
        answer,
        Judgement("not asked", "A calibration judges the instrument and no server."),
        Judgement("valid", "Later runs with these versions on this machine quote this certificate.")
        if passed
        else Judgement("invalid", f"{_why(named, whole)[:1].upper()}{_why(named, whole)[1:]}."),
        next_step="" if passed else "Look at the trials that failed, quiet the machine, and calibrate again.",
        said=tables.about(certified),
    )


def _why(named: str, whole: int) -> str:
    return f"failed: {named}" if named else f"of what was to be tried only {plural(whole, 'trial')} came to an end"
